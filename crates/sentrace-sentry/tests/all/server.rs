//! What a handler captures, seen by the ingest.

use axum::Router;
use axum::routing::get as route;
use sentrace_core::{current_span, in_span};
use sentry::{Level, SentryFutureExt as _};
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{Project, Tap, get, serve};

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";

async fn handler() -> &'static str {
    sentry::configure_scope(|scope| scope.set_tag("plan", "gold"));
    in_span("db.query", "SELECT 1", async {
        tokio::task::yield_now().await;
        sentry::capture_message("no price", Level::Error);
    })
    .await;
    sentry::logger_info!("answered {}", 42);
    sentry::metrics::counter("carts", 1).capture();
    "done"
}

#[tokio::test]
async fn what_is_captured_in_a_handler_belongs_to_the_span_it_is_captured_in() {
    let tap = Tap::start();
    let project = Project::new(&tap);
    let app =
        Router::new().route("/carts/{id}", route(handler)).layer(project.hubs()).layer(project.tracing());
    let url = serve(app).await;
    let request = reqwest::Client::new()
        .get(format!("{url}/carts/7"))
        .header("sentry-trace", format!("{CALLER}-b7ad6b7169203331-1"));
    assert_eq!(request.send().await.unwrap().status(), 200);
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();

    let transaction = tap.item("transaction").payload;
    let event = tap.item("event").payload;
    let (of_transaction, of_event) = (&transaction["contexts"]["trace"], &event["contexts"]["trace"]);
    assert_eq!(of_transaction["trace_id"], CALLER);
    assert_eq!(of_event["trace_id"], CALLER);
    let span = &transaction["spans"][0];
    assert_eq!(span["description"], "SELECT 1");
    assert_eq!(of_event["span_id"], span["span_id"], "the current span's");
    assert_eq!(event["transaction"], "GET /carts/{id}");
    assert_eq!(event["transaction"], transaction["transaction"]);
    assert_eq!(
        (&event["release"], &event["environment"]),
        (&transaction["release"], &transaction["environment"])
    );
    assert_eq!(event["tags"]["plan"], "gold");

    let log = &tap.item("log").payload["items"][0];
    assert_eq!(log["trace_id"], CALLER);
    assert_eq!(log["attributes"]["sentry.trace.parent_span_id"]["value"], of_transaction["span_id"]);
    let metric = &tap.item("trace_metric").payload["items"][0];
    assert_eq!(
        (&metric["trace_id"], &metric["span_id"]),
        (&of_transaction["trace_id"], &of_transaction["span_id"])
    );
    tap.assert_no_problems();
}

#[tokio::test]
async fn a_panic_belongs_to_the_request_it_happens_in() {
    async fn panics() -> &'static str {
        in_span("task", "apply discounts", async { panic!("no such discount") }).await
    }
    let tap = Tap::start();
    let project = Project::new(&tap);
    let app = Router::new()
        .route("/panics", route(panics))
        .layer(CatchPanicLayer::new())
        .layer(project.hubs().capture_failed_requests(true))
        .layer(project.tracing());
    let url = serve(app).await;
    assert_eq!(get(format!("{url}/panics")).await.0, 500);
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
    let transaction = tap.item("transaction").payload;
    let event = tap.item("event").payload;
    assert_eq!(event["exception"]["values"][0]["value"], "no such discount");
    assert_eq!(event["transaction"], "GET /panics");
    assert_eq!(event["contexts"]["trace"]["trace_id"], transaction["contexts"]["trace"]["trace_id"]);
    assert_eq!(event["contexts"]["trace"]["span_id"], transaction["spans"][0]["span_id"]);
}

#[tokio::test]
async fn a_task_that_takes_both_along_captures_into_the_request() {
    use sentrace_core::InCurrentSpan as _;

    async fn spawns() -> String {
        let captures = async { sentry::capture_message("from a task", Level::Warning) };
        tokio::spawn(captures.bind_hub(sentry::Hub::current()).in_current_span()).await.unwrap();
        current_span().span_id().unwrap().to_string()
    }
    let tap = Tap::start();
    let project = Project::new(&tap);
    let app = Router::new().route("/", route(spawns)).layer(project.hubs()).layer(project.tracing());
    let (_, span_id) = get(serve(app).await).await;
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
    let event = tap.item("event").payload;
    assert_eq!(event["contexts"]["trace"]["span_id"], span_id);
    assert_eq!(event["transaction"], "GET /");
}

#[tokio::test]
async fn with_tracing_off_events_join_the_callers_trace() {
    let tap = Tap::start();
    let project = Project::new(&tap);
    let (client, _) = sentrace_core::testing::Capture::client(sentrace_core::Options::new()).unwrap();
    let tracing = sentrace_tower::SentryTracingLayer::new().client(client);
    let app = Router::new().route("/", route(handler)).layer(project.hubs()).layer(tracing);
    let request = reqwest::Client::new()
        .get(serve(app).await)
        .header("sentry-trace", format!("{CALLER}-b7ad6b7169203331"));
    assert_eq!(request.send().await.unwrap().status(), 200);
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
    assert_eq!(tap.item("event").payload["contexts"]["trace"]["trace_id"], CALLER);
    assert!(tap.so_far("transaction").is_empty());
}
