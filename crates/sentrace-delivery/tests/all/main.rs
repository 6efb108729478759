//! Delivery over real sockets, against an ingest whose answers each test decides.

mod delivers;
mod flush;
mod limits;
mod losses;
mod reports;
#[expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod support;
