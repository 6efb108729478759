//! What was promised of the specification: that `docs/spec-coverage.md` names tests that exist, and what only the
//! whole can show.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod coverage;
mod document;
mod foreign_types;
mod harness;
mod layers;
mod lookup;
mod readme;
mod rust_version;
mod traceparent;
