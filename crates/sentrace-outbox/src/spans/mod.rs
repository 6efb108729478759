//! Streamed spans: from requests into one bucket per trace, and from there into envelopes.
//!
//! ```text
//! requests -> queue -> buckets -> batches that are ready -> one envelope or more each
//! ```
//!
//! Sentry SDK specification, *Spans* 1.0, span buffer.

mod batch;
mod buckets;
mod queue;

pub use self::batch::SpanBatch;
pub use self::buckets::SpanBuckets;
pub(crate) use self::queue::SpanQueue;
