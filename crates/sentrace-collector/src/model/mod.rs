//! What was received, as typed values. The JSON API serializes these types.
//!
//! Times are seconds since the Unix epoch (`f64`, microseconds survive), durations are
//! milliseconds.

mod link;
mod outcome;
mod payload;
mod problem;
mod remark;
mod report;
mod service;
mod trace;
mod transaction;

pub use link::SpanLink;
pub use outcome::Outcome;
pub use payload::Payload;
pub use problem::{Problem, ReportedProblem, Severity};
pub use remark::{Complaint, Diagnosis, Remark, RemarkKind};
pub use report::{Counts, Discarded, ItemCount, Reports};
pub use service::Service;
pub use trace::{Mark, Node, Trace, TraceSummary};
pub use transaction::{Span, Transaction};
