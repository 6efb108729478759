//! The head of an incoming request.

use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Uri, Version, header};

/// The head of an incoming request, as it was before routers changed it. It is borrowed.
#[derive(Debug, Clone, Copy)]
pub struct HttpHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
    route: Option<&'a str>,
}

impl<'a> HttpHead<'a> {
    /// Borrows the head of `request`.
    #[inline]
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: original_uri(request.extensions()).unwrap_or(request.uri()),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
            route: matched_route(request.extensions()),
        }
    }

    /// Returns the method.
    #[inline]
    pub const fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns the target that the client sent, including prefixes that nested routers have removed.
    #[inline]
    pub const fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Returns the version of HTTP.
    #[inline]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the header fields.
    #[inline]
    pub const fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Returns the extensions.
    #[inline]
    pub const fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// Returns the template of the matched route, if a router has already found it; see [`matched_route`].
    #[inline]
    pub const fn route(&self) -> Option<&'a str> {
        self.route
    }

    /// Returns host and port of the target without user and password, if it names a host.
    #[inline]
    pub fn uri_host(&self) -> Option<&'a str> {
        self.uri.authority().map(|authority| without_userinfo(authority.as_str()))
    }

    /// Returns host and port of the target, or else the `Host` header, without user and password. It is not validated, and
    /// empty if unknown.
    #[inline]
    pub fn host(&self) -> &'a str {
        self.uri_host().unwrap_or_else(|| {
            let host = self.headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
            without_userinfo(std::str::from_utf8(host).unwrap_or_default())
        })
    }
}

#[inline]
fn without_userinfo(authority: &str) -> &str {
    // There is almost never a user, and a search by characters costs more.
    if !authority.as_bytes().contains(&b'@') {
        return authority;
    }
    authority.rsplit('@').next().unwrap_or_default()
}

/// Returns the template of the route that axum has matched, including those of nesting routers. Requires the feature
/// `axum-08`, without which there is none.
#[inline]
pub fn matched_route(extensions: &Extensions) -> Option<&str> {
    #[cfg(feature = "axum-08")]
    return extensions.get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str);
    #[cfg(not(feature = "axum-08"))]
    return {
        let _ = extensions;
        None
    };
}

#[inline]
fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    #[cfg(feature = "axum-08")]
    return extensions.get::<axum::extract::OriginalUri>().map(|axum::extract::OriginalUri(uri)| uri);
    #[cfg(not(feature = "axum-08"))]
    return {
        let _ = extensions;
        None
    };
}
