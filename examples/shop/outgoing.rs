//! Settings of all outgoing connections of the shop.

use std::time::Duration;

/// With a timeout and without a proxy, since the whole shop is on this machine.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5))
}
