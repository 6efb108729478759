//! Tests of whole processes: how they start, fork and end.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails is a test that fails")]

#[cfg(unix)]
mod fork;
mod guard;
