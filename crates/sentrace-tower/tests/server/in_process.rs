//! Requests that a service sends to a router of its own process: each has one transaction, in the trace that is current.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{any, get};
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Options, TraceLifecycle, in_span};
use sentrace_protocol::SpanStatus;
use sentrace_tower::{SentryClientLayer, SentryTracingLayer};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{PARENT_ID, SENTRY_TRACE, TRACE_ID, layer, only, recording, recording_with};

fn request(uri: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::builder().uri(uri).body(Body::empty()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

async fn send<S, B>(service: S, request: Request)
where
    S: Service<Request, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let answer = service.oneshot(request).await.unwrap();
    answer.into_body().collect().await.unwrap();
}

fn users(layer: &SentryTracingLayer) -> Router {
    Router::new().route("/users/{id}", any(async || "user")).layer(layer.clone())
}

/// What a handler copies from its own request into those that it sends.
#[derive(Debug, Clone, Copy)]
enum Copied {
    Nothing,
    Headers,
    Extensions,
    Both,
}

/// Two requests below one, and what was recorded: the batch last.
async fn batch(
    outer: SentryTracingLayer,
    inner: &SentryTracingLayer,
    incoming: &[(&'static str, &str)],
    copied: Copied,
) {
    let users = users(inner);
    let handler = async move |own: Request| {
        for id in 0..2 {
            let mut one = request(&format!("/users/{id}"), &[]);
            if matches!(copied, Copied::Headers | Copied::Both) {
                *one.headers_mut() = own.headers().clone();
            }
            if matches!(copied, Copied::Extensions | Copied::Both) {
                *one.extensions_mut() = own.extensions().clone();
            }
            send(users.clone(), one).await;
        }
    };
    send(Router::new().route("/batch", get(handler)).layer(outer), request("/batch", incoming)).await;
}

fn assert_one_trace(captured: &[CapturedTransaction], context: &str) {
    let names: Vec<_> = captured.iter().map(|captured| &*captured.transaction.name).collect();
    let [first, second, "GET /batch"] = names[..] else { panic!("{context}: {names:?}") };
    // axum adds the route to one that was copied among the extensions.
    assert!(first.ends_with("/users/{id}") && second.ends_with("/users/{id}"), "{context}: {names:?}");
    let batch = &captured[2].transaction.trace;
    for one in &captured[..2] {
        let one = &one.transaction.trace;
        assert_eq!(one.trace_id, batch.trace_id, "{context}");
        assert_eq!(one.parent_span_id, Some(batch.span_id), "{context}");
    }
}

#[tokio::test]
async fn requests_of_a_batch_are_transactions_below_it_whatever_they_copy() {
    let foreign = "771a43a4192642f0b136d5159a501700-b7ad6b7169203331-0";
    let incoming: [(&[(&str, &str)], &str); 5] = [
        (&[], "no caller"),
        (&[("sentry-trace", SENTRY_TRACE)], "a caller"),
        (&[("sentry-trace", SENTRY_TRACE), ("baggage", "sentry-release=front")], "a caller with its context"),
        (&[("sentry-trace", "nonsense")], "what cannot be used"),
        (&[("sentry-trace", foreign)], "a caller that decided against"),
    ];
    for (headers, caller) in incoming {
        for copied in [Copied::Nothing, Copied::Headers, Copied::Extensions, Copied::Both] {
            for (trust, several) in [(true, false), (true, true), (false, false), (false, true)] {
                let context = format!("{caller}, {copied:?}, trusted {trust}, several layers {several}");
                let (client, capture): (Client, Arc<Capture>) = recording();
                let outer = SentryTracingLayer::new().client(client.clone()).trust_incoming(trust);
                let inner = if several { SentryTracingLayer::new().client(client) } else { outer.clone() };
                batch(outer, &inner, headers, copied).await;
                let captured = capture.take();
                if trust && caller == "a caller that decided against" {
                    assert_eq!(captured.len(), 0, "{context}");
                    continue;
                }
                assert_one_trace(&captured, &context);
                let continued = captured[2].transaction.trace.trace_id.to_string() == TRACE_ID;
                assert_eq!(
                    continued,
                    trust && headers.first().is_some_and(|(_, value)| *value == SENTRY_TRACE),
                    "{context}"
                );
            }
        }
    }
}

#[tokio::test]
async fn streamed_batches_are_one_trace_too() {
    let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream);
    let (client, capture) = recording_with(options);
    let layer = SentryTracingLayer::new().client(client);
    batch(layer.clone(), &layer, &[("sentry-trace", SENTRY_TRACE)], Copied::Both).await;
    let spans = capture.take_spans();
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| span.span.trace_id.to_string() == TRACE_ID));
}

#[tokio::test]
async fn a_request_goes_on_below_the_span_that_is_current_or_that_called_it() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client.clone());
    let users = users(&layer);
    let called = SentryClientLayer::new().client(client).layer(users.clone());
    let handler = async move || {
        in_span("task", "look it up", send(users, request("/users/0", &[]))).await;
        let onward = request("http://127.0.0.1/users/1", &[]);
        called.oneshot(onward).await.unwrap().into_body().collect().await.unwrap();
    };
    send(Router::new().route("/batch", get(handler)).layer(layer), request("/batch", &[])).await;
    let captured = capture.take();
    let batch = &captured[2].transaction;
    let [looked_up, call] = &batch.spans[..] else { panic!("{batch:#?}") };
    assert_eq!(captured[0].transaction.trace.parent_span_id, Some(looked_up.span_id));
    assert_eq!(captured[1].transaction.trace.parent_span_id, Some(call.span_id), "the client layer's span");
    assert_eq!(captured[1].transaction.trace.trace_id, batch.trace.trace_id);
}

