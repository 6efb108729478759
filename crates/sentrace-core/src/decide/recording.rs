//! What becomes of a transaction's spans.

use sentrace_protocol::Reason;

/// What becomes of a transaction's spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recording {
    /// There is no transaction, or tracing is off: headers only.
    NotTraced,
    /// Decided against: spans are counted as lost for this reason, and headers say so.
    Unsampled(Reason),
    Sampled,
}

impl Recording {
    /// Whether this service takes no part in the trace and hands on what it was given.
    pub(crate) fn is_passthrough(self) -> bool {
        matches!(self, Self::NotTraced | Self::Unsampled(Reason::Ignored))
    }
}
