//! tonic's metadata as a carrier, and its servers behind the layer.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::convert::Infallible;

use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, current_span};
use sentrace_tower::SentryTracingLayer;
use tonic::body::Body;
use tonic::metadata::{AsciiMetadataKey, MetadataMap};
use tower::{Layer, ServiceExt, service_fn};

fn recording() -> (Client, std::sync::Arc<Capture>) {
    Capture::client(Options::new().traces_sample_rate(1.0)).unwrap()
}

/// As an interceptor of a tonic client does it.
fn inject(client: &Client) -> (MetadataMap, sentrace_core::TraceHeaders) {
    let transaction = client.start_transaction("work", "task");
    let headers = transaction.trace_headers().unwrap();
    let mut metadata = MetadataMap::new();
    for (name, value) in headers.clone() {
        metadata.insert(AsciiMetadataKey::from_static(name), value.parse().unwrap());
    }
    (metadata, headers)
}

#[test]
fn metadata_is_a_carrier_as_it_is() {
    let (client, _) = recording();
    let (metadata, sent) = inject(&client);
    let request = tonic::Request::from_parts(metadata, tonic::Extensions::default(), ());
    let trace = client.continue_trace(request.metadata().as_ref());
    assert_eq!(trace.trace_headers(), Some(sent), "without a copy of it");
}

#[tokio::test]
async fn a_grpc_request_is_continued_by_the_layer() {
    let (client, capture) = recording();
    let (metadata, sent) = inject(&client);
    capture.take();
    let service = service_fn(|_: http::Request<Body>| async {
        current_span().set_data("rpc.system.name", "grpc");
        Ok::<_, Infallible>(tonic::Status::not_found("no such order").into_http::<Body>())
    });
    let mut request = http::Request::post("/shop.Orders/Get").body(Body::empty()).unwrap();
    *request.headers_mut() = metadata.into_headers();
    let layer = SentryTracingLayer::new().client(client);
    let response = layer.layer(service).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "5");
    drop(response);
    let trace = capture.take().remove(0).transaction.trace;
    assert_eq!(trace.trace_id, sent.sentry_trace().trace_id);
    assert_eq!(trace.parent_span_id, Some(sent.sentry_trace().span_id));
    assert!(trace.data.get("rpc.system.name").is_some());
}
