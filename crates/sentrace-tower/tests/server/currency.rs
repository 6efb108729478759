//! The transaction is current wherever code of the service runs, and nowhere else.

use std::convert::Infallible;
use std::future::pending;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use sentrace_core::current_span;
use sentrace_protocol::{SpanId, SpanStatus, Value};
use tokio::sync::mpsc;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Script, SetsDataOnDrop, Step, get, in_time, layer, only};

#[tokio::test]
async fn call_every_poll_and_every_frame_see_the_transaction() {
    let (layer, capture) = layer();
    let (seen, mut sightings) = mpsc::unbounded_channel::<Option<SpanId>>();
    let (body, mut in_body) = Script::new([Step::Data("one"), Step::Data("two"), Step::Trailers]).watched();
    let mut body = Some(body);
    let service = service_fn(move |_| {
        let seen = seen.clone();
        seen.send(current_span().span_id()).unwrap(); // in `call`
        let body = body.take().unwrap();
        async move {
            for _ in 0..3 {
                seen.send(current_span().span_id()).unwrap();
                tokio::task::yield_now().await;
            }
            Ok::<_, Infallible>(Response::new(body))
        }
    });
    let response = in_time(layer.layer(service).oneshot(get("/x"))).await.unwrap();
    assert!(current_span().is_none(), "not between head and body");
    in_time(response.into_body().collect()).await.unwrap();
    assert!(current_span().is_none(), "not afterwards");

    let expected = Some(only(capture.take()).transaction.trace.span_id);
    for step in ["call", "poll 1", "poll 2", "poll 3"] {
        assert_eq!(sightings.recv().await, Some(expected), "{step}");
    }
    for frame in ["one", "two", "trailers"] {
        assert_eq!(in_body.recv().await, Some(expected), "{frame}");
    }
}

#[tokio::test]
async fn a_call_that_is_never_polled_is_cancelled() {
    let (layer, capture) = layer();
    let service = service_fn(|_| pending::<Result<Response<Full<Bytes>>, Infallible>>());
    let mut service = layer.layer(service);
    drop(service.call(get("/x")));
    assert_eq!(only(capture.take()).transaction.trace.status, Some(SpanStatus::Cancelled));
}

#[tokio::test]
async fn a_body_that_is_never_asked_is_dropped_inside() {
    let (layer, capture) = layer();
    let (body, mut in_body) = Script::new([Step::Data("one")]).watched();
    let mut body = Some(body);
    let service = service_fn(move |_| {
        let body = body.take().unwrap();
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    drop(in_time(layer.layer(service).oneshot(get("/x"))).await.unwrap());
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok), "as the status code says");
    assert_eq!(in_body.recv().await, Some(Some(captured.transaction.trace.span_id)), "dropped inside");
}

#[tokio::test]
async fn what_a_handler_holds_when_it_loses_a_race_ends_inside_its_transaction() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        let _held = SetsDataOnDrop::new();
        pending::<Result<Response<Full<Bytes>>, Infallible>>().await
    });
    let (other_client, other_capture) = crate::support::recording();
    let other = other_client.start_transaction("the one that races", "task");
    let race = other.scope(async {
        tokio::select! {
            biased;
            _ = layer.layer(service).oneshot(get("/x")) => unreachable!("it never answers"),
            () = tokio::task::yield_now() => {}
        }
        current_span().span_id()
    });
    assert_eq!(in_time(race).await, other.span_id(), "the race's own transaction is current again");
    other.finish();

    let cancelled = only(capture.take());
    assert_eq!(cancelled.transaction.trace.status, Some(SpanStatus::Cancelled));
    assert_eq!(cancelled.transaction.trace.data.get("dropped.in"), Some(&Value::from("the transaction")));
    assert_eq!(cancelled.transaction.spans.len(), 1, "the held span belongs to it");
    let other = only(other_capture.take());
    assert_eq!(other.transaction.trace.data.get("dropped.in"), None, "and not to whoever dropped it");
}

#[tokio::test]
async fn requests_that_are_polled_in_turn_never_see_each_other() {
    let (layer, capture) = layer();
    let service = service_fn(|request: Request<http_body_util::Empty<Bytes>>| async move {
        for _ in 0..5 {
            let path = request.uri().path().to_owned();
            current_span().start_span("task", &path).finish();
            tokio::task::yield_now().await;
        }
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let service = layer.layer(service);
    let calls = ["/a", "/b", "/c"].map(|path| service.clone().oneshot(get(path)));
    let [a, b, c] = calls;
    let _ = tokio::join!(a, b, c);
    let captured = capture.take();
    assert_eq!(captured.len(), 3);
    for captured in captured {
        let transaction = captured.transaction;
        assert_eq!(transaction.spans.len(), 5, "{}", transaction.name);
        for span in &transaction.spans {
            assert_eq!(span.parent_span_id, Some(transaction.trace.span_id));
            assert_eq!(transaction.name, format!("GET {}", span.description.as_deref().unwrap()));
        }
    }
}
