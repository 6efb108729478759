//! What all these tests need: a recording client, a hyper server on a socket, a raw HTTP/1.1 client, scripted bodies.

mod answers;
mod script;
mod server;
mod spans;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use sentrace_core::testing::{Capture, Captured};
use sentrace_core::{Client, Options};
use sentrace_tower::SentryTracingLayer;

pub(crate) use self::answers::Always;
pub(crate) use self::script::{Script, Step};
pub(crate) use self::server::Server;
pub(crate) use self::spans::{SetsDataOnDrop, captured_json, data, duration, number, time_to_first_byte};
pub(crate) use self::wire::{Answer, Wire};

/// No wait of these tests takes longer, whatever goes wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An incoming trace: sampled, with its head's dynamic sampling context.
pub(crate) const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT_ID: &str = "b7ad6b7169203331";
pub(crate) const SENTRY_TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

/// A client that samples everything, and what it records.
pub(crate) fn recording() -> (Client, Arc<Capture>) {
    recording_with(Options::new().traces_sample_rate(1.0))
}

pub(crate) fn recording_with(options: Options) -> (Client, Arc<Capture>) {
    Capture::client(options).expect("the options of a test are right")
}

/// The layer of most tests, and what it records.
pub(crate) fn layer() -> (SentryTracingLayer, Arc<Capture>) {
    let (client, capture) = recording();
    (SentryTracingLayer::new().client(client), capture)
}

/// The only transaction; more or fewer fail the test.
pub(crate) fn only(mut captured: Vec<Captured>) -> Captured {
    assert_eq!(captured.len(), 1, "exactly one transaction: {captured:#?}");
    captured.remove(0)
}

pub(crate) fn get(uri: &str) -> Request<Empty<Bytes>> {
    Request::get(uri).body(Empty::new()).expect("the URIs of tests are right")
}

/// Fails the test instead of hanging it.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes no ten seconds")
}
