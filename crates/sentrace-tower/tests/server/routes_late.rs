//! Routes that the router tells after the transaction has begun, and transactions as arguments of handlers.

use std::convert::Infallible;
use std::future::pending;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Options, TraceLifecycle, in_span};
use sentrace_protocol::{SpanStatus, TransactionSource};
use sentrace_tower::{CurrentTransaction, SentryRouteLayer};
use tokio::sync::mpsc;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Server, data, get as request, in_time, layer, only, recording, recording_with};

fn files() -> axum::routing::MethodRouter {
    get(async || "file")
}

/// Every way in which axum puts services together, its routes told from inside.
fn shop() -> Router {
    let things = Router::new()
        .route("/things/{id}", get(async || "thing"))
        .route_layer(SentryRouteLayer::new())
        .fallback(async || StatusCode::NOT_FOUND);
    let nested = Router::new().route("/orders/{id}", get(async || "order"));
    Router::new()
        .route("/users/{id}", get(async || "user"))
        .nest("/api", nested)
        .nest_service("/v2", things)
        .nest_service("/files", SentryRouteLayer::named("/files/{*path}").layer(files()))
        .route_layer(SentryRouteLayer::new())
        .fallback(async || StatusCode::NOT_FOUND)
}

async fn captured_of(late: bool, head: &str) -> CapturedTransaction {
    let (layer, capture) = layer();
    let server = Server::start(layer.late_route(late).layer(shop())).await;
    server.ask(&format!("{head} HTTP/1.1\r\nHost: shop.test\r\n")).await;
    server.idle().await;
    only(capture.take())
}

#[tokio::test]
async fn around_the_router_routes_name_transactions_where_they_are_told() {
    let (route, url) = (TransactionSource::Route, TransactionSource::Url);
    let rows = [
        ("GET /users/7?tab=2", "GET /users/{id}", "GET /users/{id}", route, "a parameter"),
        ("PUT /users/7", "PUT /users/{id}", "PUT /users/{id}", route, "a method that the route has not"),
        ("GET /api/orders/9", "GET /api/orders/{id}", "GET /api/orders/{id}", route, "a nested router"),
        (
            "GET /v2/things/3",
            "GET /v2/things/{id}",
            "GET /v2/things/{id}",
            route,
            "a router as a nested service",
        ),
        ("GET /files/a/b", "GET /files/{*path}", "GET /files/{*path}", route, "a service told by hand"),
        ("GET /nope/abc", "GET", "GET /nope/abc", url, "no route matched"),
        ("GET /api/nope", "GET", "GET /api/nope", url, "none in a nested router"),
        ("GET /v2/nope", "GET", "GET /v2/nope", url, "none in a nested service"),
    ];
    for (head, late_name, name, source, reason) in rows {
        for (late, name) in [(true, late_name), (false, name)] {
            let captured = captured_of(late, head).await;
            assert_eq!(captured.transaction.name, name, "late route {late}: {reason}");
            assert_eq!(captured.transaction.source, source, "late route {late}: {reason}");
            let told = name.split_once(' ').map(|(_, route)| route).filter(|_| source == route_source());
            assert_eq!(data(&captured, "http.route"), told, "late route {late}: {reason}");
            let path = head.split([' ', '?']).nth(1);
            assert_eq!(data(&captured, "url.path"), path, "the path itself is there, too: {reason}");
            let context = captured.dynamic_sampling_context.unwrap();
            assert_eq!(context.get("transaction"), told.map(|_| name), "late route {late}: {reason}");
        }
    }
}

const fn route_source() -> TransactionSource {
    TransactionSource::Route
}

#[tokio::test]
async fn the_route_is_told_though_the_client_goes_away() {
    let (layer, capture) = layer();
    let (reached, mut seen) = mpsc::unbounded_channel();
    let app = Router::new()
        .route(
            "/users/{id}",
            get(async move || {
                let _ = reached.send(());
                pending::<()>().await;
            }),
        )
        .route_layer(SentryRouteLayer::new());
    let server = Server::start(layer.late_route(true).layer(app)).await;
    let mut wire = server.connect().await;
    wire.send("GET /users/7 HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    in_time(seen.recv()).await.unwrap();
    drop(wire);
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.name, "GET /users/{id}");
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Cancelled));
}

