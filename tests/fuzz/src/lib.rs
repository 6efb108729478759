//! What must hold for every input of parsers above sentrace-protocol: one module for each, with a `check` that panics when it
//! does not.
//!
//! The targets in `fuzz_targets/` and the replay in `tests/` call the same checks. A new target has a line in [`TARGETS`], a
//! `[[bin]]` in `Cargo.toml`, a file in `fuzz_targets/` and a folder in `corpus/`; `run` finds it by itself.

#![forbid(unsafe_code)]

pub mod allowlist;

/// A target: its name, which is its corpus's too, and its check.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, in alphabetical order.
pub const TARGETS: &[Target] = &[("allowlist", allowlist::check)];
