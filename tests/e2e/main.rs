//! Claims about whole systems: several services on real sockets, a real ingest, the facade.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the servers and clients of tests fail the test that uses them"
)]

mod allowlist;
mod concurrency;
mod cors;
mod endings;
mod environment;
mod exit;
mod faulty_ingest;
mod placement;
mod sampling;
mod spawned;
mod streaming;
mod three_services;
