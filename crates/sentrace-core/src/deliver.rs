//! The API for deliverers: what takes over finished transactions and spans, and brings them to Sentry. Services do not need
//! it.

pub use crate::account::losses::Losses;
pub use crate::trace::deliver::{Deliver, FinishedTransaction};
pub use crate::trace::finished_span::{DeliverSpans, FinishedSpan};
pub use crate::util::fork::process_id;
