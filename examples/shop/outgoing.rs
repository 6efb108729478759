//! What all outgoing connections of the shop have in common.

use std::time::Duration;

/// Bounded in time, and never through a proxy: all of the shop is on this machine.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5))
}
