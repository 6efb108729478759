//! The promises about the specification: `docs/spec-coverage.md` names existing tests, and
//! properties of the whole workspace.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod conventions;
mod coverage;
mod document;
mod foreign_types;
mod harness;
mod layers;
mod lookup;
mod readme;
mod rust_version;
mod traceparent;
mod vectors;
