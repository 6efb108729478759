//! How connections are made: time limits, proxies, TLS, HTTP versions.

use std::time::Duration;

use reqwest::{Client, Proxy, redirect};
use sentrace_core::Options;
use sentrace_protocol::sensitive;

use crate::reach::Reach;
use crate::{StartError, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For one request from its first byte to the answer's last.
const TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
/// A connection that all share must not swallow posts for long after the other side has vanished.
const HTTP2_PING: Duration = Duration::from_secs(10);

/// The client for one DSN; `local` where it names this machine.
pub(crate) fn client(options: &Options, https: bool, local: bool) -> Result<Client, StartError> {
    let mut client = Client::builder()
        .tls_backend_preconfigured(tls::config(https, options.get_ca_certificates())?)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(Reach::MOST)
        .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
        .http2_keep_alive_interval(HTTP2_PING)
        .http2_keep_alive_timeout(HTTP2_PING);
    if options.has_http2_prior_knowledge() {
        client = client.http2_prior_knowledge();
    }
    if let Some(url) = options.get_proxy() {
        let proxy = Proxy::all(url).map_err(|error| {
            let shown = sensitive::split_url(url).without_query.into_owned();
            StartError::new(format!("option proxy: {shown:?} is no URL of a proxy; correct it"), error)
        })?;
        client = client.proxy(proxy);
    } else if local {
        // A proxy would look for the collector on its own machine.
        client = client.no_proxy();
    }
    client.build().map_err(|error| StartError::new("the HTTP client cannot be built", error))
}

/// Whether a host of a URL is the machine that we run on.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        let rows = [
            ("localhost", true, "by name"),
            ("app.localhost", true, "names below it"),
            ("127.0.0.1", true, "IPv4"),
            ("127.9.9.9", true, "all of 127/8"),
            ("[::1]", true, "IPv6"),
            ("o1.ingest.sentry.io", false, "a foreign host"),
            ("notlocalhost", false, "another name"),
            ("10.0.0.1", false, "a neighbour"),
        ];
        for (host, expected, reason) in rows {
            assert_eq!(is_this_machine(host), expected, "{reason}");
        }
    }

    #[test]
    fn a_proxy_that_is_none_is_told_without_its_password() {
        let options = Options::new().proxy("http://user:secret@exa mple:3128");
        let error = client(&options, false, true).unwrap_err().to_string();
        assert!(error.contains("option proxy") && !error.contains("secret"), "{error}");
    }
}
