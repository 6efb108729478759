//! Work on other tasks and threads keeps the right parent.

use std::collections::HashMap;
use std::task::Poll;
use std::time::Duration;

use futures_util::stream;
use futures_util::{Stream as _, StreamExt as _};
use sentrace_core::{
    InCurrentSpan, Transaction, current_span, get_traceparent, in_span, start_span, with_current_span,
};
use sentrace_protocol::SpanId;
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use tokio::time::timeout;

use crate::support::{only, recording};

const SOON: Duration = Duration::from_secs(30);

fn current() -> Option<SpanId> {
    current_span().span_id()
}

/// Returns the parents of all recorded spans, by description.
fn parents(
    transaction: Transaction,
    capture: &sentrace_core::testing::Capture,
) -> HashMap<String, (SpanId, Option<SpanId>)> {
    transaction.finish();
    let spans = only(capture).transaction.spans;
    spans
        .into_iter()
        .map(|span| (span.description.unwrap_or_default().into_owned(), (span.span_id, span.parent_span_id)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_a_join_set_are_children_of_where_they_were_spawned() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let root = transaction.span_id();
    let work = in_span("task", "fan out", async {
        let mut tasks = JoinSet::new();
        for n in 0..20 {
            let work = async move {
                in_span("task", format!("branch {n}"), async {
                    for _ in 0..5 {
                        yield_now().await;
                        start_span("step", format!("step of {n}")).finish();
                    }
                })
                .await;
            };
            tasks.spawn(work.in_current_span());
        }
        tasks.join_all().await;
        assert!(current().is_some());
    });
    timeout(SOON, transaction.scope(work)).await.unwrap();
    let parents = parents(transaction, &capture);
    let (fan_out, above) = parents["fan out"];
    assert_eq!(above, root);
    for n in 0..20 {
        let (branch, parent) = parents[&format!("branch {n}")];
        assert_eq!(parent, Some(fan_out), "never one of the others");
        assert_eq!(parents[&format!("step of {n}")].1, Some(branch));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closures_on_other_threads_run_in_the_span_they_came_from() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let work = in_span("task", "outer", async {
        let expected = current();
        let record = |name: &'static str| {
            move || {
                start_span("task", name).finish();
                current()
            }
        };
        assert_eq!(spawn_blocking(with_current_span(record("blocking"))).await.unwrap(), expected);
        assert_eq!(std::thread::spawn(with_current_span(record("thread"))).join().unwrap(), expected);
        let scoped = std::thread::scope(|threads| threads.spawn(with_current_span(record("scoped"))).join());
        assert_eq!(scoped.unwrap(), expected);
        assert_eq!(spawn_blocking(record("nobody asked")).await.unwrap(), None, "only what is asked to");
        assert_eq!(current(), expected);
    });
    timeout(SOON, transaction.scope(work)).await.unwrap();
    let parents = parents(transaction, &capture);
    let outer = parents["outer"].0;
    assert_eq!(parents.len(), 4);
    for name in ["blocking", "thread", "scoped"] {
        assert_eq!(parents[name].1, Some(outer), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_polled_in_the_span_it_came_from() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let items = transaction.enter(|| {
        let items = stream::iter(0..5).then(|n| async move {
            yield_now().await;
            start_span("task", format!("item {n}")).finish();
            (n, current())
        });
        items.in_current_span()
    });
    assert_eq!(items.size_hint(), (5, Some(5)));
    let root = transaction.span_id();
    let elsewhere = tokio::spawn(async move {
        let mut items = std::pin::pin!(items);
        let mut seen = Vec::new();
        while let Some(item) = items.next().await {
            assert_eq!(current(), None, "between items nothing is current");
            seen.push(item);
        }
        seen
    });
    let seen = timeout(SOON, elsewhere).await.unwrap().unwrap();
    assert_eq!(seen, (0..5).map(|n| (n, root)).collect::<Vec<_>>());
    let parents = parents(transaction, &capture);
    assert!(parents.len() == 5 && parents.values().all(|(_, parent)| *parent == root), "{parents:?}");
}

#[tokio::test]
async fn children_side_by_side_never_see_each_other() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let root = transaction.span_id();
    let calls = async {
        let call = |n: usize| {
            in_span("http.client", format!("call {n}"), async move {
                for _ in 0..n {
                    yield_now().await;
                }
                get_traceparent().unwrap()
            })
        };
        let (a, b) = tokio::join!(call(3), call(1));
        let rest = stream::iter(4..12).map(call).buffer_unordered(4).collect::<Vec<_>>().await;
        assert_eq!(current(), root);
        let mut sent = rest;
        sent.extend([a, b]);
        sent
    };
    let sent = timeout(SOON, transaction.scope(calls)).await.unwrap();
    let parents = parents(transaction, &capture);
    assert_eq!((sent.len(), parents.len()), (10, 10));
    for (name, (span_id, parent)) in parents {
        assert_eq!(parent, root, "{name}");
        assert_eq!(sent.iter().filter(|sent| sent.contains(&span_id.to_string())).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_loses_a_race_or_is_dropped_leaves_the_context_as_it_was() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let root = transaction.span_id();
    let races = async {
        for _ in 0..3 {
            tokio::select! {
                biased;
                () = in_span("task", "loser", std::future::pending()) => {}
                () = in_span("task", "winner", yield_now()) => {}
            }
            assert_eq!(current(), root);
        }
        let mut dropped = Box::pin(in_span("task", "dropped", std::future::pending::<()>()));
        let pending = std::future::poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx).is_pending())).await;
        assert!(pending);
        let other = client.start_new_trace();
        other.enter(|| drop(dropped));
        assert_eq!(current(), root);
        let result = timeout(Duration::ZERO, in_span("task", "late", std::future::pending::<()>())).await;
        assert!(result.is_err());
        assert_eq!(current(), root);
    };
    timeout(SOON, transaction.scope(races)).await.unwrap();
    assert_eq!(current(), None);
    let parents = parents(transaction, &capture);
    for name in ["loser", "winner", "dropped", "late"] {
        assert_eq!(parents[name].1, root, "{name}");
    }
}
