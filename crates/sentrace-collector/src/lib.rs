//! A local Sentry ingest for development, tests and demos.
//!
//! It receives envelopes as Sentry does, reports which of Sentry's rules they break, keeps the most
//! recent traces in bounded memory, assembles them across projects and services, and shows them: as
//! JSON for tests, as a waterfall in the terminal, and as web pages.
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
//! // ... run a service that reports to `collector.dsn("1")`, then:
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
//! Streamed spans (Sentry SDK specification, *Spans* 1.0) are combined: all spans of a segment form
//! one [`Transaction`], which is [`open`](Transaction::open) until the segment span itself has been
//! received.
//!
//! # Endpoints
//!
//! | request | answer |
//! |---|---|
//! | `POST /api/{project}/envelope/` | accepts an envelope (identity, gzip, deflate, br, zstd) |
//! | `POST /stream` | accepts an envelope as Spotlight does, without a project or a key |
//! | `GET /`, `GET /traces/{id}`, `GET /doctor` | the pages |
//! | `GET /api/traces` | [`model::TraceSummary`] of all traces, most recently received first |
//! | `DELETE /api/traces` | discards everything |
//! | `GET /api/traces/{id}` | one [`model::Trace`] |
//! | `GET /api/traces/{id}/doctor` | [`model::Diagnosis`] of the trace, most severe first |
//! | `GET /api/doctor` | the same for all traces, including what they show only together |
//! | `GET /api/reports` | [`model::Reports`]: totals of client reports and of items |
//! | `GET /api/problems` | [`model::ReportedProblem`], oldest first |
//! | `GET /api/counts` | [`model::Counts`] |
//!
//! # Bounds
//!
//! Any web page may post an envelope, as Sentry's browser SDK does, so no input is trusted. An
//! envelope takes at most ten times its size in memory: its JSON is parsed within a budget, and one
//! that needs more is refused with 413. A header line is limited to 16 KiB, and a transaction to
//! 1,000 spans. [`Limits`] bounds what is kept. A client has limited time to send and to read. At
//! most 512 connections are open; the one that has kept the collector waiting the longest is closed
//! to make room for the next. Pages and API are not served to pages of other sites that embed them.
//!
//! # The doctor
//!
//! The doctor reports what is odd in the kept traces although Sentry would accept it: calls that
//! were answered in another trace, missing parents, clocks that disagree, differing contexts and
//! decisions, names that cannot be aggregated, and more. [`model::RemarkKind`] lists all of it,
//! with why it matters and what to do. In a test, [`Collector::remarks`] shows that a service
//! produces no remarks.
//!
//! # Faults
//!
//! [`Collector::set_behaviour`] makes the ingest slow, or makes it answer with any status and rate
//! limit, close or reset the connection, never answer, answer with bytes that are not HTTP, or read
//! slowly: see [`Behaviour`]. The binary has options for the same: `--delay`, `--status`,
//! `--limits`, `--fault` and `--slow-read`.
//!
//! # Differences from Sentry
//!
//! Sentry answers 200 to most envelopes and drops bad items later. The collector refuses such an
//! envelope at once with 400, 403 or 413, a body `{"detail": ..}` and the header `X-Sentry-Error`,
//! and keeps only its [problems](model::Problem). It accepts any key, any project, and transactions
//! of any age.

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
