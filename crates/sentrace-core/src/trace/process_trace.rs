//! The trace of what runs outside any request.

use sentrace_protocol::{SpanId, TraceId};

use crate::propagation::ids;
use crate::propagation::trace_baggage::TraceBaggage;

/// The trace of what runs outside any request: continued from the environment, or the process's
/// own.
#[derive(Debug)]
pub(crate) struct ProcessTrace {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// The span of the parent process, if the environment names one.
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) sampled: Option<bool>,
    pub(crate) baggage: TraceBaggage,
}

impl ProcessTrace {
    /// Starts a trace in this process.
    pub(crate) fn begin() -> Self {
        Self {
            trace_id: ids::trace_id(),
            span_id: ids::span_id(),
            parent_span_id: None,
            sampled: None,
            baggage: TraceBaggage::default(),
        }
    }
}
