//! Requests whose spans are sent by themselves.

use http::StatusCode;
use http_body_util::BodyExt;
use sentrace_core::{Options, TraceLifecycle, start_span};
use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};
use sentrace_protocol::{SpanStatus, Value};
use sentrace_tower::SentryTracingLayer;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Always, PARENT_ID, SENTRY_TRACE, get, recording_with};

fn stream() -> Options {
    Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream)
}

#[tokio::test]
async fn a_request_is_a_segment_with_its_attributes() {
    let (client, capture) = recording_with(stream());
    let layer = SentryTracingLayer::new().client(client);
    let service = layer.layer(service_fn(async |request| {
        start_span("task", "below").finish();
        Always(StatusCode::NOT_FOUND, "gone").oneshot(request).await
    }));
    let mut request = get("https://shop.example/orders/7?page=2");
    request.headers_mut().insert("sentry-trace", http::HeaderValue::from_static(SENTRY_TRACE));
    request.headers_mut().insert("cookie", http::HeaderValue::from_static("session=hunter2"));
    service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    let spans = capture.take_spans();
    assert_eq!(capture.take().len(), 0, "no event");
    let [below, segment] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!(below.span.parent_span_id, Some(segment.span.span_id));
    assert_eq!(segment.span.parent_span_id.map(|id| id.to_string()).as_deref(), Some(PARENT_ID));
    assert!(segment.span.is_segment && !below.span.is_segment);
    assert_eq!(segment.span.name, "GET", "the path is in `url.path`");
    assert_eq!(segment.span.status, SpanStatus::NotFound);
    let told = |key: &str| segment.span.attributes.get(key).cloned();
    assert_eq!(told("sentry.segment.name.source"), Some("url".into()));
    assert_eq!(told("sentry.op"), Some("http.server".into()));
    assert_eq!(told("sentry.origin"), Some("auto.http.tower".into()));
    assert_eq!(told("http.response.status_code"), Some(404.into()));
    assert_eq!(told("url.query"), Some("page=2".into()));
    assert_eq!(told("http.request.header.cookie"), Some(Value::from(vec!["[Filtered]"])));
    assert!(matches!(told("http.request.time_to_first_byte"), Some(Value::Float(_))));
}

#[tokio::test]
async fn a_status_that_is_ignored_takes_the_spans_along_that_still_wait() {
    let (client, capture) = recording_with(stream());
    let layer = SentryTracingLayer::new().client(client.clone()).ignore_statuses([404..=404]);
    let service = layer.layer(service_fn(async |request| {
        start_span("task", "below").finish();
        Always(StatusCode::NOT_FOUND, "gone").oneshot(request).await
    }));
    service.oneshot(get("/x")).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(capture.take_spans().len(), 0);
    let expected = DiscardedEvents { reason: Reason::Ignored, category: Category::Span, quantity: 2 };
    assert_eq!(client.losses().take(), [expected]);
}
