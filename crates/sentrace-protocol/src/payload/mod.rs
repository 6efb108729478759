//! What is reported of a service's work.

mod attributes;
mod entries;
pub(crate) mod link;
pub mod source;
pub mod span_name;
pub(crate) mod span_payload;
pub mod span_v2;
pub mod status;
pub mod transaction;
pub mod value;
