//! Clients and adapters whose spans are kept.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::{Request, Response, StatusCode};
use sentrace::adapter::{CallSpan, InstrumentedSpan, OutgoingRequest};
use sentrace::protocol::Value;
use sentrace::testing::{Capture, CapturedSpan, CapturedTransaction};
use sentrace::{Client, Options, SentryTracingLayer, TraceLifecycle};
use tower::{Layer as _, ServiceExt as _, service_fn};

pub(super) fn stream() -> Options {
    Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream)
}

pub(super) fn streaming() -> (Client, Arc<Capture>) {
    Capture::client(stream()).unwrap()
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The attribute as text, or nothing.
pub(super) fn text(captured: &CapturedSpan, key: &str) -> String {
    match captured.span.attributes.get(key) {
        Some(Value::Str(text)) => text.to_string(),
        Some(Value::Int(value)) => value.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

#[track_caller]
pub(super) fn expect(captured: &CapturedSpan, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        match *key {
            "name" => assert_eq!(captured.span.name, *value),
            key => assert_eq!(text(captured, key), *value, "{key}"),
        }
    }
}

pub(super) fn segment(spans: Vec<CapturedSpan>) -> CapturedSpan {
    spans.into_iter().find(|captured| captured.span.is_segment).unwrap()
}

/// The name that the dynamic sampling context has.
pub(super) fn name_in_context(captured: &CapturedSpan) -> Option<&str> {
    captured.dynamic_sampling_context.as_ref()?.get("transaction")
}

pub(super) fn request(method: &str, uri: &str) -> http::request::Builder {
    Request::builder().method(method).uri(uri)
}

/// What a request leaves behind in a service that answers so; `route` is axum's.
pub(super) fn serve(
    layer: SentryTracingLayer,
    route: Option<&'static str>,
    request: Request<Body>,
    status: u16,
) {
    let answer = StatusCode::from_u16(status).unwrap();
    run(async {
        let response: Response<_> = match route {
            Some(route) => {
                let app = Router::new().route(route, any(async move || answer)).layer(layer);
                app.oneshot(request).await.unwrap().map(drop)
            }
            None => {
                let service = service_fn(async |_| {
                    Ok::<_, Infallible>(Response::builder().status(answer).body(Body::empty()).unwrap())
                });
                layer.layer(service).oneshot(request).await.unwrap().map(drop)
            }
        };
        assert_eq!(response.status(), answer);
    });
}

/// The segment of a request that is served so.
pub(super) fn served(route: Option<&'static str>, request: Request<Body>, status: u16) -> CapturedSpan {
    let (client, capture) = streaming();
    serve(SentryTracingLayer::new().client(client), route, request, status);
    segment(capture.take_spans())
}

/// The span of a call; code can add to it.
pub(super) fn called(request: &OutgoingRequest<'_>, attributes: &[(&'static str, &str)]) -> CapturedSpan {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    let span = CallSpan::http(&transaction, "auto.http.test", None, request);
    for (key, value) in attributes {
        span.set_data(*key, *value);
    }
    span.finish_with_status_code(200);
    capture.take_spans().remove(0)
}

/// The transaction of a call in static mode.
pub(super) fn called_statically(request: &OutgoingRequest<'_>) -> CapturedTransaction {
    let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
    let transaction = client.start_transaction("work", "task");
    CallSpan::http(&transaction, "auto.http.test", None, request).finish_with_status_code(200);
    transaction.finish();
    capture.take().remove(0)
}

/// The span of an adapter that sets these attributes: for kinds of work that none of ours records.
pub(super) fn instrumented(op: &'static str, attributes: &[(&'static str, &str)]) -> CapturedSpan {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    let attributes: Vec<_> = attributes.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
    let start = InstrumentedSpan::new(op, "auto.test", "a description");
    InstrumentedSpan { attributes: &attributes, ..start }.start(&transaction).finish();
    capture.take_spans().remove(0)
}
