//! What is noted of a request's head: text of its own, since a shared handle would keep the whole head alive.

use http::{Request, Uri};
use sentrace_protocol::http_method;
use sentrace_protocol::sensitive::filter_text;
use sentrace_protocol::url::host_header;

/// The request's name, as transactions have it.
pub(super) struct Name {
    pub(super) text: String,
    /// Whether it is a route's, so that there are few of them.
    pub(super) is_route: bool,
}

impl Name {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let route = matched_route(request);
        let path = route.unwrap_or(target(request).path());
        // The target of `CONNECT` has no path.
        let separator = if path.is_empty() { "" } else { " " };
        Self { text: [method_in_names(request), separator, path].concat(), is_route: route.is_some() }
    }
}

/// The method, or `HTTP` for one that only this client knows.
pub(super) fn method_in_names<B>(request: &Request<B>) -> &'static str {
    http_method::in_names(request.method().as_str())
}

/// The URL without user, query and fragment, where the host is known.
pub(super) fn url<B>(request: &Request<B>) -> Option<String> {
    let uri = target(request);
    let host = match uri.authority() {
        Some(authority) => authority.as_str().rsplit('@').next().unwrap_or_default(),
        None => host_header(request.headers())?,
    };
    let url = [uri.scheme_str().unwrap_or("http"), "://", host, uri.path()].concat();
    // A path may hold a token.
    Some(filter_text(&url).into_owned())
}

#[cfg(feature = "axum")]
fn matched_route<B>(request: &Request<B>) -> Option<&str> {
    use axum::extract::MatchedPath;
    request.extensions().get::<MatchedPath>().map(MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_route<B>(_request: &Request<B>) -> Option<&str> {
    None
}

/// The target as it came: a nested router sees it without the prefix it is nested under.
#[cfg(feature = "axum")]
fn target<B>(request: &Request<B>) -> &Uri {
    use axum::extract::OriginalUri;
    request.extensions().get::<OriginalUri>().map_or(request.uri(), |OriginalUri(uri)| uri)
}

#[cfg(not(feature = "axum"))]
fn target<B>(request: &Request<B>) -> &Uri {
    request.uri()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_where_the_request_went_and_nothing_private() {
        let rows = [
            (
                "/carts/7?token=secret",
                Some("shop.test:80"),
                Some("http://shop.test:80/carts/7"),
                "by its host",
            ),
            ("/carts/7", None, None, "nobody knows the host"),
            ("/carts/7", Some("ada:pw@shop.test"), None, "not a host"),
            (
                "/verify/eyJhbGciOiJub25lIn0.c2VjcmV0.c2ln",
                Some("shop.test"),
                Some("http://shop.test/verify/[Filtered]"),
                "a token in its path",
            ),
            ("https://ada:pw@shop.test/a?b#c", Some("other"), Some("https://shop.test/a"), "absolute"),
        ];
        for (uri, host, expected, reason) in rows {
            let mut request = Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let request = request.body(()).unwrap();
            assert_eq!(url(&request).as_deref(), expected, "{reason}");
        }
    }

    #[test]
    fn a_request_without_a_route_is_named_by_its_path() {
        let rows = [
            ("PUT", "/carts/7?full=1", "PUT /carts/7"),
            ("X7", "/carts/7", "HTTP /carts/7"),
            ("CONNECT", "db.internal:5432", "CONNECT"),
        ];
        for (method, uri, expected) in rows {
            let name = Name::of(&Request::builder().method(method).uri(uri).body(()).unwrap());
            assert_eq!((&*name.text, name.is_route), (expected, false));
        }
    }
}
