//! What the tests of several crates share: recording clients, scripted servers, HTTP by hand.
//!
//! Everything is bounded in time by [`PATIENCE`] and waits for conditions. Whatever goes wrong
//! fails the test.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the servers and clients of tests fail the test that uses them"
)]

pub mod http1;
#[cfg(feature = "http2")]
mod http2;
#[cfg(feature = "ingest")]
mod ingest;
mod recording;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "wire")]
mod wire;

use std::time::Duration;

#[cfg(feature = "http2")]
pub use self::http2::Http2Server;
#[cfg(feature = "ingest")]
pub use self::ingest::{Ingest, Place, Received, Tally};
pub use self::recording::{
    PARENT_ID, SENTRY_TRACE, TRACE_ID, only, record, record_many, recording, recording_with,
};
#[cfg(feature = "serve")]
pub use self::serve::{Server, serve, serve_at, serve_hyper};
#[cfg(feature = "wire")]
pub use self::wire::{Answer, Wire};

/// The limit of every single wait.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Awaits a future for at most [`PATIENCE`].
///
/// # Panics
///
/// Panics if it takes longer.
#[cfg(feature = "wire")]
pub async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes no thirty seconds")
}

/// Waits until a condition holds, for at most [`PATIENCE`].
///
/// # Panics
///
/// Panics if it takes longer.
pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
