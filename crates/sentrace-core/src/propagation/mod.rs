//! What is propagated between services: trace headers, the dynamic sampling context, and the hosts
//! that may receive them.
pub(crate) mod continuation_rules;
pub(crate) mod extract;
pub(crate) mod ids;
pub(crate) mod outgoing;
pub(crate) mod received;
pub(crate) mod recent;
pub(crate) mod sample_rand;
pub(crate) mod trace_baggage;
pub(crate) mod trace_headers;
