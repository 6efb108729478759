//! A panic of the service ends its transaction as `internal_error`, whoever catches it.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use sentrace_core::current_span;
use sentrace_protocol::{SpanStatus, Value};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{Script, Server, SetsDataOnDrop, Step, get, in_time, layer, number, only};

/// Panics when it is called, before there is a future.
async fn panicking_call(path: &str) -> Result<Response<Full<Bytes>>, Infallible> {
    let _held = SetsDataOnDrop::new();
    panic!("no handler for {path}")
}

#[tokio::test]
async fn nobody_catches_it() {
    let (layer, capture) = layer();
    let server = Server::start(layer.layer(service_fn(|_| panicking_call("/x")))).await;
    let answer = server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    assert_eq!(answer.status(), 0, "the connection ends, as without the layer");
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    assert_eq!(
        captured.transaction.trace.data.get("dropped.in"),
        Some(&Value::from("the transaction")),
        "what the handler held is dropped inside while the stack unwinds"
    );
    assert!(current_span().is_none(), "nothing stays current on the thread");
}

#[tokio::test]
async fn a_layer_outside_catches_it() {
    let (layer, capture) = layer();
    let service = CatchPanicLayer::new().layer(layer.layer(service_fn(|_| panicking_call("/x"))));
    let server = Server::start(service).await;
    assert_eq!(server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await.status(), 500);
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    assert_eq!(captured.transaction.response, None, "the answer is made outside, where we do not see it");
}

#[tokio::test]
async fn a_layer_inside_catches_it() {
    let (layer, capture) = layer();
    let service = layer.layer(CatchPanicLayer::new().layer(service_fn(|_| panicking_call("/x"))));
    let server = Server::start(service).await;
    assert_eq!(server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await.status(), 500);
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    assert_eq!(number(&captured, "http.response.status_code"), Some(500), "an answer like others");
}

#[tokio::test]
async fn the_call_itself_panics() {
    let (layer, capture) = layer();
    let service =
        service_fn(|request: Request<_>| -> std::future::Ready<Result<Response<Full<Bytes>>, Infallible>> {
            let _: &Request<http_body_util::Empty<Bytes>> = &request;
            panic!("no future for {}", request.uri())
        });
    let mut service = layer.layer(service);
    let call = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(service.call(get("/x")))));
    assert!(call.is_err(), "the panic goes on");
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    assert!(current_span().is_none(), "nothing stays current on the thread");
}

#[tokio::test]
async fn the_body_panics() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Script::new([Step::Data("one"), Step::Panic])))
    });
    let server = Server::start(layer.layer(service)).await;
    server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    assert_eq!(number(&captured, "http.response.status_code"), Some(200), "the answer had begun");
}

#[tokio::test]
async fn a_request_that_is_dropped_by_somebody_elses_panic_is_cancelled() {
    let (layer, capture) = layer();
    let service = service_fn(|_| std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>());
    let mut call = Box::pin(layer.layer(service).oneshot(get("/x")));
    let panicking = tokio::spawn(async move {
        let polled_once = std::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        });
        polled_once.await;
        panic!("something beside the call")
    });
    assert!(in_time(panicking).await.is_err());
    assert_eq!(only(capture.take()).transaction.trace.status, Some(SpanStatus::Cancelled));
}

#[tokio::test]
async fn a_panic_of_one_request_leaves_the_next_one_alone() {
    let (layer, capture) = layer();
    let service = service_fn(|request: Request<_>| async move {
        let _: &Request<http_body_util::Empty<Bytes>> = &request;
        assert_ne!(request.uri().path(), "/panics", "a handler's own bug");
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
    });
    let service = CatchPanicLayer::new().layer(layer.layer(service));
    for (path, status) in [("/panics", SpanStatus::InternalError), ("/fine", SpanStatus::Ok)] {
        let response = service.clone().oneshot(get(path)).await.unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(only(capture.take()).transaction.trace.status, Some(status), "{path}");
    }
}
