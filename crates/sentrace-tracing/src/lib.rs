//! `tracing` spans as spans of sentrace, and sqlx's queries as database spans without a line of code.
//!
//! Services use it through the feature `tracing` of the `sentrace` crate, as `sentrace::tracing`.
//!
//! ```
//! use sentrace_core::{Options, testing::Capture};
//! use tracing::{info_span, instrument};
//! use tracing_subscriber::prelude::*;
//!
//! #[instrument(fields(sentry.op = "template"))]
//! fn render(page: u64) {
//!     info_span!("header", height = 80).in_scope(|| { /* .. */ });
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let subscriber = tracing_subscriber::registry().with(sentrace_tracing::layer());
//! # let _default = tracing::subscriber::set_default(subscriber);
//! # #[cfg(any())]
//! subscriber.init(); // once, at the start of the program
//!
//! # let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0))?;
//! # /*
//! let transaction = sentrace::start_transaction("GET /", "http.server"); // or the server layer's
//! # */
//! # let transaction = client.start_transaction("GET /", "http.server");
//! transaction.enter(|| render(7));
//! transaction.finish();
//! # let captured = capture.expect_transaction("GET /");
//! # assert_eq!(captured.expect_span("render").data.get("page"), Some(&7.into()));
//! # captured.expect_span("header");
//! # Ok(())
//! # }
//! ```
//!
//! # What becomes of a span
//! A span that is opened while a transaction is current is a child of the current span; one with an explicit parent is a
//! child of that one, and a root (`parent: None`) belongs to nothing. It lasts from its creation until it is closed, however
//! often and on whatever threads it is entered; if the transaction ends first, until it was last left. While it is
//! entered, it is current: what `in_span`, the client middleware or sqlx start is below it.
//!
//! A span is closed when the last handle to it is dropped, and not everybody drops it in time: the executors of hyper clients give
//! the current span to the task of each connection (hyper-util before 0.1.21), which a pool keeps long after the request that
//! opened it. A span of a millisecond then lasts as long as the connection, or until its transaction ends. Update
//! hyper-util, or open the span inside of what is spawned; the collector's doctor points such spans out.
//!
//! Where there is no transaction nothing happens, unless [`TracingLayer::transactions`] or the field
//! `sentry.transaction` asks for one. In a transaction that is not sampled, spans are counted as lost and nothing is kept.
//!
//! # Fields
//! | field | what it does |
//! |---|---|
//! | `sentry.name`, `otel.name` | the description, or the name of a transaction; otherwise the span's name |
//! | `sentry.op` | the op; otherwise by `db.system`, `http.request.method` with `otel.kind`, `rpc.system`, `messaging.system`, else `default` |
//! | `sentry.status` | the status, as `not_found` |
//! | `otel.status_code` | `ok` or `error`; `otel.status_description` is then `error.message` |
//! | `sentry.transaction` | `true` or a name: a transaction, where there is none |
//! | `sentry.trace`, `sentry.baggage` | a transaction that continues this trace, where there is none |
//! | `db.statement`, `db.query.text` | the description, where no name is given, without literals; see [`sql`](sentrace_protocol::sql) |
//! | `db.system`, `db.system.name` | also whose SQL a statement in the same span is |
//! | `db.query.parameter.*` | nothing but `[Filtered]` |
//! | `tags.*` | a tag |
//! | all others | data: numbers, booleans and text as such, the rest as formatted; of errors the causes, too (`error.chain`) |
//!
//! All may be recorded later ([`Span::record`](tracing::Span::record)), but for those that decide about a transaction.
//!
//! # Secrets
//! `#[instrument]` records every argument of a function, so fields are filtered before they are recorded:
//!
//! - Behind a name on Sentry's denylist (`password`, `api_key`, `authorization`, `session`; see
//!   [`SENSITIVE_TERMS`](sentrace_protocol::sensitive::SENSITIVE_TERMS)) any value but a boolean is `[Filtered]`, also that of a tag.
//! - URLs lose credentials and sensitive parameters, statements their literals, and texts JSON Web Tokens and whatever begins
//!   with `Bearer ` or `Basic `.
//! - Structs, maps and JSON, as `Debug` writes them (`?headers`, `?login`), lose the values of such names:
//!   `Login { user: "eve", password: [Filtered] }`.
//!
//! The same goes for names given by fields, for errors with their causes, and for the message of an `ERROR` event. A secret that
//! neither a name nor its form gives away is recorded: leave it out with `#[instrument(skip(..))]`.
//!
//! An event of level `ERROR` marks the span that it happens in as `internal_error`, with `error.message`.
//!
//! # Queries
//! Every query that sqlx runs, those of `sea-orm` among them, is a `db.query` span: the statement without literals, `db.system`,
//! `db.rows_affected`, `db.rows_returned`, and the time that sqlx measured. It has no status, because sqlx does not tell whether
//! a query succeeded. Pings of a pool are no queries. sqlx tells of queries in events of the target
//! `sqlx::query` at `DEBUG`: let them through (`sqlx::query=debug`), if only to this layer:
//!
//! ```
//! use tracing_subscriber::{filter::LevelFilter, prelude::*};
//!
//! let subscriber = tracing_subscriber::registry()
//!     .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO)) // the log stays short
//!     .with(sentrace_tracing::layer().with_filter(LevelFilter::DEBUG));
//! # drop(subscriber);
//! ```
//!
//! SQLite's queries run on a thread of sqlx, which knows the request by the `tracing` span alone that was entered when the
//! query was sent. Any span will do, also one that is not recorded; `SentryRequestSpanLayer` (feature `tower`) opens one for
//! each request, and [`bound_span`] wherever else one is needed.
//!
//! # Logs
//! [`WithTraceId`] puts the trace's and the span's id into log lines. In JSON the span of `SentryRequestSpanLayer` tells the trace.
//! Formatters of your own ask [`trace_id`] and [`span_id`].

mod bound;
mod config;
mod data;
mod database;
mod entered;
mod error;
mod format;
mod keys;
mod layer;
mod layer_id;
mod layers;
mod naming;
#[cfg(feature = "tower")]
mod request;
mod start;
mod state;
mod text;

use sentrace_core::current_span;
use sentrace_protocol::{SpanId, TraceId};

pub use self::bound::bound_span;
pub use self::config::TracingLayer;
pub use self::format::WithTraceId;
#[cfg(feature = "tower")]
pub use self::request::{RequestSpanBody, RequestSpanFuture, SentryRequestSpan, SentryRequestSpanLayer};

/// The layer as most services want it; see [`TracingLayer`].
pub fn layer() -> TracingLayer {
    TracingLayer::new()
}

/// The id of the trace that is current here, for whoever writes log lines.
pub fn trace_id() -> Option<TraceId> {
    current_span().trace_id()
}

/// The id of the span that is current here, for whoever writes log lines.
pub fn span_id() -> Option<SpanId> {
    current_span().span_id()
}