#[tokio::test]
async fn a_request_below_another_transaction_belongs_to_its_trace() {
    let (client, capture) = recording();
    let users = users(&SentryTracingLayer::new().client(client.clone()));
    let job = client.start_transaction("nightly", "queue.task");
    job.scope(send(users.clone(), request("/users/0", &[]))).await;
    job.finish();
    // Outside of a transaction, the caller counts.
    send(users, request("/users/1", &[("sentry-trace", SENTRY_TRACE)])).await;
    let captured = capture.take();
    assert_eq!(captured[0].transaction.trace.trace_id, captured[1].transaction.trace.trace_id);
    assert_eq!(captured[0].transaction.trace.parent_span_id, Some(captured[1].transaction.trace.span_id));
    assert_eq!(captured[2].transaction.trace.parent_span_id.unwrap().to_string(), PARENT_ID);
}

#[tokio::test]
async fn a_handlers_own_transaction_does_not_hide_that_a_request_is_another_one() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client.clone());
    let users = users(&layer);
    let handler = async move |headers: HeaderMap| {
        let mut onward = request("/users/0", &[]);
        *onward.headers_mut() = headers;
        client.start_transaction("part", "task").scope(send(users, onward)).await;
    };
    let app = Router::new().route("/batch", get(handler)).layer(layer);
    send(app, request("/batch", &[("sentry-trace", SENTRY_TRACE)])).await;
    let captured = capture.take();
    let names: Vec<_> = captured.iter().map(|captured| &*captured.transaction.name).collect();
    assert_eq!(names, ["GET /users/{id}", "part", "GET /batch"]);
    assert_eq!(captured[0].transaction.trace.parent_span_id, Some(captured[1].transaction.trace.span_id));
}

/// The same request, from layer to layer.
#[tokio::test]
async fn a_request_that_passes_two_layers_has_one_transaction_whatever_lies_between() {
    let headers: [&[(&str, &str)]; 2] = [&[], &[("sentry-trace", SENTRY_TRACE)]];
    for incoming in headers {
        for several in [false, true] {
            let (client, capture) = recording();
            let outer = SentryTracingLayer::new().client(client.clone());
            let inner =
                || if several { SentryTracingLayer::new().client(client.clone()) } else { outer.clone() };
            let users = users(&inner());
            let nested = Router::new().nest("/api", users.clone());
            let root =
                Router::new().nest_service("/api", Router::new().route("/", get(async || "")).layer(inner()));
            let added = {
                let users = users.clone();
                service_fn(move |mut request: Request| {
                    for n in 0..20 {
                        let name = http::HeaderName::try_from(format!("x-added-{n}")).unwrap();
                        request.headers_mut().insert(name, http::HeaderValue::from_static("1"));
                    }
                    users.clone().oneshot(request)
                })
            };
            let rewritten = {
                let users = users.clone();
                service_fn(move |mut request: Request| {
                    let path = request.uri().path().trim_end_matches('/').to_owned();
                    *request.uri_mut() = path.parse().unwrap();
                    users.clone().oneshot(request)
                })
            };
            let spawned = {
                let users = users.clone();
                service_fn(move |request: Request| {
                    let users = users.clone();
                    async move { tokio::spawn(users.oneshot(request)).await.unwrap() }
                })
            };
            let handed_on =
                Router::new().fallback(async move |request: Request| users.oneshot(request).await);
            let context = format!("{incoming:?}, several {several}");
            let ask = |path: &str| request(path, incoming);
            send(outer.layer(nested), ask("/api/users/7")).await;
            assert_eq!(only(capture.take()).transaction.name, "GET /api/users/7", "nested: {context}");
            send(outer.layer(root), ask("/api/")).await;
            only(capture.take());
            send(outer.layer(added), ask("/users/7")).await;
            assert_eq!(only(capture.take()).transaction.name, "GET /users/7", "headers are added: {context}");
            send(outer.layer(spawned), ask("/users/7")).await;
            assert_eq!(only(capture.take()).transaction.name, "GET /users/7", "another task: {context}");
            send(outer.layer(handed_on), ask("/users/7")).await;
            assert_eq!(only(capture.take()).transaction.name, "GET /users/7", "by a handler: {context}");
            send(outer.layer(rewritten), ask("/users/7/")).await;
            assert_eq!(only(capture.take()).transaction.name, "GET /users/7/", "rewritten: {context}");
        }
    }
}

#[tokio::test]
async fn requests_of_other_tasks_are_transactions_of_their_own() {
    let (layer, capture) = layer();
    let users = users(&layer);
    let handler = async move || {
        tokio::spawn(send(users, request("/users/0", &[]))).await.unwrap();
    };
    send(Router::new().route("/batch", get(handler)).layer(layer), request("/batch", &[])).await;
    let captured = capture.take();
    assert_eq!(captured.len(), 2);
    assert_eq!(captured[0].transaction.trace.parent_span_id, None, "nothing is current there");
    assert_eq!(captured[1].transaction.trace.status, Some(SpanStatus::Ok));
}
