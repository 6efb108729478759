//! Streaming calls: they end with their stream, as its trailers say.

use std::convert::Infallible;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use sentrace_core::{Client, testing::Capture};
use sentrace_protocol::SpanStatus;
use sentrace_tower::{SentryClientLayer, SentryTracingLayer};
use tonic::Code;
use tower::{Layer, ServiceExt, service_fn};

use super::calls::STATUSES;
use super::orders::{self, Text, connect, path, serve};
use crate::support::{in_time, only, only_span, recording, value};

async fn orders(server: Client, client: &Client) -> orders::Client {
    let address = serve(SentryTracingLayer::new().client(server)).await;
    connect(address, SentryClientLayer::new().client(client.clone())).await
}

#[tokio::test]
async fn every_code_in_trailers_is_its_status_on_both_sides() {
    for code in 0..=16 {
        let ((server, served), (client, called)) = (recording(), recording());
        let mut orders = orders(server, &client).await;
        let transaction = client.start_transaction("test", "task");
        let request = tonic::Request::new(code.to_string());
        let call = orders.server_streaming(request, path("/shop.Orders/Watch"), Text);
        let mut messages = transaction.scope(in_time(call)).await.unwrap().into_inner();
        let ended = loop {
            match in_time(messages.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => break Code::Ok,
                Err(status) => break status.code(),
            }
        };
        transaction.finish();
        assert_eq!(ended, Code::from_i32(code), "what the service sent");
        let expected = STATUSES[usize::try_from(code).unwrap()];
        assert_eq!(only_span(&only(&called).await).status, Some(expected), "client, code {code}");
        assert_eq!(only(&served).await.transaction.trace.status, Some(expected), "server, code {code}");
    }
}

#[tokio::test]
async fn a_call_lasts_as_long_as_its_stream() {
    let ((server, served), (client, called)) = (recording(), recording());
    let mut orders = orders(server, &client).await;
    let transaction = client.start_transaction("test", "task");
    let request = tonic::Request::new("0".to_owned());
    let call = orders.server_streaming(request, path("/shop.Orders/Watch"), Text);
    let mut messages = transaction.scope(in_time(call)).await.unwrap().into_inner();
    let pause = Duration::from_millis(60);
    tokio::time::sleep(pause).await;
    while in_time(messages.message()).await.unwrap().is_some() {}
    transaction.finish();
    let captured = only(&called).await;
    let span = only_span(&captured);
    assert!(span.timestamp.0 - span.start_timestamp.0 >= pause, "the client's span ends with the stream");
    assert_eq!(value(&span.data, "rpc.response.status_code"), Some(&"OK".into()));
    assert!(value(&only(&served).await.transaction.trace.data, "http.response.body.size").is_some());
}

#[tokio::test]
async fn a_stream_that_is_dropped_was_cancelled_on_both_sides() {
    let ((server, served), (client, called)) = (recording(), recording());
    let mut orders = orders(server, &client).await;
    let transaction = client.start_transaction("test", "task");
    let request = tonic::Request::new("0".to_owned());
    let call = orders.server_streaming(request, path("/shop.Orders/Hang"), Text);
    let mut messages = transaction.scope(in_time(call)).await.unwrap().into_inner();
    assert_eq!(in_time(messages.message()).await.unwrap().as_deref(), Some("one"));
    drop(messages);
    transaction.finish();
    assert_eq!(only_span(&only(&called).await).status, Some(SpanStatus::Cancelled));
    assert_eq!(only(&served).await.transaction.trace.status, Some(SpanStatus::Cancelled));
}

#[tokio::test]
async fn a_stream_of_requests_is_one_call() {
    let ((server, served), (client, called)) = (recording(), recording());
    let mut orders = orders(server, &client).await;
    let transaction = client.start_transaction("test", "task");
    let messages = futures_util::stream::iter(["a", "b", "c"].map(str::to_owned));
    let call = orders.client_streaming(tonic::Request::new(messages), path("/shop.Orders/Add"), Text);
    assert_eq!(transaction.scope(in_time(call)).await.unwrap().into_inner(), "3");
    transaction.finish();
    assert_eq!(only_span(&only(&called).await).status, Some(SpanStatus::Ok));
    assert_eq!(only(&served).await.transaction.name, "/shop.Orders/Add");
}

/// What a service answers that speaks gRPC by hand, and what the server layer makes of it.
async fn by_hand(status: u16, trailers: Option<&'static str>, set: Option<SpanStatus>) -> Option<SpanStatus> {
    let (client, capture) = recording();
    let service = service_fn(move |_: Request<String>| async move {
        if let Some(status) = set {
            sentrace_core::current_span().set_status(status);
        }
        let trailers = trailers.map(|status| {
            let fields = [(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static(status))];
            Frame::trailers(HeaderMap::from_iter(fields))
        });
        let data = Frame::data(bytes::Bytes::from_static(b"\0\0\0\0\0"));
        let frames = [data].into_iter().chain(trailers).map(Ok::<_, Infallible>);
        let answer = Response::builder().status(status).header("content-length", 5);
        let content_type = if status == 200 { "application/grpc" } else { "text/plain" };
        let answer = answer.header("content-type", content_type);
        Ok::<_, Infallible>(answer.body(StreamBody::new(futures_util::stream::iter(frames))).unwrap())
    });
    let request = Request::post("/shop.Orders/Get").header("content-type", "application/grpc");
    let layer = SentryTracingLayer::new().client(client);
    let answer = layer.layer(service).oneshot(request.body(String::new()).unwrap()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    status_of(&capture)
}

fn status_of(capture: &Capture) -> Option<SpanStatus> {
    capture.take().remove(0).transaction.trace.status
}

#[tokio::test]
async fn trailers_tell_how_a_call_went_and_their_absence_is_unknown() {
    let rows = [
        (200, Some("0"), None, SpanStatus::Ok, "the usual, after as many bytes as announced"),
        (200, Some("13"), None, SpanStatus::InternalError, "failed after the first message"),
        (200, None, None, SpanStatus::UnknownError, "gRPC without a status"),
        (503, None, None, SpanStatus::Unavailable, "no gRPC answered: a proxy, say"),
        (
            200,
            Some("0"),
            Some(SpanStatus::DataLoss),
            SpanStatus::DataLoss,
            "a handler knows better than `ok`",
        ),
    ];
    for (status, trailers, set, expected, reason) in rows {
        assert_eq!(by_hand(status, trailers, set).await, Some(expected), "{reason}");
    }
}
