//! Distributed tracing for Rust HTTP services, in Sentry's protocol.
//!
//! One layer on an axum, hyper or tower server records a transaction for each request and continues the caller's trace. One
//! middleware on the reqwest client propagates the trace to allowed hosts only. A background thread sends the recorded data to
//! Sentry without delaying requests.
//!
//! ```no_run
//! # #[cfg(all(feature = "axum", feature = "reqwest"))]
//! # mod example {
//! use axum::{Router, extract::{Path, State}, routing::post};
//! use reqwest_middleware::ClientWithMiddleware;
//! use sentrace::{Options, Origin, SentryTracingLayer};
//! use tokio::net::TcpListener;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Reads SENTRY_DSN, SENTRY_TRACES_SAMPLE_RATE and the other variables; code takes precedence. A wrong value
//!     // there is reported and does not stop the service.
//!     let _guard = sentrace::init(
//!         Options::from_env().tracing_origins([Origin::host("api.example.com"), Origin::contains("/internal/")]),
//!     )?; // dropping the guard sends what is left, with a time limit
//!
//!     // The middleware, and a client whose redirects cannot carry trace headers to a foreign host.
//!     let http = sentrace::reqwest::client(reqwest::Client::builder())?.build();
//!
//!     let app = Router::new()
//!         .route("/checkout/{cart}", post(checkout))
//!         .with_state(http)
//!         .layer(SentryTracingLayer::new()); // everything about a request, in one layer
//!
//!     let stop = stop_signal()?;
//!     axum::serve(TcpListener::bind("127.0.0.1:3000").await?, app).with_graceful_shutdown(stop).await?;
//!     Ok(())
//! }
//!
//! async fn checkout(State(http): State<ClientWithMiddleware>, Path(cart): Path<u64>) -> String {
//!     let price = sentrace::in_span("db.query", "SELECT price FROM cart WHERE id = ?", load(cart)).await;
//!     sentrace::current_span().set_data("cart.total", price); // the transaction's span
//!     match http.post("https://api.example.com/pay").send().await { // an http.client span, headers injected
//!         Ok(paid) => paid.status().to_string(),
//!         Err(error) => error.to_string(),
//!     }
//! }
//!
//! /// Ctrl-C, and SIGTERM, which stops a container: the service ends in order, and the guard can send what is left.
//! fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
//!     #[cfg(unix)]
//!     let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
//!     Ok(async move {
//!         #[cfg(unix)]
//!         tokio::select! {
//!             _ = tokio::signal::ctrl_c() => {}
//!             _ = terminated.recv() => {}
//!         }
//!         #[cfg(not(unix))]
//!         let _ = tokio::signal::ctrl_c().await;
//!     })
//! }
//! # async fn load(_: u64) -> f64 { 1.0 }
//! # }
//! ```
//!
//! It needs, besides `sentrace` with the features `axum` and `reqwest`:
//!
//! ```toml
//! axum = "0.8"
//! reqwest = "0.13"
//! reqwest-middleware = "0.5"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "signal"] }
//! ```
//!
//! For other clients there are `SentryClientLayer`, for those that are tower services, such as hyper-util's and tonic's, and
//! `inject`, for any `http::Request`. Server and client layers support gRPC and long-lived connections.
//!
//! Without a framework, [`continue_trace`] reads any carrier, [`start_transaction`] and [`start_span`] record,
//! [`trace_headers`] and [`trace_meta_tags`] propagate the trace, [`mod@job`] does so through queues and [`mod@env`] to
//! subprocesses. Work without a defined beginning and end, such as a session or an event loop, is a
//! [`start_idle_transaction`].
//!
//! # Features
//! `axum`, `http`, `tower`, `reqwest`, `sentry`, `tracing` and `zstd` add API and change nothing else. All are off by default.
//!
//! `delivery` (on by default) adds [`init`], which sends traces to Sentry by itself. Without it, traces can be sent through the
//! official client's transport (`sentry::TransportDeliver`) or through an own [`deliver::Deliver`].
//!
//! `aws-lc` (on by default) and `ring` select the cryptography for TLS to the ingest. In a program that uses rustls with `ring`
//! only, set `default-features = false, features = ["ring", …]`: cargo unifies the features of all crates of a program, and a
//! rustls with two providers cannot choose between them. With `delivery` alone, only `http` DSNs can be used.
//!
//! # Stability
//! This crate follows semantic versioning, except for the modules that expose types of crates below 1.0. They follow those
//! crates: a breaking release there is a minor release here.
//!
//! | module | follows |
//! |---|---|
//! | `tower`, and everything of the feature `axum` | axum 0.8, tower-layer 0.3, tower-service 0.3 |
//! | [`reqwest`], and the items of it at the root | reqwest 0.13, reqwest-middleware 0.5 |
//! | [`sentry`](mod@sentry) | sentry-core 0.49 |
//! | [`tracing`] | tracing 0.1, tracing-subscriber 0.3 |
//! | [`adapter`], [`protocol`] | themselves: they are for adapters and tests |
//!
//! Everything else exposes types of the standard library, of sentrace, of `http` 1 and `http-body` 1, and implements `Stream` of
//! futures-core 0.3. Each crate's manifest lists the foreign types that its API may expose, and a test checks these lists.

