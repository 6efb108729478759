//! What users hold: spans, transactions, traces, and what is current on a thread.

pub(crate) mod arrival;
pub(crate) mod bridge;
pub mod current;
pub(crate) mod instrumented_span;
pub(crate) mod links;
pub(crate) mod scope;
pub(crate) mod scoped;
pub(crate) mod span;
pub(crate) mod trace;
pub(crate) mod transaction;
pub(crate) mod transaction_of_span;
