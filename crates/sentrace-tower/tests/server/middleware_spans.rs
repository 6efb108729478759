//! What middleware does with a request, as spans.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{current_span, in_span};
use sentrace_protocol::TransactionSpan;
use sentrace_protocol::{SpanId, SpanStatus, Value};
use sentrace_tower::{SentryMiddlewareSpanLayer, SentryTracingLayer};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tower::buffer::BufferLayer;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{Server, get as request, in_time, layer, only, recording};

const MOMENT: Duration = Duration::from_millis(20);

fn root(captured: &CapturedTransaction) -> Option<SpanId> {
    Some(captured.transaction.trace.span_id)
}

fn of_middleware(captured: &CapturedTransaction) -> Vec<&TransactionSpan<'static>> {
    captured.transaction.spans.iter().filter(|span| span.op == "middleware.tower").collect()
}

async fn works_then_hands_on(request: Request, next: Next) -> Response {
    in_span("cache.get", "key of the caller", sleep(MOMENT)).await;
    next.run(request).await
}

async fn handler() -> &'static str {
    in_span("db.query", "SELECT 1", sleep(MOMENT)).await;
    "hello"
}

async fn captured_of(app: Router) -> CapturedTransaction {
    let (layer, capture) = layer();
    let server = Server::start(app.layer(layer)).await;
    server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    server.idle().await;
    only(capture.take())
}

#[tokio::test]
async fn a_span_is_the_middlewares_own_time_with_the_service_inside_beside_it() {
    let app = Router::new()
        .route("/x", get(handler))
        .layer(SentryMiddlewareSpanLayer::new("auth", from_fn(works_then_hands_on)));
    let captured = captured_of(app).await;
    let auth = captured.expect_span("auth");
    assert_eq!(auth.op, "middleware.tower");
    assert_eq!(auth.origin, "auto.middleware.tower");
    assert_eq!(auth.data.get("middleware.name"), Some(&Value::from("auth")));
    assert_eq!(auth.status, Some(SpanStatus::Ok));
    assert_eq!(auth.parent_span_id, root(&captured));
    assert!(auth.timestamp.0 - auth.start_timestamp.0 >= MOMENT);

    let own = captured.expect_span("key of the caller");
    assert_eq!(own.parent_span_id, Some(auth.span_id), "what it starts is below it");
    let inside = captured.expect_span("SELECT 1");
    assert_eq!(inside.parent_span_id, root(&captured), "the service inside is beside it");
    assert!(auth.timestamp <= inside.start_timestamp, "it has ended before");
}

#[tokio::test]
async fn middleware_in_middleware_is_side_by_side_in_order() {
    let app = Router::new()
        .route("/x", get(handler))
        .layer(SentryMiddlewareSpanLayer::new("inner", from_fn(works_then_hands_on)))
        .layer(SentryMiddlewareSpanLayer::new("outer", from_fn(works_then_hands_on)));
    let captured = captured_of(app).await;
    let [outer, inner] = of_middleware(&captured)[..] else { panic!("two spans: {captured:#?}") };
    assert_eq!((outer.description.as_deref(), inner.description.as_deref()), (Some("outer"), Some("inner")));
    assert_eq!((outer.parent_span_id, inner.parent_span_id), (root(&captured), root(&captured)));
    assert!(outer.timestamp <= inner.start_timestamp);
    assert_eq!(captured.expect_span("SELECT 1").parent_span_id, root(&captured));
}

#[tokio::test]
async fn a_stack_of_layers_is_one_middleware() {
    let stack = ServiceBuilder::new()
        .layer(from_fn(works_then_hands_on))
        .layer(from_fn(async |request: Request, next: Next| next.run(request).await));
    let app = Router::new().route("/x", get(handler)).layer(SentryMiddlewareSpanLayer::new("stack", stack));
    let captured = captured_of(app).await;
    assert_eq!(of_middleware(&captured).len(), 1);
    assert_eq!(captured.expect_span("SELECT 1").parent_span_id, root(&captured));
}

#[tokio::test]
async fn a_middleware_that_answers_has_the_status_of_its_answer() {
    let refuse = async |_: Request, _: Next| StatusCode::UNAUTHORIZED;
    let app = Router::new()
        .route("/x", get(handler))
        .layer(SentryMiddlewareSpanLayer::new("auth", from_fn(refuse)));
    let captured = captured_of(app).await;
    assert_eq!(captured.expect_span("auth").status, Some(SpanStatus::Unauthenticated));
    assert_eq!(captured.transaction.spans.len(), 1);
}

#[tokio::test]
async fn the_way_back_is_a_span_of_its_own_where_it_was_asked_for() {
    async fn session(request: Request, next: Next) -> Response {
        let answer = next.run(request).await;
        in_span("db.query", "UPDATE sessions", sleep(MOMENT)).await;
        answer
    }
    for (asked, spans) in [(true, 2), (false, 1)] {
        let layer = SentryMiddlewareSpanLayer::new("session", from_fn(session)).response_span(asked);
        let captured = captured_of(Router::new().route("/x", get(handler)).layer(layer)).await;
        let ways = of_middleware(&captured);
        assert_eq!(ways.len(), spans, "asked: {asked}");
        let parent = if asked { Some(ways[1].span_id) } else { root(&captured) };
        assert_eq!(captured.expect_span("UPDATE sessions").parent_span_id, parent, "asked: {asked}");
        assert_eq!(captured.expect_span("SELECT 1").parent_span_id, root(&captured));
        if asked {
            assert_eq!(ways[1].parent_span_id, root(&captured));
            assert_eq!(ways[1].status, Some(SpanStatus::Ok));
            assert!(ways[1].start_timestamp >= captured.expect_span("SELECT 1").timestamp);
        }
    }
}

