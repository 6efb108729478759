//! The bridge beside the real official client: its transports, its hubs, its panic hook; over sockets of this machine.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod failures;
mod hubs;
mod integration;
mod server;
mod support;
mod transport;
mod unfinished;
