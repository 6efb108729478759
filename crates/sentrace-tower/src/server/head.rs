//! The head of an incoming request, for hooks and for the pipeline.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version};
use sentrace_core::adapter::{HeaderRecorder, HttpHead, RequestParts};

use super::client_address::{Asked, TrustedProxies, peer};

/// The head of an incoming request, borrowed for a hook of the layer.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    head: HttpHead<'a>,
    proxies: Option<&'a TrustedProxies>,
    /// Scheme, host and port as a trusted proxy has forwarded them.
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

    /// Returns the method.
    pub fn method(&self) -> &'a Method {
        self.head.method()
    }

    /// Returns the target that the client sent, including prefixes that nested routers have removed.
    pub fn uri(&self) -> &'a Uri {
        self.head.uri()
    }

    /// Returns the header fields.
    pub fn headers(&self) -> &'a HeaderMap {
        self.head.headers()
    }

    /// Returns the extensions.
    pub fn extensions(&self) -> &'a Extensions {
        self.head.extensions()
    }

    /// Returns the address of the connection's other end, if it is known; see [`TrustedProxies`].
    pub fn peer_address(&self) -> Option<IpAddr> {
        peer(self.extensions())
    }

    /// Returns the address of the client, past the layer's [trusted proxies](super::SentryTracingLayer::trusted_proxies).
    ///
    /// ```
    /// use sentrace_tower::SentryTracingLayer;
    ///
    /// // Continues the traces of local callers only.
    /// let layer = SentryTracingLayer::new()
    ///     .trust_incoming_if(|request| request.client_address().is_some_and(|client| client.is_loopback()));
    /// ```
    pub fn client_address(&self) -> Option<IpAddr> {
        self.proxies
            .map_or_else(|| self.peer_address(), |proxies| proxies.client(self.headers(), self.extensions()))
    }

    /// Returns the template of the matched route, if axum has matched one before this layer. Requires the feature `axum`.
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
        self.asked.host.unwrap_or_else(|| self.head.host())
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
