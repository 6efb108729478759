//! HTTP request methods, so that no client can create names.
//!
//! Any token is a valid method, and it is the client that chooses it. Names of transactions and spans contain known
//! methods only; OpenTelemetry's conventions, which Sentry's follow, record the others as [`OTHER`] in
//! `http.request.method` and as they were in `http.request.method_original`.

/// What `http.request.method` says of a method that is not known.
pub const OTHER: &str = "_OTHER";

/// What stands in a name in place of a method that is not known (OpenTelemetry, *HTTP spans*, Name).
pub const OTHER_IN_NAMES: &str = "HTTP";

/// Returns the method if it is one of RFC 9110 or RFC 5789, or `QUERY` of RFC 10008. Methods are case-sensitive: `get` is
/// not known.
///
/// ```
/// use sentrace_protocol::http_method;
///
/// assert_eq!(http_method::known("PATCH"), Some("PATCH"));
/// assert_eq!(http_method::known("patch"), None);
/// ```
#[inline]
#[must_use]
pub fn known(method: &str) -> Option<&'static str> {
    Some(match method {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "CONNECT" => "CONNECT",
        "TRACE" => "TRACE",
        "QUERY" => "QUERY",
        _ => return None,
    })
}

/// Returns what stands for the method in a name: the method itself if it is known, else [`OTHER_IN_NAMES`].
///
/// ```
/// use sentrace_protocol::http_method;
///
/// assert_eq!(http_method::in_names("GET"), "GET");
/// assert_eq!(http_method::in_names("X7"), "HTTP");
/// ```
#[inline]
#[must_use]
pub fn in_names(method: &str) -> &'static str {
    known(method).unwrap_or(OTHER_IN_NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_the_standards_are_known_and_nothing_else_is() {
        for method in
            ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"]
        {
            assert_eq!((known(method), in_names(method)), (Some(method), method));
        }
        for method in ["", "get", "Get", "GET ", "X0", "PROPFIND", "_OTHER", "HTTP", "GETT"] {
            assert_eq!((known(method), in_names(method)), (None, "HTTP"), "{method:?}");
        }
    }
}
