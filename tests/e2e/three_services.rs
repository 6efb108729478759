//! One trace through axum, axum and plain hyper, over reqwest.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use sentrace_tests::{Ingest, Project, get as ask, plain_http, serve, serve_hyper};
use tower::{Layer, service_fn};

/// Starts `front`, which calls `middle`, which calls `back`. Returns the base URL of `front`.
pub(crate) async fn chain(front: &Project, middle: &Project, back: &Project) -> String {
    let stock = |request: Request<Incoming>| async move {
        sentrace::in_span("db.query", "SELECT amount FROM stock WHERE id = ?", tokio::task::yield_now())
            .await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(request.uri().path().to_owned()))))
    };
    let back = serve_hyper(back.layer().layer(service_fn(stock))).await;

    let http = middle.http.clone();
    let price = get(async move |Path(id): Path<u64>| {
        let url = format!("{back}/stock/{id}?warehouse=2");
        http.get(url).send().await.unwrap().text().await.unwrap()
    });
    let middle = serve(Router::new().route("/price/{id}", price).layer(middle.layer())).await;

    let http = front.http.clone();
    let cart = get(async move |Path(id): Path<u64>| {
        let price =
            async { http.get(format!("{middle}/price/{id}")).send().await.unwrap().text().await.unwrap() };
        sentrace::in_span("task", "total", price).await
    });
    serve(Router::new().route("/cart/{id}", cart).layer(front.layer())).await
}

#[tokio::test]
async fn ids_and_parents_of_a_trace_through_three_services_resolve() {
    let ingest = Ingest::start();
    let [front, middle, back] = ["front", "middle", "back"].map(|name| ingest.project(name));
    let base = chain(&front, &middle, &back).await;
    let answer = ask(format!("{base}/cart/7")).await;
    assert_eq!(answer.text().await.unwrap(), "/stock/7");

    let trace = ingest.trace(3).await;
    assert!(trace.summary.is_whole(), "{:#?}", trace.summary);
    assert_eq!((trace.summary.transactions, trace.summary.spans, trace.summary.failed), (3, 7, 0));
    let way = trace.way_up(trace.named("SELECT amount FROM stock WHERE id = ?"));
    let expected = [
        "db.query back",
        "http.server back",
        "http.client middle",
        "http.server middle",
        "http.client front",
        "task front",
        "http.server front",
    ];
    assert_eq!(way, expected);
    for (name, source) in [("GET /cart/{id}", "route"), ("GET /price/{id}", "route"), ("GET /stock/7", "url")]
    {
        let transaction = trace.transaction_named(name);
        assert_eq!(transaction.source.as_deref(), Some(source), "{name}");
        assert_eq!(transaction.status.as_deref(), Some("ok"), "{name}");
    }
    // All three envelopes have the sampling context of the head.
    let head = trace.transaction_named("GET /cart/{id}").dsc.clone().unwrap();
    assert_eq!(head["release"], "front@1.0.0");
    assert!(trace.transactions.iter().all(|transaction| transaction.dsc.as_ref() == Some(&head)));
    ingest.assert_no_problems();
}

#[tokio::test]
async fn a_caller_from_outside_is_continued_through_all_three() {
    let ingest = Ingest::start();
    let [front, middle, back] = ["front", "middle", "back"].map(|name| ingest.project(name));
    let base = chain(&front, &middle, &back).await;
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let request = plain_http()
        .build()
        .unwrap()
        .get(format!("{base}/cart/7"))
        .header("sentry-trace", format!("{trace_id}-b7ad6b7169203331-1"))
        .header(
            "baggage",
            format!("tenant=7,sentry-trace_id={trace_id},sentry-public_key=browser,sentry-release=web%401"),
        );
    request.send().await.unwrap().error_for_status().unwrap();

    let trace = ingest.trace(3).await;
    assert_eq!(trace.summary.id.to_string(), trace_id);
    assert_eq!(trace.summary.orphans, 1, "only the browser's own span is not here");
    for transaction in &trace.transactions {
        let context = transaction.dsc.as_ref().unwrap();
        assert_eq!(context["release"], "web@1", "{}: the browser's context went through", transaction.name);
        assert_eq!(context.get("tenant"), None, "other vendors' members did not");
    }
}
