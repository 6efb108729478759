//! What these tests share: a recording client, and a server that tells what it was sent.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Options, Origin};
use sentrace_protocol::TransactionSpan;
use sentrace_protocol::{Data, Value};
pub(crate) use sentrace_testkit::{PATIENCE, in_time, serve_at as serve};

/// A client that records everything and lets traces go to 127.0.0.1, and what it records.
pub(crate) fn recording() -> (Client, Arc<Capture>) {
    recording_to(Origin::host("127.0.0.1"))
}

pub(crate) fn recording_to(origin: Origin) -> (Client, Arc<Capture>) {
    Capture::client(Options::new().traces_sample_rate(1.0).tracing_origins([origin])).unwrap()
}

/// The only transaction; more or fewer fail the test.
pub(crate) async fn only(capture: &Arc<Capture>) -> CapturedTransaction {
    let capture = Arc::clone(capture);
    let waited = tokio::task::spawn_blocking(move || capture.wait_for(1, PATIENCE));
    let mut captured = waited.await.unwrap();
    assert_eq!(captured.len(), 1, "exactly one transaction: {captured:#?}");
    captured.remove(0)
}

/// The only child span of the only transaction.
pub(crate) fn only_span(captured: &CapturedTransaction) -> &TransactionSpan<'static> {
    let [span] = &captured.transaction.spans[..] else {
        panic!("one span: {:#?}", captured.transaction.spans)
    };
    span
}

pub(crate) fn value<'d>(data: &'d Data<'_>, key: &str) -> Option<&'d Value<'d>> {
    data.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
}

/// Answers `/status/{code}` with that code, and everything else with the trace headers that came, a line each.
pub(crate) async fn echo() -> SocketAddr {
    let status = |axum::extract::Path(code): axum::extract::Path<u16>| async move {
        StatusCode::from_u16(code).unwrap()
    };
    let tell = |headers: HeaderMap| async move {
        let value =
            |name| headers.get(name).map_or("none", |value: &http::HeaderValue| value.to_str().unwrap());
        ["sentry-trace", "baggage", "traceparent"].map(value).join("\n")
    };
    serve(Router::new().route("/status/{code}", axum::routing::get(status)).fallback(tell)).await
}

/// hyper-util's client, as services have it.
pub(crate) fn hyper() -> legacy::Client<HttpConnector, Empty<Bytes>> {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn get(uri: String) -> Request<Empty<Bytes>> {
    Request::get(uri).body(Empty::new()).unwrap()
}

/// The lines of an answer of [`echo`].
pub(crate) async fn lines<B>(response: http::Response<B>) -> Vec<String>
where
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap().lines().map(str::to_owned).collect()
}
