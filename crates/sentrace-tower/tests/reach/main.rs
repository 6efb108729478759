//! Calls that leave, calls of gRPC, and requests that stay open, over real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a test that fails"
)]

mod client;
mod gateway;
mod gateways;
mod grpc;
mod hooks;
mod long_lived;
mod support;
