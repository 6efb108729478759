//! The layer, over real subscribers, servers and databases.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod context;
mod database;
mod errors;
mod fields;
mod hooks;
mod layers;
mod logs;
mod parents;
mod secrets;
mod server;
mod statements;
mod support;
mod times;
mod transactions;
