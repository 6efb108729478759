//! Outgoing calls: their spans and their headers.

pub(crate) mod call_span;
pub(crate) mod explain;
#[cfg(feature = "http")]
pub(crate) mod inject;
pub(crate) mod outgoing_call;
#[cfg(feature = "http")]
pub(crate) mod provenance;