#[cfg(feature = "delivery")]
mod guard;
#[cfg(feature = "delivery")]
mod init;
pub mod prelude;

pub use sentrace_core::carriers::{env, job};
pub use sentrace_core::values;
pub use sentrace_core::{
    ActiveLimit, Activity, BeforeSendSpan, BeforeSendTransaction, Client, CloseReport, Collect, Compression,
    ContentCollection, DataCollection, DeliveryStats, IdleOptions, IdleTransaction, IgnoreSpan,
    InCurrentSpan, Options, OptionsError, Origin, PatternError, SamplingContext, Scoped, Span, SpanLink,
    SpanOptions, SpanRef, Spotlight, Stats, Trace, TraceHeaders, TraceLifecycle, Transaction,
    TransactionOptions, adapter, continue_trace, current_span, deliver, diagnostics, finish_idle_transaction,
    get_baggage, get_traceparent, in_span, pop_activity, push_activity, start_idle_transaction,
    start_idle_transaction_with, start_new_trace, start_span, start_transaction, start_transaction_with,
    stats, testing, trace_headers, trace_meta_tags, try_in_span, with_current_span,
};
#[cfg(feature = "http")]
pub use sentrace_core::{inject, inject_headers};
pub use sentrace_protocol as protocol;
pub use sentrace_protocol::{Carrier, SpanStatus, TransactionSource, User, link_type};
#[cfg(feature = "reqwest")]
pub use sentrace_reqwest as reqwest;
#[cfg(feature = "reqwest")]
pub use sentrace_reqwest::{SentryTracingMiddleware, WithTraceHeaders};
#[cfg(feature = "sentry")]
pub use sentrace_sentry as sentry;
#[cfg(feature = "tower")]
pub use sentrace_tower as tower;
#[cfg(feature = "axum")]
pub use sentrace_tower::{CurrentTransaction, SentryRouteLayer};
#[cfg(feature = "tower")]
pub use sentrace_tower::{
    HandlerError, LongLived, SentryClientLayer, SentryCorsLayer, SentryJobLayer, SentryMiddlewareSpanLayer,
    SentryRequestSizeLayer, SentryTracingLayer, TrustedProxies, sentry_headers,
};
#[cfg(feature = "tracing")]
pub use sentrace_tracing as tracing;

#[cfg(feature = "delivery")]
pub use self::guard::Guard;
#[cfg(feature = "delivery")]
pub use self::init::{InitError, client, init};

/// The README's samples, compiled as tests.
#[cfg(all(doctest, feature = "axum", feature = "reqwest"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
