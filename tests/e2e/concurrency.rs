//! Many concurrent requests.

use std::collections::HashSet;

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use sentrace::{current_span, in_span};
use sentrace_tests::{Ingest, in_time, plain_http, serve};

const REQUESTS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_requests_through_two_services_never_mix_up_a_parent() {
    let ingest = Ingest::start();
    let [front, back] = ["front", "back"].map(|name| ingest.project(name));

    let work = get(async |Path(id): Path<usize>| {
        for _ in 0..id % 7 {
            tokio::task::yield_now().await;
        }
        current_span().set_tag("id", id.to_string());
        in_span("db.query", format!("load {id}"), tokio::task::yield_now()).await;
        id.to_string()
    });
    let back_url = serve(Router::new().route("/work/{id}", work).layer(back.layer())).await;

    let http = front.http.clone();
    let fan = get(async move |Query(query): Query<std::collections::HashMap<String, usize>>| {
        let id = query["id"];
        current_span().set_tag("id", id.to_string());
        let call = |side: &'static str| {
            let call = http.get(format!("{back_url}/work/{id}"));
            in_span("task", format!("{side} {id}"), async move {
                call.send().await.unwrap().text().await.unwrap()
            })
        };
        let (left, right) = tokio::join!(call("left"), call("right"));
        format!("{left} {right}")
    });
    let front_url = serve(Router::new().route("/fan", fan).layer(front.layer())).await;

    let client = plain_http().build().unwrap();
    let requests: Vec<_> = (0..REQUESTS)
        .map(|id| {
            let request = client.get(format!("{front_url}/fan?id={id}"));
            tokio::spawn(async move {
                let answer = request.send().await.unwrap().text().await.unwrap();
                assert_eq!(answer, format!("{id} {id}"));
            })
        })
        .collect();
    for request in requests {
        in_time(request).await.unwrap();
    }
    front.flush().await;
    back.flush().await;

    let traces = ingest.traces(3 * REQUESTS).await;
    assert_eq!(traces.len(), REQUESTS);
    let mut ids = HashSet::new();
    for summary in traces {
        let trace = ingest.read(summary.id.to_string()).await;
        assert!(trace.summary.is_whole(), "{:#?}", trace.summary);
        assert_eq!((trace.summary.transactions, trace.summary.spans), (3, 9));
        let id = trace.transactions[0].tags["id"].clone();
        assert!(
            trace.transactions.iter().all(|transaction| transaction.tags["id"] == id),
            "one request, one trace"
        );
        for side in ["left", "right"] {
            // Each side has one call, one transaction and one query, all of this request.
            let node = trace.named(&format!("{side} {id}"));
            assert_eq!(trace.way_up(node), ["task front", "http.server front"]);
        }
        let queries: Vec<_> = trace.tree.iter().filter(|node| node.name == format!("load {id}")).collect();
        let parents: HashSet<_> = queries
            .iter()
            .map(|query| {
                assert_eq!(
                    trace.way_up(query),
                    [
                        "db.query back",
                        "http.server back",
                        "http.client front",
                        "task front",
                        "http.server front"
                    ]
                );
                trace.parent(query).unwrap().span_id
            })
            .collect();
        assert_eq!((queries.len(), parents.len()), (2, 2));
        ids.insert(id);
    }
    assert_eq!(ids.len(), REQUESTS);
    ingest.assert_no_problems();
}
