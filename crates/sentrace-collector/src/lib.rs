//! A local Sentry ingest for development, tests and demos.
//!
//! It takes envelopes as Sentry does, says what Sentry would not like about them, keeps the last
//! traces in bounded memory, assembles them across projects and services, and shows them: as JSON
//! for tests, as a waterfall in the terminal, as web pages.
//!
//! ```no_run
//! use std::time::Duration;
//! use sentrace_collector::{Collector, waterfall};
//!
//! # #[tokio::main]
//! # async fn main() -> std::io::Result<()> {
//! let collector = Collector::start("127.0.0.1:0").await?;
//! println!("send to {}, look at {}", collector.dsn("1"), collector.url());
//!
//! // ... let a service work that reports to `collector.dsn("1")`, then:
//! collector.wait_for(|store| !store.traces().is_empty(), Duration::from_secs(5)).await;
//! for summary in collector.traces() {
//!     if let Some(trace) = collector.trace(summary.id) {
//!         print!("{}", waterfall::render(&trace, waterfall::Options::default()));
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Transactions are read as they are, and spans that come by themselves (Sentry SDK specification, *Spans*
//! 1.0) are put together: those that name one segment are one [`Transaction`], which is
//! [`open`](Transaction::open) until the segment itself has come.
//!
//! # What it serves
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/{project}/envelope/` | takes an envelope (identity, gzip, deflate, br, zstd) |
//! | `POST /stream` | the same as Spotlight has it: without a project or a key |
//! | `GET /`, `GET /traces/{id}`, `GET /doctor` | the pages |
//! | `GET /api/traces` | [`model::TraceSummary`] of all traces, the latest to arrive first |
//! | `DELETE /api/traces` | forgets everything |
//! | `GET /api/traces/{id}` | one [`model::Trace`] |
//! | `GET /api/traces/{id}/doctor` | [`model::Diagnosis`] of what is odd in it, the gravest first |
//! | `GET /api/doctor` | the same for all traces, and for what they show together |
//! | `GET /api/reports` | [`model::Reports`]: sums of client reports and of items |
//! | `GET /api/problems` | [`model::ReportedProblem`], oldest first |
//! | `GET /api/counts` | [`model::Counts`] |
//!
//! # Bounds
//!
//! Any web page may post an envelope, as Sentry's browser SDK does, so nothing that comes is trusted. An envelope takes at
//! most ten times its size in memory: its JSON is parsed within a budget, and one that needs more is refused with 413.
//! A header line has at most 16 KiB, a transaction keeps at most 1,000 spans. What is kept has the limits of [`Limits`].
//! A client has limited time to send and to read, and of 512 connections the one that keeps the collector waiting for
//! longest makes room for the next. Pages and API are not served to pages of other sites that embed them.
//!
//! # The doctor
//!
//! It names what is odd in the traces that are kept, though Sentry would take it: calls that were answered in another
//! trace, parents that never came, clocks that disagree, contexts and decisions that differ, names that do not add up,
//! and more ([`model::RemarkKind`] has all, with why each matters and what to do). In a test,
//! [`Collector::remarks`] proves that a service gives it nothing to say.
//!
//! # Faults
//!
//! [`Collector::set_behaviour`] makes it slow, makes it answer with any status and rate limit, hang up, reset the
//! connection, never answer, answer what is no HTTP, or read slowly: see [`Behaviour`]. The binary has options for the
//! same: `--delay`, `--status`, `--limits`, `--fault` and `--slow-read`.
//!
//! # Where it differs from Sentry
//!
//! Sentry answers 200 to most envelopes and drops bad items later. Here such an envelope is refused
//! at once with 400, 403 or 413, a body `{"detail": ..}` and the header `X-Sentry-Error`, and nothing
//! of it is kept but its [problems](model::Problem). Any key and any project are taken. How old a
//! transaction is does not matter.

mod assemble;
mod behaviour;
mod clock;
mod collector;
mod doctor;
mod facts;
#[cfg(test)]
mod fixture;
mod footprint;
mod guides;
mod ingest;
pub mod model;
mod page;
mod palette;
mod server;
mod shared;
mod store;
pub mod waterfall;

pub use self::behaviour::Behaviour;
pub use self::collector::Collector;
pub use self::model::{Node, Problem, Remark, Trace, TraceSummary, Transaction};
pub use self::store::{Limits, Store};
