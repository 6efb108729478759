//! The API for adapters to HTTP servers, HTTP clients, queues and other instrumentation. Services
//! do not need it.

mod handler_error;
#[cfg(feature = "http")]
mod head;
mod macros;

pub use self::handler_error::HandlerError;
#[cfg(feature = "http")]
pub use self::head::{HttpHead, matched_route};
pub use crate::call::call_span::CallSpan;
pub use crate::call::outgoing_call::OutgoingCall;
#[cfg(feature = "http")]
pub use crate::call::provenance::{has_trace_headers, remove_trace_headers};
pub use crate::handle::arrival::{Arrival, ArrivingRequest};
pub use crate::handle::current;
pub use crate::handle::instrumented_span::InstrumentedSpan;
#[doc(hidden)]
pub use crate::inner_accessors;
pub use crate::propagation::outgoing::PropagationTargets;
pub use crate::record::HeaderRecorder;
pub use crate::record::outgoing_request::OutgoingRequest;
pub use crate::record::request_parts::RequestParts;
pub use crate::record::response_parts::ResponseParts;
pub use crate::trace::incoming::IncomingTrace;
pub use crate::util::clock::FastInstant;
pub use crate::util::hook::{catch_panic, in_hook, run_hook};
pub use crate::util::inside::{Around, Inside};
pub use crate::util::text::write_bounded;
