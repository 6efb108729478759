//! `SentryTracingLayer` over real hyper connections where that matters, and by single calls elsewhere.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a test that fails"
)]

mod bodies;
mod continuation;
mod currency;
mod endings;
mod naming;
mod panics;
mod policies;
mod recorded_request;
#[cfg(feature = "axum")]
mod routes;
mod streaming;
mod support;
mod twice;
mod upgrades;
