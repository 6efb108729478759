//! Delivery over real sockets, against an ingest whose answers each test decides.

mod answers;
#[cfg(target_os = "linux")]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod apart;
mod compression;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod connections;
#[expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod conservation;
mod delivers;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod extremes;
mod faults;
mod flush;
mod hook;
mod hook_span;
mod limits;
mod losses;
#[cfg(target_os = "linux")]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod machine;
#[cfg(target_os = "linux")]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod priority;
mod reports;
mod retries;
mod spans;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod spool;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod spotlight;
mod stats;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod support;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod unfinished;
