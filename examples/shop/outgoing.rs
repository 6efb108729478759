//! What all outgoing connections of the shop have in common.

use std::time::Duration;

/// reqwest speaks TLS through rustls, and rustls wants the program to choose who does the arithmetic.
pub(crate) fn choose_tls_provider() {
    // An error says that somebody has chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Bounded in time, and never through a proxy: all of the shop is on this machine.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5))
}
