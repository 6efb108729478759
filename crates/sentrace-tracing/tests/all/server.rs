//! An axum service behind the server layer, its requests over sockets.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::get;
use futures_util::{FutureExt as _, stream};
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_testkit::Wire;
use sentrace_tower::SentryTracingLayer;
use sentrace_tracing::SentryRequestSpanLayer;
use sqlx::SqlitePool;
use tower_http::trace::{DefaultMakeSpan, TraceLayer};
use tracing::{Instrument, Level, Span, instrument};

use crate::support::{recording, subscribe_everywhere};

const SQL: &str = "SELECT name FROM sqlite_schema WHERE name = ?";

async fn query(pool: &SqlitePool) {
    sqlx::query(SQL).bind("cart").fetch_all(pool).await.unwrap();
}

#[instrument(skip(pool))]
async fn load(id: u64, pool: &SqlitePool) {
    tokio::task::yield_now().await;
    query(pool).await;
}

async fn handler(Path(id): Path<u64>, State(pool): State<SqlitePool>) -> &'static str {
    load(id, &pool).await;
    query(&pool).await;
    "done"
}

async fn spawning(State(pool): State<SqlitePool>) -> &'static str {
    tokio::spawn(async move { query(&pool).await }.instrument(Span::current())).await.unwrap();
    "done"
}

async fn streaming(State(pool): State<SqlitePool>) -> Body {
    let frames = async move {
        query(&pool).await;
        Ok::<_, Infallible>("frame")
    };
    Body::from_stream(stream::once(frames.boxed()))
}

/// The service, by its base URL, and what it records. `layers` go inside of the server layer.
async fn serve(layers: impl FnOnce(Router) -> Router) -> (String, Arc<Capture>) {
    subscribe_everywhere();
    let (client, capture) = recording();
    let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let routes = Router::new()
        .route("/users/{id}", get(handler))
        .route("/spawning", get(spawning))
        .route("/streaming", get(streaming))
        .with_state(pool);
    let app = layers(routes).layer(SentryTracingLayer::new().client(client));
    (sentrace_testkit::serve(app).await, capture)
}

async fn ask(base: &str, path: &str) {
    let answer = Wire::connect(base).await.ask(&format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\n")).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
}

fn queries(captured: &CapturedTransaction) -> usize {
    captured.transaction.spans.iter().filter(|span| span.description.as_deref() == Some(SQL)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_and_queries_of_a_handler_are_spans_of_the_request() {
    let (address, capture) = serve(|app| app.layer(SentryRequestSpanLayer::new())).await;
    ask(&address, "/users/7").await;
    let captured = capture.expect_transaction("GET /users/{id}");
    let load = captured.expect_span("load");
    assert_eq!(load.data.get("id"), Some(&7.into()));
    assert_eq!(load.parent_span_id, Some(captured.transaction.trace.span_id));
    let parents: Vec<_> = captured.transaction.spans.iter().map(|span| span.parent_span_id).collect();
    assert!(parents.contains(&Some(load.span_id)), "the query in `load` is below it");
    assert_eq!(queries(&captured), 2, "the query that no span was opened for is there, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_take_the_span_along_belong_to_the_request() {
    let (address, capture) = serve(|app| app.layer(SentryRequestSpanLayer::new())).await;
    ask(&address, "/spawning").await;
    assert_eq!(queries(&capture.expect_transaction("GET /spawning")), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_of_a_body_belong_to_the_request() {
    let (address, capture) = serve(|app| app.layer(SentryRequestSpanLayer::new())).await;
    ask(&address, "/streaming").await;
    assert_eq!(queries(&capture.expect_transaction("GET /streaming")), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_span_of_another_layer_does_as_well_and_is_not_lost() {
    let (address, capture) = serve(|app| app.layer(TraceLayer::new_for_http())).await;
    ask(&address, "/users/7").await;
    let captured = capture.expect_transaction("GET /users/{id}");
    assert_eq!(queries(&captured), 2, "a span at DEBUG is not recorded, but takes the request along");

    let at_info = TraceLayer::new_for_http().make_span_with(DefaultMakeSpan::new().level(Level::INFO));
    let (address, capture) = serve(|app| app.layer(at_info)).await;
    for path in ["/users/7", "/streaming"] {
        ask(&address, path).await;
    }
    for name in ["GET /users/{id}", "GET /streaming"] {
        let captured = capture.expect_transaction(name);
        captured.expect_span("request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_of_the_server_layer_the_request_span_does_no_harm() {
    subscribe_everywhere();
    let (client, capture) = recording();
    let app = Router::new()
        .route("/", get(|| async { "done" }))
        .layer(SentryTracingLayer::new().client(client))
        .layer(SentryRequestSpanLayer::new());
    ask(&sentrace_testkit::serve(app).await, "/").await;
    capture.expect_transaction("GET /");
}
