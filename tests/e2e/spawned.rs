//! Work that a handler starts without waiting for it.

use axum::Router;
use axum::routing::get;
use sentrace::{current_span, in_span, start_transaction};
use sentrace_tests::{Ingest, get as ask, in_time, serve};
use tokio::sync::mpsc;

#[tokio::test]
async fn spawned_work_keeps_its_trace_when_it_is_asked_to() {
    let ingest = Ingest::start();
    let [shop, mail] = ["shop", "mail"].map(|name| ingest.project(name));
    let mail_url = serve(Router::new().route("/send", get(async || "sent")).layer(mail.layer())).await;

    let http = shop.http.clone();
    let (done, mut waiting) = mpsc::unbounded_channel();
    let order = get(async move || {
        let (http, done) = (http.clone(), done.clone());
        let asked = current_span().scope(async move {
            // A separate transaction, since the request ends before the work does.
            let work = start_transaction("send mail", "task");
            work.scope(async {
                http.get(format!("{mail_url}/send")).send().await.unwrap().text().await.unwrap()
            })
            .await;
            work.finish();
            done.send("asked").unwrap();
        });
        tokio::spawn(asked);
        "ordered"
    });
    let shop_url = serve(Router::new().route("/order", order).layer(shop.layer())).await;
    ask(format!("{shop_url}/order")).await.error_for_status().unwrap();
    in_time(waiting.recv()).await.unwrap();

    let trace = ingest.trace(3).await;
    assert!(trace.summary.orphans == 0 && trace.summary.roots == 1, "{:#?}", trace.summary);
    let way = trace.way_up(trace.named("GET /send"));
    assert_eq!(way, ["http.server mail", "http.client shop", "task shop", "http.server shop"]);
}

#[tokio::test]
async fn spawned_work_that_is_waited_for_adds_its_spans_and_other_work_adds_none() {
    let ingest = Ingest::start();
    let shop = ingest.project("shop");
    let order = get(async || {
        let asked = current_span().scope(in_span("task", "asked", async {}));
        let not_asked = in_span("task", "not asked", async {});
        tokio::spawn(asked).await.unwrap();
        tokio::spawn(not_asked).await.unwrap();
        let span = current_span();
        tokio::task::spawn_blocking(move || span.enter(|| sentrace::start_span("task", "blocking").finish()))
            .await
            .unwrap();
    });
    let base = serve(Router::new().route("/order", order).layer(shop.layer())).await;
    ask(format!("{base}/order")).await.error_for_status().unwrap();
    let trace = ingest.trace(1).await;
    let spans: Vec<_> =
        trace.transactions[0].spans.iter().filter_map(|span| span.description.as_deref()).collect();
    assert_eq!(spans, ["asked", "blocking"]);
}
