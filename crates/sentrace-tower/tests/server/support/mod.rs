//! What all these tests need besides the kit: the layer with its client, scripted bodies, data of spans.

mod answers;
mod script;
mod spans;

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use sentrace_core::testing::Capture;
pub(crate) use sentrace_testkit::{
    PARENT_ID, PATIENCE, SENTRY_TRACE, Server, TRACE_ID, Wire, in_time, only, recording, recording_with,
};
use sentrace_tower::SentryTracingLayer;

pub(crate) use self::answers::Always;
pub(crate) use self::script::{Script, Step};
pub(crate) use self::spans::{SetsDataOnDrop, captured_json, data, duration, number, time_to_first_byte};

/// The layer of most tests, and what it records.
pub(crate) fn layer() -> (SentryTracingLayer, Arc<Capture>) {
    let (client, capture) = recording();
    (SentryTracingLayer::new().client(client), capture)
}

pub(crate) fn get(uri: &str) -> Request<Empty<Bytes>> {
    Request::get(uri).body(Empty::new()).expect("the URIs of tests are right")
}
