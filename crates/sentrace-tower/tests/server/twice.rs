//! The layer, applied twice.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use sentrace_tower::SentryTracingLayer;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Always, SENTRY_TRACE, Server, get, layer, only, recording};

/// Calls the service inside on another task, as tower's `Buffer` or `SpawnReady` do it.
fn across_a_task<S>(inner: S) -> impl Service<Request<Empty<Bytes>>, Response = S::Response, Error = S::Error>
where
    S: Service<Request<Empty<Bytes>>, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
{
    service_fn(move |request: Request<Empty<Bytes>>| {
        let mut inner = inner.clone();
        async move { tokio::spawn(async move { inner.call(request).await }).await.unwrap() }
    })
}

#[tokio::test]
async fn two_layers_open_one_transaction() {
    let (layer, capture) = layer();
    let server = Server::start(layer.layer(layer.layer(Always::ok()))).await;
    server.ask(&format!("GET /x HTTP/1.1\r\nHost: shop.test\r\nsentry-trace: {SENTRY_TRACE}\r\n")).await;
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.name, "GET /x");
}

#[tokio::test]
async fn two_layers_open_one_transaction_though_a_task_lies_between_them() {
    let (layer, capture) = layer();
    let inner = layer.layer(Always::ok());
    layer.layer(across_a_task(inner)).oneshot(get("/x")).await.map(drop).unwrap();
    only(capture.take());
}

#[tokio::test]
async fn an_outer_layer_that_finds_no_client_leaves_the_request_to_the_inner_one() {
    let (client, capture) = recording();
    let inner = SentryTracingLayer::new().client(client).layer(Always::ok());
    // This test binary binds no global client.
    SentryTracingLayer::new().layer(inner).oneshot(get("/x")).await.map(drop).unwrap();
    only(capture.take());
}

#[tokio::test]
async fn a_request_that_the_handler_makes_anew_is_another_request() {
    let (layer, capture) = layer();
    let behind = layer.layer(Always::ok());
    let gateway = service_fn(move |_: Request<Empty<Bytes>>| {
        let behind = behind.clone();
        async move {
            behind.oneshot(get("/behind")).await.map(drop).unwrap();
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    layer.layer(gateway).oneshot(get("/front")).await.map(drop).unwrap();
    let names: Vec<_> = capture.take().into_iter().map(|captured| captured.transaction.name).collect();
    assert_eq!(names, ["GET /behind", "GET /front"]);
}

#[tokio::test]
async fn among_several_layers_a_request_that_goes_on_with_the_headers_that_came_is_another_request() {
    let (layer, capture) = layer();
    let several = [SentryTracingLayer::new(), SentryTracingLayer::new()];
    let behind = layer.layer(Always::ok());
    let gateway = service_fn(move |request: Request<Empty<Bytes>>| {
        let mut on = get("/behind");
        *on.headers_mut() = request.headers().clone();
        let behind = behind.clone();
        async move {
            behind.oneshot(on).await.map(drop).unwrap();
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut came = get("/front");
    came.headers_mut().insert("sentry-trace", SENTRY_TRACE.parse().unwrap());
    layer.layer(gateway).oneshot(came).await.map(drop).unwrap();
    drop(several);
    let names: Vec<_> = capture.take().into_iter().map(|captured| captured.transaction.name).collect();
    assert_eq!(names, ["GET /behind", "GET /front"]);
}

#[tokio::test]
async fn several_layers_open_one_transaction_though_a_task_lies_between_them() {
    let (client, capture) = recording();
    let inner = SentryTracingLayer::new().client(client.clone()).layer(Always::ok());
    let mut came = get("/x");
    came.headers_mut().insert("sentry-trace", SENTRY_TRACE.parse().unwrap());
    let outer = SentryTracingLayer::new().client(client);
    outer.layer(across_a_task(inner)).oneshot(came).await.map(drop).unwrap();
    only(capture.take());
}
