//! Which requests get a transaction, and what hooks may do to a service: nothing.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use sentrace_core::{Client, current_span};
use sentrace_protocol::losses::{Category, Reason};
use sentrace_tower::SentryTracingLayer;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Always, SENTRY_TRACE, TRACE_ID, get, only, recording};

async fn answer(layer: &SentryTracingLayer, service: Always, request: Request<Empty<Bytes>>) {
    let status = service.0;
    let response = layer.layer(service).oneshot(request).await.unwrap();
    assert_eq!(response.status(), status, "the layer changes no answer");
    response.into_body().collect().await.unwrap();
}

fn request(method: Method, uri: &str) -> Request<Empty<Bytes>> {
    let mut request = get(uri);
    *request.method_mut() = method;
    request
}

fn lost(client: &Client, reason: Reason, category: Category) -> u64 {
    let losses = client.losses().peek();
    let found = losses.iter().find(|lost| lost.reason == reason && lost.category == category);
    found.map_or(0, |lost| lost.quantity)
}

#[tokio::test]
async fn methods_that_carry_no_work_of_their_own_may_be_left_out() {
    type SetUp = fn(SentryTracingLayer) -> SentryTracingLayer;
    let rows: [(Method, SetUp, usize, &str); 6] = [
        (Method::OPTIONS, |layer| layer, 0, "preflights are no transactions"),
        (Method::OPTIONS, |layer| layer.trace_options_requests(true), 1, "unless asked for"),
        (Method::HEAD, |layer| layer, 1, "HEAD is one"),
        (Method::HEAD, |layer| layer.trace_head_requests(false), 0, "unless unwanted"),
        (Method::GET, |layer| layer.trace_head_requests(false), 1, "other methods are not concerned"),
        (Method::from_bytes(b"PROPFIND").unwrap(), |layer| layer, 1, "a method that we do not know"),
    ];
    for (method, set_up, expected, reason) in rows {
        let (client, capture) = recording();
        let layer = set_up(SentryTracingLayer::new().client(client.clone()));
        answer(&layer, Always::ok(), request(method, "/x")).await;
        assert_eq!(capture.take().len(), expected, "{reason}");
        assert_eq!(client.losses().peek(), [], "what was never wanted is not lost: {reason}");
    }
}

#[tokio::test]
async fn filtered_requests_leave_no_transaction_and_still_pass_their_trace_on() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client).filter(|head| head.uri().path() != "/health");
    let service = service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(
            current_span().sentry_trace().unwrap().to_string(),
        )))
    });
    let mut health = get("/health");
    health.headers_mut().insert("sentry-trace", http::HeaderValue::from_static(SENTRY_TRACE));
    let response = layer.layer(service).oneshot(health).await.unwrap();
    let carried = response.into_body().collect().await.unwrap().to_bytes();
    assert!(carried.starts_with(TRACE_ID.as_bytes()) && carried.ends_with(b"-1"), "{carried:?}");
    assert_eq!(capture.take().len(), 0);

    answer(&layer, Always::ok(), get("/work")).await;
    only(capture.take());
}

#[tokio::test]
async fn ignored_statuses_are_not_sent_and_counted_with_their_spans() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client.clone()).ignore_statuses([404..=404, 300..=399]);
    for status in [StatusCode::NOT_FOUND, StatusCode::FOUND, StatusCode::PERMANENT_REDIRECT] {
        answer(&layer, Always(status, "none"), get("/x")).await;
        assert_eq!(capture.take().len(), 0, "{status}");
    }
    assert_eq!(lost(&client, Reason::Ignored, Category::Transaction), 3);
    assert_eq!(lost(&client, Reason::Ignored, Category::Span), 3, "each is a span itself");
    for status in [StatusCode::OK, StatusCode::GONE, StatusCode::FORBIDDEN] {
        answer(&layer, Always(status, "some"), get("/x")).await;
        only(capture.take());
    }
}

#[tokio::test]
async fn a_sampler_sees_the_request_and_decides() {
    let (client, capture) = recording();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let layer = SentryTracingLayer::new().client(client).sampler({
        let seen = Arc::clone(&seen);
        move |context| {
            let request = context.request.expect("a server layer has a request");
            let mut tenant = String::new();
            request.for_each_header(&mut |name, value| {
                if name == "x-tenant" {
                    tenant = String::from_utf8_lossy(value).into_owned();
                }
            });
            let parts = [request.method(), request.scheme(), request.host(), request.path()].join(" ");
            let query = request.query().unwrap_or("-").to_owned();
            let line = format!("{} | {} | {parts} {query} {tenant}", context.op, context.name());
            seen.lock().unwrap().push((line, context.parent_sampled, context.parent_sample_rate()));
            if tenant == "loud" { 1.0 } else { 0.0 }
        }
    });
    for (tenant, recorded) in [("loud", 1), ("quiet", 0)] {
        let mut request = request(Method::POST, "https://shop.test:8443/pay?cart=7");
        let headers = request.headers_mut();
        headers.insert("x-tenant", http::HeaderValue::from_static(tenant));
        headers.insert("sentry-trace", http::HeaderValue::from_static(SENTRY_TRACE));
        headers.insert("baggage", http::HeaderValue::from_static("sentry-sample_rate=0.5"));
        answer(&layer, Always::ok(), request).await;
        assert_eq!(capture.take().len(), recorded, "{tenant}");
    }
    let line =
        |tenant: &str| format!("http.server | POST /pay | POST https shop.test:8443 /pay cart=7 {tenant}");
    let expected = [(line("loud"), Some(true), Some(0.5)), (line("quiet"), Some(true), Some(0.5))];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_rate_that_is_none_is_left_out() {
    for nonsense in [1.5, -0.1, f64::NAN, f64::INFINITY] {
        let (client, capture) = recording();
        let layer = SentryTracingLayer::new().client(client).sample_rate(nonsense);
        answer(&layer, Always::ok(), get("/x")).await;
        assert_eq!(capture.take().len(), 1, "{nonsense}: the client's rate decides");
    }
}

#[tokio::test]
async fn hooks_that_panic_cost_nothing() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new()
        .client(client)
        .filter(|_| panic!("filter"))
        .name(|_| panic!("name"))
        .sampler(|_| panic!("sampler"))
        .trust_incoming_if(|_| panic!("trust"));
    answer(&layer, Always::ok(), get("/x")).await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.name, "GET /x");
    assert!(current_span().is_none());
}

#[tokio::test]
async fn an_unsampled_request_is_counted_with_the_spans_it_would_have_had() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client.clone()).sample_rate(0.0);
    let service = service_fn(|_| async {
        for _ in 0..3 {
            current_span().start_span("task", "step").finish();
        }
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    drop(layer.layer(service).oneshot(get("/x")).await.unwrap());
    assert_eq!(capture.take().len(), 0);
    assert_eq!(lost(&client, Reason::SampleRate, Category::Transaction), 1);
    assert_eq!(lost(&client, Reason::SampleRate, Category::Span), 4, "three and itself");
}
