//! Name and URL of a request. They are copied, since a shared handle would keep the whole head alive.

use sentrace_core::adapter::HttpHead;
use sentrace_protocol::http_method;
use sentrace_protocol::sensitive::filter_text;
use sentrace_protocol::url::host_header;

/// The name of a request, like that of its transaction.
pub(super) struct Name {
    pub(super) text: String,
    /// Whether it is the name of a route.
    pub(super) is_route: bool,
}

impl Name {
    pub(super) fn of(head: &HttpHead<'_>) -> Self {
        let path = head.route().unwrap_or(head.uri().path());
        // The target of `CONNECT` has no path.
        let separator = if path.is_empty() { "" } else { " " };
        Self { text: [method_in_names(head), separator, path].concat(), is_route: head.route().is_some() }
    }
}

/// Returns the method, or `HTTP` for an unknown one.
pub(super) fn method_in_names(head: &HttpHead<'_>) -> &'static str {
    http_method::in_names(head.method().as_str())
}

/// Returns the URL without user, query and fragment, if the host is known.
pub(super) fn url(head: &HttpHead<'_>) -> Option<String> {
    let uri = head.uri();
    let host = head.uri_host().or_else(|| host_header(head.headers()))?;
    let url = [uri.scheme_str().unwrap_or("http"), "://", host, uri.path()].concat();
    // A path may contain a token.
    Some(filter_text(&url).into_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;

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
            assert_eq!(url(&HttpHead::of(&request)).as_deref(), expected, "{reason}");
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
            let request = Request::builder().method(method).uri(uri).body(()).unwrap();
            let name = Name::of(&HttpHead::of(&request));
            assert_eq!((&*name.text, name.is_route), (expected, false));
        }
    }
}