/// As tower's `Buffer` does it: the router runs on another task, where nothing is current.
macro_rules! on_another_task {
    ($app:expr) => {{
        let app: Router = $app;
        service_fn(move |request: Request<Body>| {
            let app = app.clone();
            async move {
                let answer = tokio::spawn(app.oneshot(request)).await.unwrap();
                Ok::<Response<Body>, Infallible>(answer.unwrap())
            }
        })
    }};
}

#[tokio::test]
async fn the_route_and_the_transaction_are_found_where_a_task_lies_between() {
    let handler = async |transaction: CurrentTransaction| transaction.set_tag("plan", "gold");
    for (late, name, plan, reason) in [
        (true, "GET /users/{id}", Some("gold"), "the request carries its transaction"),
        (false, "GET /users/7", None, "nothing leads there"),
    ] {
        let (layer, capture) = layer();
        let app = Router::new().route("/users/{id}", get(handler)).route_layer(SentryRouteLayer::new());
        let service = layer.late_route(late).layer(on_another_task!(app));
        let answer = service.oneshot(Request::get("/users/7").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{reason}");
        drop(answer);
        let captured = only(capture.take());
        assert_eq!(captured.transaction.name, name, "{reason}");
        assert_eq!(captured.transaction.tags.get("plan").map(|plan| &**plan), plan, "{reason}");
    }
}

#[tokio::test]
async fn a_chosen_name_stays_and_the_route_is_recorded_beside_it() {
    let (layer, capture) = layer();
    for source in [TransactionSource::Component, TransactionSource::Url, TransactionSource::Route] {
        let named = layer.clone().name(move |_| Some(("checkout".to_owned(), source)));
        let service = named.late_route(true).layer(shop());
        service.oneshot(request("/users/7")).await.map(drop).unwrap();
        let captured = only(capture.take());
        assert_eq!((&*captured.transaction.name, captured.transaction.source), ("checkout", source));
        assert_eq!(data(&captured, "http.route"), Some("/users/{id}"));
    }
}

#[tokio::test]
async fn an_extracted_transaction_is_the_requests_also_inside_a_span() {
    let (layer, capture) = layer();
    let handler = async |transaction: CurrentTransaction| {
        in_span("task", "resolve", async {
            transaction.set_data("cart.items", 3);
            transaction.set_name("query cart", TransactionSource::Custom);
        })
        .await;
    };
    let app = Router::new().route("/graphql", get(handler)).layer(layer);
    app.oneshot(request("/graphql")).await.map(drop).unwrap();
    let captured = only(capture.take());
    assert_eq!(captured.transaction.name, "query cart");
    assert_eq!(captured.transaction.source, TransactionSource::Custom);
    assert!(captured.transaction.trace.data.get("cart.items").is_some());
    assert!(captured.expect_span("resolve").data.get("cart.items").is_none());
}

#[tokio::test]
async fn where_nothing_is_recorded_everything_may_be_asked() {
    let handler = async |transaction: CurrentTransaction| {
        transaction.set_name("nobody will know", TransactionSource::Custom);
        transaction.is_recording().to_string()
    };
    let app = || Router::new().route("/x", get(handler)).route_layer(SentryRouteLayer::new());
    let (client, capture) = recording();
    let unsampled =
        sentrace_tower::SentryTracingLayer::new().client(client).sample_rate(0.0).late_route(true);
    for service in [app(), app().layer(unsampled)] {
        let answer = service.oneshot(request("/x")).await.unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
        assert_eq!(&*body, b"false");
    }
    assert!(capture.take().is_empty());
}

#[tokio::test]
async fn streamed_transactions_are_told_their_route_too() {
    let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream);
    let (client, capture) = recording_with(options);
    let layer = sentrace_tower::SentryTracingLayer::new().client(client).late_route(true);
    layer.layer(shop()).oneshot(request("/users/7")).await.map(drop).unwrap();
    let spans = capture.take_spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].span.name, "GET /users/{id}");
}
