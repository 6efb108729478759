//! Prevents web pages of other origins from reading or requesting traces.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::HOST;
use http::{HeaderMap, StatusCode};

/// Serves only requests whose `Host` is an address or this machine's name. With a foreign name that
/// resolves to this machine, a page could circumvent the same-origin policy (DNS rebinding).
///
/// Requests that a page of another site embeds are refused as well: the page could not read the
/// answers, but many large ones at once would take memory. Following a link from such a page is
/// allowed.
pub(super) async fn local(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if !host.is_none_or(is_local) {
        let message = "this host name is not served; open the collector by its address or as localhost\n";
        return (StatusCode::MISDIRECTED_REQUEST, message).into_response();
    }
    if is_embedded(request.headers()) {
        let message = "a page of another site embeds this; open it with a link\n";
        return (StatusCode::FORBIDDEN, message).into_response();
    }
    next.run(request).await
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

/// Returns `true` if a browser reports that a page of another site requests this, other than by
/// navigating to it.
fn is_embedded(headers: &HeaderMap) -> bool {
    let says = |name: &str, word: &str| headers.get(name).is_some_and(|value| value == word);
    says("sec-fetch-site", "cross-site") && !says("sec-fetch-dest", "document")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_served() {
        let table = [
            ("127.0.0.1:8969", true, "an address"),
            ("[::1]:8969", true, "an IPv6 address"),
            ("localhost", true, "the usual name"),
            ("shop.localhost:80", true, "a name that is local by definition"),
            ("rebound.example:8969", false, "a foreign name"),
            ("localhost.example", false, "a foreign name that looks local"),
            ("", false, "no name"),
        ];
        for (host, served, reason) in table {
            assert_eq!(is_local(host), served, "{host}: {reason}");
        }
    }

    #[test]
    fn other_sites_may_link_but_not_embed() {
        let table = [
            (&[][..], false, "no browser"),
            (&[("sec-fetch-site", "none"), ("sec-fetch-dest", "document")], false, "typed"),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "style")], false, "its own stylesheet"),
            (&[("sec-fetch-site", "same-site"), ("sec-fetch-dest", "empty")], false, "another local port"),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")], false, "a link"),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")], true, "an image"),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "empty")], true, "a fetch"),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "iframe")], true, "a frame"),
        ];
        for (fields, embedded, reason) in table {
            let fields = fields
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
            assert_eq!(is_embedded(&fields.collect()), embedded, "{reason}");
        }
    }
}
