//! Whether a transaction is recorded.

use sentrace_protocol::Reason;

/// Whether a transaction is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recording {
    /// There is no transaction, or tracing is off: trace headers only.
    NotTraced,
    /// Not sampled: spans are counted as lost for this reason, and trace headers have the decision.
    Unsampled(Reason),
    Sampled,
}

impl Recording {
    /// Returns `true` if this service propagates the incoming trace unchanged.
    pub(crate) fn is_passthrough(self) -> bool {
        matches!(self, Self::NotTraced | Self::Unsampled(Reason::Ignored))
    }
}
