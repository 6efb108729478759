//! The queue between requests and whatever delivers their traces.
//!
//! Requests push finished transactions and spans from many threads; one consumer takes them out, builds envelopes and
//! sends them. This crate is everything between the two that is the same for every deliverer: it does no I/O and
//! needs no runtime. `sentrace-delivery` and the transport bridge of `sentrace-sentry` are its users; services need
//! neither of its types.
//!
//! ```text
//! requests -> Outbox: Queue, SpanBuckets -> consumer: Consignment, EnvelopeBuilder -> network
//!                |                               |
//!                +----------- Losses <-----------+--> ReportSchedule -> client reports
//! ```
//!
//! | what | type |
//! |---|---|
//! | the handle that both sides share | [`Outbox`] |
//! | what waits, bounded by bytes | [`Queue`], [`SpanBuckets`], [`SpanBatch`] |
//! | what callers ask for: flush and close | [`Requests`], [`End`] |
//! | loss accounting | [`Account`], [`Consignment`], [`Tally`] |
//! | client reports | [`ReportSchedule`] |
//! | envelopes, and hooks before they are built | [`EnvelopeBuilder`], [`Hooks`] |

mod account;
mod budget;
mod consignment;
mod deadline;
mod envelope;
mod hooks;
mod outbox;
mod process;
mod queue;
mod report;
mod requests;
mod spans;
mod sync;
mod tally;

#[cfg(test)]
mod support;

pub use self::account::Account;
pub use self::consignment::Consignment;
pub use self::deadline::{LONGEST_WAIT, deadline};
pub use self::envelope::EnvelopeBuilder;
pub use self::hooks::Hooks;
pub use self::outbox::{Consumer, Outbox};
pub use self::queue::{Asleep, Queue};
pub use self::report::{REPORT_INTERVAL, ReportSchedule};
pub use self::requests::{End, FlushRequest, Requests};
pub use self::spans::{SpanBatch, SpanBuckets};
pub use self::tally::Tally;
