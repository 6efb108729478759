//! The sender of a transaction.

use serde::{Deserialize, Serialize};

/// A sender: a release of one project, in one environment, on one server.
///
/// Sentry has no service name. [`name`](Service::name) is the first of these that is present:
/// `service.name` in the data of the trace context, the package part of the release
/// (`shop` in `shop@1.4.0`), the server name, and the project (`project 1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Service {
    /// The name.
    pub name: String,
    /// The project it reports to.
    pub project: String,
    /// `release`, as sent.
    pub release: Option<String>,
    /// `environment`, as sent.
    pub environment: Option<String>,
    /// `server_name`, as sent.
    pub server_name: Option<String>,
    /// The number of its transactions in the trace.
    pub transactions: usize,
}
