//! One trace in this process, from the incoming headers to the hand-over of the record.

pub(crate) mod counters;
pub(crate) mod deliver;
pub(crate) mod explain;
pub(crate) mod finish;
pub(crate) mod finished_span;
pub(crate) mod incoming;
pub(crate) mod open;
pub(crate) mod pipeline;
pub(crate) mod process_trace;
pub(crate) mod recycle;
pub(crate) mod start_span;
pub(crate) mod state;
pub(crate) mod streamed;
