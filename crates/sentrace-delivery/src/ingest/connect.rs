//! How to connect to the ingest: timeout, proxy, TLS, HTTP version.

use std::time::Duration;

use http::HeaderMap;
use sentrace_core::deliver::DeliverySettings;
use sentrace_protocol::sensitive;
use sentrace_protocol::url::Host;

use super::Reachability;
use crate::StartError;
use crate::error::OnMachine;
use crate::http::{Config, HttpClient, Proxy, Target, tls};

/// For one post, including the connection that it may have to open.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the client for one DSN. `is_local` is `true` if its host is this machine.
pub(super) fn client(
    settings: &DeliverySettings<'_>,
    target: &Target,
    headers: HeaderMap,
    is_local: bool,
    on_machine: OnMachine,
) -> Result<HttpClient, StartError> {
    let proxy = match settings.proxy {
        Some(url) => Some(parse_proxy(url, target)?),
        // The proxy would look for the collector on its own machine.
        None if is_local => None,
        None => Proxy::from_env(target),
    };
    let encrypts = target.is_https() || proxy.as_ref().is_some_and(Proxy::is_https);
    let config = Config {
        tls: tls::config(encrypts, settings.ca_certificates, on_machine)?,
        proxy,
        http2_prior_knowledge: settings.http2_prior_knowledge,
        timeout: TIMEOUT,
        max_idle_connections: Reachability::MAX_POSTS,
    };
    Ok(HttpClient::new(target, headers, config))
}

fn parse_proxy(url: &str, target: &Target) -> Result<Proxy, StartError> {
    Proxy::named(url, target).ok_or_else(|| {
        let shown = sensitive::filter_option(url);
        StartError::new(
            format!("option proxy: {shown:?} is not the URL of a proxy; correct it"),
            "it needs a host, and `http://` or `https://` before it",
        )
    })
}

/// Returns `true` if the host of a URL is this machine.
pub(super) fn is_this_machine(host: &str) -> bool {
    match Host::parse(host) {
        Some(Host::Name(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Address(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use sentrace_core::Options;

    use super::*;

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        let rows = [
            ("localhost", true, "by name"),
            ("app.localhost", true, "names below it"),
            ("127.0.0.1", true, "IPv4"),
            ("127.9.9.9", true, "all of 127/8"),
            ("[::1]", true, "IPv6"),
            ("[::ffff:127.0.0.1]", true, "IPv4 inside IPv6"),
            ("127.1", true, "another spelling"),
            ("LOCALHOST.", true, "in upper case, with the root's dot"),
            ("evil.127.0.0.1", false, "an address has no subdomains"),
            ("o1.ingest.sentry.io", false, "a foreign host"),
            ("notlocalhost", false, "another name"),
            ("10.0.0.1", false, "a neighbour"),
        ];
        for (host, expected, reason) in rows {
            assert_eq!(is_this_machine(host), expected, "{reason}");
        }
    }

    #[test]
    fn an_invalid_proxy_is_reported_without_its_password() {
        let options = Options::new().proxy("http://user:secret@exa mple:3128");
        let target = Target::parse("http://localhost/api/1/envelope/").unwrap();
        let error = client(&options.delivery(), &target, HeaderMap::new(), true, OnMachine::Fail)
            .unwrap_err()
            .to_string();
        assert!(error.contains("option proxy") && !error.contains("secret"), "{error}");
    }
}
