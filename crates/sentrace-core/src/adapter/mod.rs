//! The API for adapters to HTTP servers, HTTP clients, queues and other instrumentation. Services do not need it.

pub use crate::call::call_span::CallSpan;
#[cfg(feature = "http")]
pub use crate::call::inject::{inject, inject_headers};
pub use crate::call::outgoing_call::OutgoingCall;
#[cfg(feature = "http")]
pub use crate::call::provenance::{has_trace_headers, remove_trace_headers};
pub use crate::handle::arrival::{Arrival, ArrivingRequest};
pub use crate::record::HeaderRecorder;
pub use crate::record::outgoing_request::OutgoingRequest;
pub use crate::record::request_parts::RequestParts;
pub use crate::record::response_parts::ResponseParts;
pub use crate::trace::incoming::Incoming;
pub use crate::util::clock::Moment;
pub use crate::util::hook::{guarded, in_hook, run_hook};
pub use crate::util::inside::{Around, Inside};
