//! The rules by which incoming traces are continued.

use sentrace_protocol::TraceId;

use crate::diagnostics::explain;

/// The rules by which incoming traces are continued.
#[derive(Debug)]
pub(crate) struct ContinuationRules {
    pub(crate) org_id: Option<String>,
    pub(crate) strict: bool,
    pub(crate) reads_traceparent: bool,
    pub(crate) propagates_traceparent: bool,
    /// Whether rejected traces are explained.
    pub(crate) debug: bool,
}

impl ContinuationRules {
    /// Returns `true` if the caller's organization can make a difference. Looking for it takes a
    /// scan of the baggage.
    pub(crate) fn ask_for_organisation(&self) -> bool {
        self.strict || self.org_id.is_some()
    }

    /// Returns `true` if a trace that was started by this organization may be continued (Sentry SDK
    /// specification, *Trace Propagation* 1.9, `strictTraceContinuation`).
    pub(crate) fn allow(&self, theirs: Option<&str>) -> bool {
        match (theirs, self.org_id.as_deref()) {
            (Some(theirs), Some(ours)) => theirs == ours,
            (None, None) => true,
            _ => !self.strict,
        }
    }

    /// Explains why a trace is not continued, once per organization.
    #[cold]
    pub(crate) fn explain_refusal(&self, trace_id: TraceId, theirs: Option<&str>) {
        let Self { org_id: ours, strict, .. } = self;
        let strictly = if *strict { ", and strict_trace_continuation asks for the same" } else { "" };
        explain(
            "organisation",
            theirs.unwrap_or_default(),
            format_args!(
                "trace {trace_id} is not continued: it comes from organisation {theirs:?}, ours is {ours:?}{strictly}; set \
                 org_id where that is wrong"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_go_on_within_an_organisation() {
        let rows = [
            (Some("1"), Some("1"), false, true, "the same"),
            (None, Some("1"), false, true, "theirs is unknown"),
            (Some("1"), None, false, true, "ours is unknown"),
            (None, None, false, true, "both are unknown"),
            (Some("1"), Some("2"), false, false, "different, always refused"),
            (Some("1"), Some("1"), true, true, "the same, strict"),
            (None, Some("1"), true, false, "theirs is unknown, strict"),
            (Some("1"), None, true, false, "ours is unknown, strict"),
            (None, None, true, true, "both are unknown, strict"),
            (Some("1"), Some("2"), true, false, "different, strict"),
        ];
        for (theirs, ours, strict, expected, reason) in rows {
            let rules = ContinuationRules {
                org_id: ours.map(str::to_owned),
                strict,
                reads_traceparent: false,
                propagates_traceparent: false,
                debug: false,
            };
            assert_eq!(rules.allow(theirs), expected, "{reason}");
        }
    }
}
