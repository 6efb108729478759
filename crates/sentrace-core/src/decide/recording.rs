//! What becomes of a transaction's spans.

use sentrace_protocol::Reason;

/// What becomes of a transaction's spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recording {
    /// There is no transaction, or tracing is off: headers only.
    Off,
    /// Decided against: spans are counted as lost for this reason, and headers say so.
    Unsampled(Reason),
    Sampled,
}

impl Recording {
    /// Whether this service takes no part in the trace and hands on what it was given.
    pub(crate) fn passes_through(self) -> bool {
        matches!(self, Self::Off | Self::Unsampled(Reason::Ignored))
    }
}
