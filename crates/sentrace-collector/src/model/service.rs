//! Who sent a transaction.

use serde::{Deserialize, Serialize};

/// One sender: a release of one project, in one environment, on one server.
///
/// Sentry has no service name. [`name`](Service::name) is the first of these that was sent:
/// `service.name` in the data of the trace context, the package part of the release
/// (`shop` in `shop@1.4.0`), the server name, `project 1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// What to call it.
    pub name: String,
    /// The project it reports to.
    pub project: String,
    /// `release`, as sent.
    pub release: Option<String>,
    /// `environment`, as sent.
    pub environment: Option<String>,
    /// `server_name`, as sent.
    pub server_name: Option<String>,
    /// How many transactions of the trace are its.
    pub transactions: usize,
}
