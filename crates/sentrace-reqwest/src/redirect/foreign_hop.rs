//! A hop that leaves the allowed hosts.

use http::Method;
use reqwest::Url;

/// A hop that the policy approved and that the guard has to send.
pub(crate) struct ForeignHop {
    pub(super) to: Url,
    pub(super) method: Method,
    /// Whether a redirect on the way removed the body.
    pub(super) payload_dropped: bool,
    /// Every URL requested before `to`, never empty.
    pub(super) previous: Vec<Url>,
}
