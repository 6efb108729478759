//! The URL that is posted to.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};
use http_body_util::Full;

use super::Proxy;

/// An absolute URL of the schemes `http` and `https`, without name and password.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    uri: Uri,
}

/// The requests to it, without their bodies.
#[derive(Debug)]
pub(super) struct Prepared {
    http1: Request<()>,
    http2: Request<()>,
}

impl Target {
    /// # Errors
    /// Which rule is broken.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "it has characters that cannot be in a URL")?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => {}
            _ => return Err("it does not begin with `http://` or `https://`"),
        }
        if !uri.host().is_some_and(is_host) {
            return Err("its host is neither a name nor an IP address");
        }
        let uri = without_userinfo(uri).ok_or("its host is neither a name nor an IP address")?;
        Ok(Self { uri })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Its requests, which all have these `headers`.
    pub(super) fn prepare(&self, mut headers: HeaderMap, proxy: Option<&Proxy>) -> Prepared {
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // Its place is taken in advance: a map that grows is moved.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        // A proxy sees what is not encrypted, and needs to be told where it goes.
        let told_proxy = proxy.filter(|_| !self.is_https());
        if let Some(auth) = told_proxy.and_then(Proxy::auth) {
            headers.insert(PROXY_AUTHORIZATION, auth.clone());
        }
        let http2 = post(self.uri.clone(), headers.clone());
        if let Some(host) = self.host_header() {
            headers.insert(HOST, host);
        }
        let path = self.uri.path_and_query().map_or(PathAndQuery::from_static("/"), PathAndQuery::clone);
        let http1 = post(if told_proxy.is_some() { self.uri.clone() } else { path.into() }, headers);
        Prepared { http1, http2 }
    }

    fn host_header(&self) -> Option<HeaderValue> {
        let authority = self.uri.authority()?;
        let usual = if self.is_https() { 443 } else { 80 };
        let shown = match authority.port_u16() {
            Some(port) if port == usual => authority.host(),
            _ => authority.as_str(),
        };
        HeaderValue::from_str(shown).ok()
    }
}

impl Prepared {
    /// A request with this body.
    pub(super) fn request(&self, version: Version, body: Bytes) -> Request<Full<Bytes>> {
        let prepared = if version == Version::HTTP_2 { &self.http2 } else { &self.http1 };
        let mut request = prepared.clone();
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        request.map(|()| Full::new(body))
    }
}

fn post(uri: Uri, headers: HeaderMap) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

/// What ends in a number has to be an IP address as a whole (WHATWG URL, *host parsing*).
fn is_host(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    !host.is_empty() && (!is_number || host.parse::<std::net::Ipv4Addr>().is_ok())
}

fn without_userinfo(uri: Uri) -> Option<Uri> {
    let mut parts = uri.into_parts();
    let authority = parts.authority.take()?;
    let host = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host);
    parts.authority = Some(host.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_posted_to_is_told_from_what_cannot() {
        let rows = [
            ("https://o1.ingest.sentry.io/api/2/envelope/", true, "Sentry"),
            ("http://127.0.0.1:8969/stream", true, "IPv4"),
            ("http://[::1]:8969/stream", true, "IPv6"),
            ("http://sentry_relay/api/2/envelope/", true, "a name of a container"),
            ("http://256.256.256.256/", false, "no IP address"),
            ("http://1.2.3/", false, "half of one"),
            ("ftp://example.com/", false, "another scheme"),
            ("example.com", false, "no scheme"),
            ("http://exa mple/", false, "a blank"),
            ("http:///stream", false, "no host"),
            ("", false, "nothing"),
        ];
        for (url, expected, reason) in rows {
            assert_eq!(Target::parse(url).is_ok(), expected, "{reason}");
        }
    }

    #[test]
    fn each_protocol_is_told_the_host_in_its_own_way() {
        let rows = [
            ("http://example.com/a?b", "example.com", "/a?b", "the usual port"),
            ("http://example.com:80/a", "example.com", "/a", "the usual port, written"),
            ("https://example.com:80/a", "example.com:80", "/a", "the other scheme's"),
            ("http://[::1]:8969", "[::1]:8969", "/", "IPv6"),
            ("http://me:hush@example.com/", "example.com", "/", "a password is nobody's business"),
        ];
        for (url, host, path, reason) in rows {
            let target = Target::parse(url).unwrap();
            let prepared = target.prepare(HeaderMap::new(), None);
            let request = prepared.request(Version::HTTP_11, Bytes::new());
            assert_eq!(request.uri(), path, "{reason}");
            assert_eq!(request.headers().get(HOST).unwrap(), host, "{reason}");
            let request = prepared.request(Version::HTTP_2, Bytes::new());
            assert_eq!((request.uri(), request.headers().get(HOST)), (target.uri(), None), "{reason}");
        }
    }
}
