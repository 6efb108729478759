//! Keeps web pages of other origins from reading traces.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::HOST;

/// Serves only requests whose `Host` is an address or this machine's name. A foreign name that
/// resolves to this machine is how a page elsewhere gets around the same-origin rule.
pub(super) async fn local_host(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host.is_none_or(is_local) {
        return next.run(request).await;
    }
    let message = "this host name is not served; open the collector by its address or as localhost\n";
    (StatusCode::MISDIRECTED_REQUEST, message).into_response()
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
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
}
