//! `SentryTracingLayer` over real hyper connections where that matters, and by single calls elsewhere.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a test that fails"
)]

mod bodies;
#[cfg(feature = "axum")]
mod client_address;
mod continuation;
mod currency;
mod endings;
mod forwarded_url;
#[cfg(feature = "axum")]
mod handler_errors;
mod hooks;
#[cfg(feature = "axum")]
mod in_process;
#[cfg(feature = "axum")]
mod methods;
#[cfg(feature = "axum")]
mod middleware_spans;
mod naming;
mod panics;
mod policies;
mod recorded_request;
#[cfg(feature = "axum")]
mod routes;
#[cfg(feature = "axum")]
mod routes_late;
mod streaming;
mod support;
mod twice;
#[cfg(feature = "axum")]
mod unread;
mod upgrades;
