//! What was promised of the specification: that `docs/spec-coverage.md` names tests that exist, and what only the
//! whole can show.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a test that fails"
)]

mod coverage;
mod document;
mod lookup;
mod traceparent;
