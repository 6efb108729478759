//! Bodies that another layer drops before anybody has asked for them say nothing about the client.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use sentrace_protocol::SpanStatus;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Script, Step, data, get as request, layer, number, only};

#[tokio::test]
async fn an_answer_that_another_layer_replaces_counts_by_its_status() {
    let rows = [
        (StatusCode::INTERNAL_SERVER_ERROR, SpanStatus::InternalError, "an error page"),
        (StatusCode::NOT_FOUND, SpanStatus::NotFound, "a page for what is not there"),
        (StatusCode::OK, SpanStatus::Ok, "a conditional request that makes 304 of 200"),
        (StatusCode::SERVICE_UNAVAILABLE, SpanStatus::Unavailable, "a fallback"),
    ];
    for (status, expected, reason) in rows {
        let (layer, capture) = layer();
        let app = Router::new()
            .route("/", get(async move || (status, "the database is gone")))
            .layer(layer)
            .layer(map_response(async |answer: Response| (answer.status(), "sorry").into_response()));
        let answer = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "sorry");
        let captured = only(capture.take());
        assert_eq!(captured.transaction.trace.status, Some(expected), "{reason}");
        assert_eq!(number(&captured, "http.response.status_code"), Some(status.as_u16().into()), "{reason}");
        assert_eq!(number(&captured, "http.response.body.size"), None, "nothing of it went: {reason}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_asks_for_is_no_cancellation_and_one_that_was_asked_is() {
    for (polls, frames, expected, reason) in [
        (0, [Step::Data("one"), Step::Hang], SpanStatus::Ok, "only the status was looked at"),
        (1, [Step::Data("one"), Step::Hang], SpanStatus::Cancelled, "a part was taken"),
        (1, [Step::Hang, Step::Hang], SpanStatus::Cancelled, "somebody waited for the first part"),
    ] {
        let (layer, capture) = layer();
        let mut script = Some(Script::new(frames));
        let service = service_fn(move |_| {
            let body = script.take().unwrap();
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        let mut body = layer.layer(service).oneshot(request("/x")).await.unwrap().into_body();
        for _ in 0..polls {
            let _ = tokio::time::timeout(std::time::Duration::from_millis(5), body.frame()).await;
        }
        drop(body);
        assert_eq!(only(capture.take()).transaction.trace.status, Some(expected), "{reason}");
    }
}

#[tokio::test]
async fn a_layer_outside_that_panics_with_the_answer_fails_the_request() {
    let (layer, capture) = layer();
    let inner =
        layer.layer(service_fn(async |_| Ok::<_, Infallible>(Response::new(Script::new([Step::Hang])))));
    let outside = tokio::spawn(async move {
        let _answer = inner.oneshot(request("/x")).await.unwrap();
        panic!("a layer outside");
    });
    assert!(outside.await.unwrap_err().is_panic());
    assert_eq!(only(capture.take()).transaction.trace.status, Some(SpanStatus::InternalError));
}

#[tokio::test]
async fn a_grpc_answer_that_nobody_reads_has_no_status_of_its_own() {
    let (layer, capture) = layer();
    let service = service_fn(async |_: Request<String>| {
        let answer = Response::builder().header("content-type", "application/grpc");
        Ok::<_, Infallible>(answer.body(Script::new([Step::Data("\0\0\0\0\0"), Step::Hang])).unwrap())
    });
    let call = Request::post("/shop.Orders/Get").header("content-type", "application/grpc");
    drop(layer.layer(service).oneshot(call.body(String::new()).unwrap()).await.unwrap());
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok), "the status code decides");
    assert_eq!(data(&captured, "rpc.response.status_code"), None);
}

#[tokio::test]
async fn an_ignored_status_stays_ignored_though_nobody_reads_the_answer() {
    let (layer, capture) = layer();
    let layer = layer.ignore_statuses([404..=404]);
    let service = service_fn(async |_| {
        let answer =
            Response::builder().status(404).body(http_body_util::Full::new(Bytes::from_static(b"x")));
        Ok::<_, Infallible>(answer.unwrap())
    });
    drop(layer.layer(service).oneshot(request("/x")).await.unwrap());
    assert_eq!(capture.take().len(), 0);
}
