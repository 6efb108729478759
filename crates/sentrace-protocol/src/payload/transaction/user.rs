//! On whose behalf a service worked.

use std::net::IpAddr;

use serde::Serialize;

/// Who sent the request that a transaction answered.
///
/// Sentry SDK specification, *User Interface*. What names a person is recorded where somebody has asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The address of the client, not that of a proxy in between.
    pub ip_address: IpAddr,
}

impl User {
    /// Creates the user at this address.
    pub fn new(ip_address: IpAddr) -> Self {
        Self { ip_address }
    }
}
