//! Spans that are sent by themselves: from the requests into buckets, one for each trace, and from there into
//! envelopes.
//!
//! ```text
//! requests -> queue -> buckets -> ready batches -> one envelope or more for each
//! ```
//!
//! Sentry SDK specification, *Spans* 1.0, span buffer.

mod batch;
mod buckets;
mod queue;
mod shared;

pub(crate) use self::batch::Batch;
pub(crate) use self::buckets::Buckets;
pub(crate) use self::queue::SpanQueue;
pub(crate) use self::shared::SharedBuckets;
