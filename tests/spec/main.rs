//! What was promised of the specification: that `docs/spec-coverage.md` names tests that exist, and what only the
//! whole can show.

mod coverage;
mod document;
mod lookup;
mod traceparent;
