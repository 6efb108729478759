//! Streamed spans, from requests to the collector's pages.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use reqwest_middleware::ClientWithMiddleware;
use sentrace::{InCurrentSpan as _, Options, TraceLifecycle, in_span, start_span};
use sentrace_tests::{Ingest, get as ask, in_time, serve};
use tokio::sync::Notify;

fn stream(options: Options) -> Options {
    options.traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream)
}

#[tokio::test]
async fn services_of_both_lifecycles_form_one_trace() {
    let ingest = Ingest::start();
    let shop = ingest.project_with("shop", stream);
    let stock = ingest.project("stock");
    let warehouse = ingest.project_with("warehouse", stream);

    let warehouse_app = Router::new()
        .route("/shelf/{id}", get(async || in_span("db.query", "SELECT shelf", async { "7" }).await))
        .layer(warehouse.layer());
    let shelf = format!("{}/shelf/7", serve(warehouse_app).await);
    let stock_app = Router::new()
        .route("/items/{id}", get(call))
        .with_state((stock.http.clone(), shelf))
        .layer(stock.layer());
    let item = format!("{}/items/7", serve(stock_app).await);
    let shop_app = Router::new()
        .route("/orders/{id}", get(call))
        .with_state((shop.http.clone(), item))
        .layer(shop.layer());
    let base = serve(shop_app).await;

    assert_eq!(ask(format!("{base}/orders/7")).await.text().await.unwrap(), "7");
    ingest.wait_for(|store| store.traces().iter().any(|trace| trace.spans == 6 && trace.is_whole())).await;
    let trace = ingest.trace(3).await;
    let expected = [
        "db.query warehouse",
        "http.server warehouse",
        "http.client stock",
        "http.server stock",
        "http.client shop",
        "http.server shop",
    ];
    assert_eq!(trace.way_up(trace.named("SELECT shelf")), expected);
    let order = trace.transaction_named("GET /orders/{id}");
    assert!(order.streamed && !trace.transaction_named("GET /items/{id}").streamed);
    assert_eq!(order.source.as_deref(), Some("route"));
    assert_eq!(order.data["http.request.method"], "GET");
    assert_eq!(order.data["http.response.status_code"], 200);
    assert_eq!(order.data["sentry.environment"], "test");
    assert!(order.dsc.as_ref().is_some_and(|dsc| dsc["transaction"] == "GET /orders/{id}"));
    ingest.assert_no_problems();
}

async fn call(State((http, next)): State<(ClientWithMiddleware, String)>) -> String {
    http.get(next).send().await.unwrap().text().await.unwrap()
}

async fn accept_and_work_later(State(go): State<Arc<Notify>>) -> &'static str {
    let mail = start_span("queue.task", "send mail");
    let work = async move {
        in_time(go.notified()).await;
        mail.scope(in_span("db.query", "SELECT address", async {})).await;
    };
    tokio::spawn(work.in_current_span());
    "accepted"
}

#[tokio::test]
async fn a_span_that_ends_after_its_request_arrives() {
    let ingest = Ingest::start();
    let shop =
        ingest.project_with("shop", |options| stream(options).span_flush_interval(Duration::from_millis(50)));
    let go = Arc::new(Notify::new());
    let app = Router::new()
        .route("/orders", get(accept_and_work_later))
        .with_state(Arc::clone(&go))
        .layer(shop.layer());
    let base = serve(app).await;
    assert_eq!(ask(format!("{base}/orders")).await.text().await.unwrap(), "accepted");
    ingest.wait_for(|store| store.traces().iter().any(|trace| trace.spans == 1)).await;
    go.notify_one();
    ingest.wait_for(|store| store.traces().iter().any(|trace| trace.spans == 3)).await;
    let trace = ingest.trace(1).await;
    assert!(trace.summary.is_whole(), "{:?}", trace.summary);
    let expected = ["db.query shop", "queue.task shop", "http.server shop"];
    assert_eq!(trace.way_up(trace.named("SELECT address")), expected);
    ingest.assert_no_problems();
    assert_eq!(ingest.reports().lost("span"), 0);
}

#[tokio::test]
async fn five_thousand_spans_of_one_request_arrive() {
    let ingest = Ingest::start();
    let shop = ingest.project_with("shop", stream);
    let app = Router::new()
        .route(
            "/import",
            get(async || {
                for row in 0..5_000 {
                    in_span("db.query", format!("INSERT {row}"), async {}).await;
                }
            }),
        )
        .layer(shop.layer());
    let base = serve(app).await;
    assert!(ask(format!("{base}/import")).await.status().is_success());
    shop.flush().await;
    let trace = ingest.trace(1).await;
    assert_eq!(trace.summary.spans, 5_001);
    assert!(trace.summary.is_whole(), "{:?}", trace.summary);
    let items = ingest.reports().items;
    let spans = items.iter().find(|items| items.kind == "span").unwrap();
    assert!(spans.count >= 5, "{} envelopes with at most a thousand spans", spans.count);
    ingest.assert_no_problems();
    assert_eq!(ingest.reports().lost("span"), 0);
}

#[tokio::test]
async fn what_is_ignored_or_not_sampled_is_reported_as_spans() {
    let ingest = Ingest::start();
    let shop = ingest.project_with("shop", |options| stream(options).ignore_spans(["GET /health"]));
    let quiet = ingest.project_with("quiet", |options| stream(options).traces_sample_rate(0.0));
    let app =
        || Router::new().route("/health", get(async || in_span("task", "look", async { "fine" }).await));
    for project in [&shop, &quiet] {
        let base = serve(app().layer(project.layer())).await;
        assert_eq!(ask(format!("{base}/health")).await.text().await.unwrap(), "fine");
        project.flush().await;
    }
    let mut lost = ingest.reports().discarded;
    lost.sort_by(|a, b| a.project.cmp(&b.project));
    let lost: Vec<_> =
        lost.iter().map(|it| (&*it.project, &*it.category, &*it.reason, it.quantity)).collect();
    assert_eq!(lost, [("quiet", "span", "sample_rate", 2), ("shop", "span", "ignored", 2)]);
    assert_eq!(ingest.transactions().await, 0);
}
