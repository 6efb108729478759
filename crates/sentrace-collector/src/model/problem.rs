//! Rules of Sentry that an envelope breaks.

use std::fmt;

use sentrace_protocol::{EventId, TraceId};
use serde::{Deserialize, Serialize};

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Sentry accepts the item, but drops or changes part of it.
    Warning,
    /// Sentry drops the item or the whole envelope. The collector refuses it.
    Error,
}

/// A rule that an envelope breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The severity.
    pub severity: Severity,
    /// The location in the envelope, such as `items[0].contexts.trace.trace_id`.
    pub path: String,
    /// The value, the rule it breaks, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: {}: {}", self.path, self.message)
    }
}

/// A problem with its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportedProblem {
    /// When the envelope was received, in seconds since the Unix epoch.
    pub received_at: f64,
    /// The project it was sent to.
    pub project: String,
    /// The trace it belongs to, if that could be read.
    pub trace_id: Option<TraceId>,
    /// The event it belongs to, if that could be read.
    pub event_id: Option<EventId>,
    /// The problem.
    #[serde(flatten)]
    pub problem: Problem,
}