#[tokio::test]
async fn a_request_that_is_handed_on_anew_has_what_is_inside_below_the_middleware() {
    let anew = async |_: Request, next: Next| next.run(Request::get("/x").body(Body::empty()).unwrap()).await;
    let app = Router::new()
        .route("/x", get(handler))
        .layer(SentryMiddlewareSpanLayer::new("rewrite", from_fn(anew)));
    let captured = captured_of(app).await;
    let rewrite = captured.expect_span("rewrite");
    let inside = captured.expect_span("SELECT 1");
    assert_eq!(inside.parent_span_id, Some(rewrite.span_id));
    assert!(rewrite.timestamp >= inside.timestamp);
}

#[tokio::test]
async fn a_middleware_that_is_dropped_at_work_was_cancelled() {
    let (layer, capture) = layer();
    let (reached, mut seen) = mpsc::unbounded_channel();
    let stuck = move |_: Request, _: Next| {
        let _ = reached.send(());
        pending::<StatusCode>()
    };
    let app =
        Router::new().route("/x", get(handler)).layer(SentryMiddlewareSpanLayer::new("auth", from_fn(stuck)));
    let server = Server::start(app.layer(layer)).await;
    let mut wire = server.connect().await;
    wire.send("GET /x HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    in_time(seen.recv()).await.unwrap();
    drop(wire);
    server.idle().await;
    assert_eq!(only(capture.take()).expect_span("auth").status, Some(SpanStatus::Cancelled));
}

#[tokio::test]
async fn a_panic_belongs_to_the_middleware_or_to_the_service_inside() {
    async fn panics(_: Request, _: Next) -> Response {
        panic!("a bug of the middleware")
    }
    async fn hands_on(request: Request, next: Next) -> Response {
        next.run(request).await
    }
    async fn panicking_handler() {
        panic!("a bug of the handler")
    }
    let own = Router::new()
        .route("/x", get(handler))
        .layer(SentryMiddlewareSpanLayer::new("auth", from_fn(panics)));
    let inside = Router::new()
        .route("/x", get(panicking_handler))
        .layer(SentryMiddlewareSpanLayer::new("auth", from_fn(hands_on)));
    for (app, status) in [(own, SpanStatus::InternalError), (inside, SpanStatus::Ok)] {
        let captured = captured_of(app.layer(CatchPanicLayer::new())).await;
        assert_eq!(captured.expect_span("auth").status, Some(status));
        assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    }
}

#[tokio::test]
async fn waiting_until_a_limit_lets_the_request_in_is_the_limits_time() {
    let (layer, capture) = layer();
    let (reached, mut seen) = mpsc::unbounded_channel();
    let handler = move || {
        let _ = reached.send(());
        sleep(MOMENT)
    };
    let limit = SentryMiddlewareSpanLayer::new("limit", GlobalConcurrencyLimitLayer::new(1));
    let app = Router::new()
        .route("/x", get(handler))
        .layer(limit)
        .layer(SentryMiddlewareSpanLayer::new(
            "outer",
            from_fn(async |request: Request, next: Next| next.run(request).await),
        ))
        .layer(layer);
    let server = Server::start(app).await;
    let head = "GET /x HTTP/1.1\r\nHost: shop.test\r\n";
    let first = server.ask(head);
    let second = async {
        in_time(seen.recv()).await.unwrap();
        server.ask(head).await
    };
    tokio::join!(first, second);
    server.idle().await;
    let captured = capture.take();
    assert_eq!(captured.len(), 2);
    let time = |at: usize, name| {
        let span = captured[at].expect_span(name);
        span.timestamp.0 - span.start_timestamp.0
    };
    assert!(time(1, "limit") > time(0, "limit") && time(1, "limit") > time(1, "outer"), "{captured:#?}");
    assert_eq!(captured[1].transaction.spans.len(), 2);
}

#[tokio::test]
async fn spans_inside_find_their_transaction_past_a_middleware_on_another_task() {
    let (layer, capture) = layer();
    let inside = service_fn(async |_: http::Request<_>| {
        let recording = current_span().is_recording();
        in_span("db.query", "SELECT 1", async {}).await;
        Ok::<_, Infallible>(http::Response::new(recording.to_string()))
    });
    let service = layer.layer(SentryMiddlewareSpanLayer::new("buffer", BufferLayer::new(8)).layer(inside));
    let server = Server::start(service).await;
    let answer = server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    assert!(answer.contains("true"), "{answer:?}");
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.expect_span("SELECT 1").parent_span_id, root(&captured));
    assert_eq!(captured.expect_span("buffer").status, Some(SpanStatus::Ok));
}

#[tokio::test]
async fn where_nothing_is_recorded_the_middleware_simply_runs() {
    let app = || {
        Router::new()
            .route("/x", get(handler))
            .layer(SentryMiddlewareSpanLayer::new("auth", from_fn(works_then_hands_on)))
    };
    let (client, capture) = recording();
    let unsampled = SentryTracingLayer::new().client(client).sample_rate(0.0);
    for service in [app(), app().layer(unsampled)] {
        let answer = service.oneshot(request("/x")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert!(capture.take().is_empty());
}
