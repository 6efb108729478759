//! Traces, transactions and spans through the public API, with explicit clients: nothing here is global.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

mod calls;
mod collection;
mod context;
mod decisions;
mod env;
mod extremes;
mod full;
mod hooks;
mod idle;
mod ignored;
mod job;
mod links;
mod personal;
mod propagation;
mod recycling;
mod scope;
mod spans;
mod stats;
mod streamed_names;
mod streaming;
mod support;
mod unsampled;
mod values;
