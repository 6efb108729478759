//! Support for the end-to-end tests: an ingest, projects that report to it, and servers.
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
pub mod servers;
mod traces;

pub use sentrace_testkit::{Answer, PATIENCE, Wire, in_time, serve, serve_hyper};

pub use self::http::{get, plain_http};
pub use self::ingest::Ingest;
pub use self::project::Project;
pub use self::traces::{Assembled, duration_ms};
