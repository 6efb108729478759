//! What a service does to its spans before they are sent: `before_send_span`, in both lifecycles.

use std::sync::{Arc, Mutex};

use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options, TraceLifecycle};
use sentrace_protocol::{Reason, SpanPayload, SpanStatus};
use serde_json::{Value, json};

use crate::support::{Ingest, LONG, Tally, client_with, counted};

const BOTH: [TraceLifecycle; 2] = [TraceLifecycle::Stream, TraceLifecycle::Static];

fn hooked(
    ingest: &Ingest,
    lifecycle: TraceLifecycle,
    edit: impl FnOnce(Options) -> Options,
) -> (Client, Arc<Losses>) {
    client_with(&ingest.dsn(), |options| edit(options.trace_lifecycle(lifecycle).send_client_reports(false)))
}

/// Records a transaction `work` with a span `SELECT 1` in it.
fn record(client: &Client) {
    let transaction = client.start_transaction("work", "task");
    transaction.set_data("n", 1);
    let span = transaction.start_span("db.query", "SELECT 1");
    span.set_data("n", 1);
    span.finish();
    transaction.finish();
    assert!(client.flush(LONG));
}

/// Name, op, status and `n` of what arrived; the transaction's own span last.
fn arrived(ingest: &Ingest) -> Vec<[Value; 4]> {
    let mut all = Vec::new();
    for request in ingest.received() {
        for span in request.item("span").and_then(|item| item["items"].as_array()).into_iter().flatten() {
            let attribute = |key: &str| span["attributes"][key]["value"].clone();
            all.push([span["name"].clone(), attribute("sentry.op"), span["status"].clone(), attribute("n")]);
        }
        let Some(sent) = request.item("transaction") else { continue };
        for span in sent["spans"].as_array().into_iter().flatten() {
            let data = &span["data"];
            all.push([
                span["description"].clone(),
                span["op"].clone(),
                span["status"].clone(),
                data["n"].clone(),
            ]);
        }
        let trace = &sent["contexts"]["trace"];
        let data = &trace["data"];
        all.push([
            sent["transaction"].clone(),
            trace["op"].clone(),
            trace["status"].clone(),
            data["n"].clone(),
        ]);
    }
    all
}

#[test]
fn a_span_is_changed_or_sent_unchanged_and_never_dropped() {
    type Hook = fn(&mut SpanPayload<'_, '_>);
    type Row = (Hook, [&'static str; 2], &'static str, &'static str, Value, &'static str);
    let rows: [Row; 4] = [
        (
            |_| (),
            ["SELECT 1", "work"],
            "ok",
            "ok",
            json!(1),
            "vector 76: nothing is done, so nothing changes",
        ),
        (
            |span| {
                span.set_name("changed");
                span.set_attribute("n", "one");
                span.set_status(SpanStatus::NotFound);
            },
            ["changed", "changed"],
            "error",
            "not_found",
            json!("one"),
            "vector 77: name, attribute and status are kept, as by JavaScript; Python keeps the status as it was",
        ),
        (
            |span| {
                span.set_name("changed");
                span.remove_attribute("n");
                panic!("a hook with a mistake");
            },
            ["SELECT 1", "work"],
            "ok",
            "ok",
            json!(1),
            "vector 76: it panics, so the span is sent unmodified",
        ),
        (
            |span| {
                span.remove_attribute("n");
                span.remove_attribute("sentry.op");
            },
            ["SELECT 1", "work"],
            "ok",
            "ok",
            Value::Null,
            "what shall not be sent is removed; the op cannot be",
        ),
    ];
    for (hook, names, streamed, fixed, n, reason) in rows {
        for lifecycle in BOTH {
            let ingest = Ingest::ok();
            let (client, losses) = hooked(&ingest, lifecycle, |options| options.before_send_span(hook));
            record(&client);
            let status = if lifecycle == TraceLifecycle::Stream { streamed } else { fixed };
            let expected = [(names[0], "db.query"), (names[1], "task")]
                .map(|(name, op)| [json!(name), json!(op), json!(status), n.clone()]);
            assert_eq!(arrived(&ingest), expected, "{lifecycle:?}: {reason}");
            assert_eq!(counted(&losses), Tally::default(), "{lifecycle:?}: {reason}");
        }
    }
}

#[test]
fn it_is_called_once_for_each_span_and_before_the_transaction_is_looked_at() {
    for lifecycle in BOTH {
        let (ingest, called) = (Ingest::ok(), Arc::<Mutex<Vec<String>>>::default());
        let [of_spans, of_transactions] = [Arc::clone(&called), Arc::clone(&called)];
        let (client, _) = hooked(&ingest, lifecycle, |options| {
            let options = options.before_send_span(move |span| {
                let kind = if span.is_segment() { "segment" } else { "span" };
                of_spans.lock().unwrap().push(format!("{kind} {}", span.name()));
                span.set_attribute("n", 2);
            });
            options.before_send_transaction(move |transaction| {
                let n = transaction.trace.data.get("n").cloned();
                of_transactions.lock().unwrap().push(format!("transaction with {n:?}"));
                true
            })
        });
        record(&client);
        let mut expected = vec!["span SELECT 1", "segment work"];
        if lifecycle == TraceLifecycle::Static {
            expected.push("transaction with Some(Int(2))");
        }
        assert_eq!(*called.lock().unwrap(), expected, "{lifecycle:?}");
    }
}

#[test]
fn many_spans_are_each_seen_once_though_they_fill_several_envelopes() {
    let (ingest, called) = (Ingest::ok(), Arc::<Mutex<u64>>::default());
    let count = Arc::clone(&called);
    let (client, losses) = hooked(&ingest, TraceLifecycle::Stream, |options| {
        options.before_send_span(move |span| {
            *count.lock().unwrap() += 1;
            span.set_attribute("long", "x".repeat(20_000));
        })
    });
    let transaction = client.start_transaction("import", "task");
    for _ in 0..200 {
        transaction.start_span("task", "step").finish();
    }
    transaction.finish();
    assert!(client.flush(LONG));
    assert!(ingest.received().len() >= 4, "4 MB of attributes");
    assert_eq!(arrived(&ingest).len(), 201);
    assert_eq!((*called.lock().unwrap(), counted(&losses)), (201, Tally::default()));
}

#[test]
fn spans_are_counted_while_it_blocks() {
    let ingest = Ingest::ok();
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (client, losses) = hooked(&ingest, TraceLifecycle::Stream, |options| {
        options.before_send_span(move |_| {
            let _ = gate.lock().unwrap().recv();
        })
    });
    let transaction = client.start_transaction("work", "task");
    transaction.start_span("task", "step").finish();
    transaction.finish();
    let closed = client.close(std::time::Duration::from_millis(100));
    assert!(!closed.complete);
    let unreported = closed.unreported;
    assert_eq!(unreported.iter().map(|lost| lost.quantity).sum::<u64>(), 2, "{unreported:?}");
    drop(open);
    assert!(losses.peek().iter().all(|lost| lost.reason == Reason::NetworkError));
    assert_eq!(counted(&losses).spans, 2, "nothing is counted twice");
}
