//! Claims about what runs outside of requests: jobs in a real Redis, and processes of their own. The programs are those
//! of `examples/`, as they are.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a test that fails"
)]

mod apalis;
mod cron;
mod program;
mod redis_server;
mod redis_stream;
mod subprocess;
