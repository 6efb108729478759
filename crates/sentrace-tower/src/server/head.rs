//! A request without its body, as hooks and the pipeline see it.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Uri, Version, header};
use sentrace_core::adapter::{HeaderRecorder, HttpHead, RequestParts};

use super::client_address::{Asked, TrustedProxies, peer};

/// The head of an incoming request, for hooks of the layer: it is borrowed, nothing of it is kept.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    head: HttpHead<'a>,
    proxies: Option<&'a TrustedProxies>,
    /// What a trusted proxy was asked for.
    asked: Asked<'a>,
}

impl<'a> RequestHead<'a> {
    pub(crate) fn of<B>(request: &'a Request<B>) -> Self {
        Self { head: HttpHead::of(request), proxies: None, asked: Asked::default() }
    }

    #[inline]
    pub(super) fn behind(mut self, proxies: &'a TrustedProxies) -> Self {
        self.proxies = Some(proxies);
        if proxies.trusts_any() {
            self.asked = proxies.asked(self.headers(), self.extensions());
        }
        self
    }

    /// The method.
    pub fn method(&self) -> &'a Method {
        self.head.method()
    }

    /// The target as it came, also where a router has taken a prefix from it.
    pub fn uri(&self) -> &'a Uri {
        self.head.uri()
    }

    /// The header fields.
    pub fn headers(&self) -> &'a HeaderMap {
        self.head.headers()
    }

    /// What other layers attached.
    pub fn extensions(&self) -> &'a Extensions {
        self.head.extensions()
    }

    /// Who opened the connection; known as [`TrustedProxies`] says.
    pub fn peer_address(&self) -> Option<IpAddr> {
        peer(self.extensions())
    }

    /// The address of the client, past the layer's [trusted proxies](super::SentryTracingLayer::trusted_proxies).
    ///
    /// ```
    /// use sentrace_tower::SentryTracingLayer;
    ///
    /// // Traces go on from callers inside, and begin here for everybody else.
    /// let layer = SentryTracingLayer::new()
    ///     .trust_incoming_if(|request| request.client_address().is_some_and(|client| client.is_loopback()));
    /// ```
    pub fn client_address(&self) -> Option<IpAddr> {
        self.proxies
            .map_or_else(|| self.peer_address(), |proxies| proxies.client(self.headers(), self.extensions()))
    }

    /// The route's template, where a router has told it before this layer; known with the feature `axum`.
    pub fn matched_route(&self) -> Option<&'a str> {
        self.head.route()
    }
}

impl RequestParts for RequestHead<'_> {
    fn method(&self) -> &str {
        self.head.method().as_str()
    }

    fn scheme(&self) -> &str {
        self.asked.scheme.or(self.uri().scheme_str()).unwrap_or("http")
    }

    fn host(&self) -> &str {
        if let Some(host) = self.asked.host {
            return host;
        }
        self.head.uri_host().unwrap_or_else(|| {
            let host = self.headers().get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
            std::str::from_utf8(host).unwrap_or_default()
        })
    }

    fn has_host_in_header(&self) -> bool {
        self.uri().authority().is_none() && self.asked.host.is_none() && self.asked.port.is_none()
    }

    fn port(&self) -> Option<u16> {
        self.asked.port
    }

    fn path(&self) -> &str {
        self.uri().path()
    }

    fn query(&self) -> Option<&str> {
        self.uri().query()
    }

    fn route(&self) -> Option<&str> {
        self.matched_route()
    }

    fn protocol_version(&self) -> &'static str {
        match self.head.version() {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        }
    }

    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.headers() {
            each(name.as_str(), value.as_bytes());
        }
    }

    fn record_headers(&self, recorder: &mut HeaderRecorder<'_>) {
        for (name, value) in self.headers() {
            recorder.push(name.as_str(), value.as_bytes());
        }
    }

    fn client_address(&self) -> Option<IpAddr> {
        Self::client_address(self)
    }
}
