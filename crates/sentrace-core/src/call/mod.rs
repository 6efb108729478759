//! Calls that leave the process: their spans, and the headers that they carry.

pub(crate) mod call_span;
pub(crate) mod explain;
#[cfg(feature = "http")]
pub(crate) mod inject;
pub(crate) mod outgoing_call;
#[cfg(feature = "http")]
pub(crate) mod provenance;
