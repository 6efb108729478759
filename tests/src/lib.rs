//! What the end-to-end tests stand on: an ingest, projects that report to it, servers, and a client by hand.
//!
//! Everything is bounded in time by [`PATIENCE`] and waits for conditions.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "the servers and clients of tests fail the test that uses them"
)]

mod http;
mod ingest;
mod project;
mod serve;
pub mod servers;
mod traces;
mod wire;

use std::time::Duration;

pub use self::http::{get, plain_http};
pub use self::ingest::Ingest;
pub use self::project::Project;
pub use self::serve::{serve, serve_hyper};
pub use self::traces::{Assembled, duration_ms};
pub use self::wire::{Answer, Wire};

/// No single wait takes longer, whatever goes wrong.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Fails the test instead of hanging it.
pub async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes no twenty seconds")
}
