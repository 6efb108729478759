//! What Sentry would not like about an envelope.

use std::fmt;

use sentrace_protocol::{EventId, TraceId};
use serde::{Deserialize, Serialize};

/// How much a problem costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Sentry takes the item, but loses or changes something of it.
    Warning,
    /// Sentry drops the item or the whole envelope. The collector refuses it.
    Error,
}

/// One rule that an envelope breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How much it costs.
    pub severity: Severity,
    /// Where in the envelope, as in `items[0].contexts.trace.trace_id`.
    pub path: String,
    /// The value, the rule it broke, and what to do.
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

/// A problem with where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportedProblem {
    /// When the envelope came, in seconds since the Unix epoch.
    pub received_at: f64,
    /// The project it was sent to.
    pub project: String,
    /// The trace it belongs to, where that could be read.
    pub trace_id: Option<TraceId>,
    /// The event it belongs to, where that could be read.
    pub event_id: Option<EventId>,
    /// What is wrong.
    #[serde(flatten)]
    pub problem: Problem,
}
