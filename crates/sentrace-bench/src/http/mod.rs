//! The server under test, and the one it sends to.

pub mod server;
pub mod sink;
