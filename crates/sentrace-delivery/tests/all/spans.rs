//! Spans that are sent by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options, TraceLifecycle};
use sentrace_protocol::{Reason, span_v2};
use serde_json::Value;

use crate::support::{
    DEAD_DSN, Ingest, LONG, Received, Reply, Tally, client_with, counted, only, record, wait_until,
};

/// Never, as far as a test is concerned.
const NEVER: Duration = Duration::from_secs(3_600);

fn streaming(ingest: &Ingest) -> (Client, Arc<Losses>) {
    streaming_with(&ingest.dsn(), |options| options)
}

fn streaming_with(dsn: &str, edit: impl FnOnce(Options) -> Options) -> (Client, Arc<Losses>) {
    client_with(dsn, |options| {
        let options = options.trace_lifecycle(TraceLifecycle::Stream).span_flush_interval(NEVER);
        edit(options.send_client_reports(false))
    })
}

fn spans_of(request: &Received) -> &[Value] {
    request.item("span").and_then(|payload| payload["items"].as_array()).map_or(&[], Vec::as_slice)
}

fn all(received: &[Received]) -> Vec<&Value> {
    received.iter().filter(|request| request.status == Some(200)).flat_map(spans_of).collect()
}

fn names(received: &[Received]) -> Vec<&str> {
    all(received).iter().filter_map(|span| span["name"].as_str()).collect()
}

const fn spans(spans: u64) -> Tally {
    Tally { transactions: 0, spans }
}

#[test]
fn the_spans_of_a_transaction_arrive_in_one_envelope_when_it_ends() {
    let ingest = Ingest::ok();
    let (client, losses) = streaming(&ingest);
    record(&client, "checkout", 3);
    let received = ingest.wait_for(|received| !received.is_empty());
    assert_eq!(received.len(), 1, "nobody flushed");
    let headers = received[0].envelope_headers.as_object().unwrap();
    let keys: BTreeSet<&str> = headers.keys().map(String::as_str).collect();
    assert_eq!(keys, ["sdk", "sent_at", "trace"].into_iter().collect(), "and no event id");
    assert_eq!(received[0].items.len(), 1);
    assert_eq!(received[0].item("span").unwrap()["version"], 2);
    let spans = spans_of(&received[0]);
    assert_eq!(spans.len(), 4);
    assert_eq!(spans[3]["name"], "checkout");
    assert_eq!(spans[3]["is_segment"], true);
    for span in spans {
        assert_eq!(span["trace_id"], headers["trace"]["trace_id"]);
        assert_eq!(span["attributes"]["sentry.segment.name"]["value"], "checkout");
        assert_eq!(span["attributes"]["sentry.segment.id"]["value"], spans[3]["span_id"]);
        assert_eq!(span["attributes"]["sentry.release"]["value"], "shop@1.4.0");
    }
    assert_eq!(headers["trace"]["transaction"], "checkout");
    assert_eq!(counted(&losses), Tally::default());
}

#[test]
fn five_thousand_spans_arrive_in_envelopes_that_the_ingest_takes() {
    let ingest = Ingest::ok();
    let (client, losses) = streaming(&ingest);
    record(&client, "import", 5_000);
    assert!(client.flush(LONG));
    let received = ingest.received();
    assert!(received.len() >= 5, "{} envelopes", received.len());
    for request in &received {
        assert!(spans_of(request).len() <= span_v2::MAX_ITEMS);
        let payload = request.item("span").unwrap().to_string();
        assert!(payload.len() <= span_v2::MAX_BYTES, "{} bytes", payload.len());
    }
    let ids: BTreeSet<_> = all(&received).iter().map(|span| span["span_id"].to_string()).collect();
    assert_eq!((ids.len(), all(&received).len()), (5_001, 5_001), "each arrives, and once");
    let rows: BTreeSet<i64> =
        all(&received).iter().filter_map(|span| span["attributes"]["row"]["value"].as_i64()).collect();
    assert_eq!(rows, (0..5_000).collect());
    assert_eq!(counted(&losses), Tally::default());
}

#[test]
fn large_spans_are_split_over_envelopes_below_a_mebibyte() {
    let ingest = Ingest::ok();
    let (client, losses) = streaming(&ingest);
    let transaction = client.start_transaction("large", "task");
    for _ in 0..100 {
        let span = transaction.start_span("task", "large");
        for key in ["a", "b", "c", "d"] {
            span.set_data(key, "\u{1}".repeat(8 * 1024));
        }
    }
    transaction.finish();
    assert!(client.flush(LONG));
    let received = ingest.received();
    assert_eq!(all(&received).len(), 101);
    for request in &received {
        let payload = serde_json::to_vec(request.item("span").unwrap()).unwrap();
        assert!(payload.len() <= span_v2::MAX_BYTES, "{} bytes", payload.len());
    }
    assert_eq!(counted(&losses), Tally::default());
}

#[test]
fn spans_wait_for_others_no_longer_than_the_interval() {
    let ingest = Ingest::ok();
    let interval = Duration::from_millis(100);
    let (client, _) = streaming_with(&ingest.dsn(), |options| options.span_flush_interval(interval));
    let transaction = client.start_transaction("long", "task");
    transaction.start_span("task", "a").finish();
    transaction.start_span("task", "b").finish();
    let received = ingest.wait_for(|received| !received.is_empty());
    assert_eq!(names(&received), ["a", "b"], "together, and before their transaction ends");
    let late = transaction.start_span("task", "late");
    transaction.finish();
    ingest.wait_for(|received| received.len() == 2);
    late.finish();
    let received = ingest.wait_for(|received| received.len() == 3);
    assert_eq!(names(&received), ["a", "b", "long", "late"], "what ends after its transaction is sent");
    let contexts: BTreeSet<_> =
        received.iter().map(|request| request.envelope_headers["trace"].to_string()).collect();
    assert_eq!(contexts.len(), 1, "frozen by the first");
}

#[test]
fn a_sleeping_worker_notices_spans() {
    let ingest = Ingest::ok();
    let interval = Duration::from_millis(20);
    let (client, _) = streaming_with(&ingest.dsn(), |options| options.span_flush_interval(interval));
    let transaction = client.start_transaction("long", "task");
    for number in 1..=3 {
        // Longer than the worker naps.
        std::thread::sleep(Duration::from_millis(150));
        transaction.start_span("task", "now and then").finish();
        ingest.wait_for(|received| received.len() == number);
    }
}

#[test]
fn flush_sends_what_waits_and_closing_as_well() {
    let ingest = Ingest::ok();
    let (client, losses) = streaming(&ingest);
    let transaction = client.start_transaction("long", "task");
    transaction.start_span("task", "a").finish();
    assert!(client.flush(LONG));
    assert_eq!(names(&ingest.received()), ["a"]);
    transaction.start_span("task", "b").finish();
    assert!(client.close(LONG).complete);
    assert_eq!(names(&ingest.received()), ["a", "b"]);
    transaction.finish();
    assert_eq!(losses.take(), only(Reason::QueueOverflow, spans(1))[1..], "closed is closed");
}

#[test]
fn traces_do_not_share_envelopes() {
    let ingest = Ingest::ok();
    let (client, _) = streaming(&ingest);
    let open: Vec<_> = (0..20).map(|number| client.start_transaction(format!("t{number}"), "task")).collect();
    for _ in 0..5 {
        open.iter().for_each(|transaction| transaction.start_span("task", "step").finish());
    }
    drop(open);
    assert!(client.flush(LONG));
    let received = ingest.received();
    let mut of_trace: BTreeMap<String, usize> = BTreeMap::new();
    for request in &received {
        let trace = request.envelope_headers["trace"]["trace_id"].to_string();
        for span in spans_of(request) {
            assert_eq!(span["trace_id"].to_string(), trace);
        }
        *of_trace.entry(trace).or_default() += spans_of(request).len();
    }
    assert_eq!(of_trace.len(), 20);
    assert!(of_trace.values().all(|spans| *spans == 6));
}

#[test]
fn a_burst_of_streamed_transactions_arrives_whole() {
    let ingest = Ingest::start(|_| Reply::after(20));
    let (client, losses) = streaming(&ingest);
    for number in 0..1_000 {
        record(&client, &format!("task {number}"), 10);
    }
    assert!(client.flush(LONG));
    assert_eq!(all(&ingest.received()).len(), 11_000);
    assert_eq!(counted(&losses), Tally::default());
}

#[test]
fn a_limit_on_spans_holds_them_back_and_one_on_transactions_does_not() {
    for (category, reason) in [("span", Some(Reason::RatelimitBackoff)), ("transaction", None)] {
        let limits = if category == "span" { "60:span:key" } else { "60:transaction:key" };
        let ingest = Ingest::start(move |_| Reply::Answer(200, vec![("x-sentry-rate-limits", limits)]));
        let (client, losses) = streaming(&ingest);
        record(&client, "first", 1);
        assert!(client.flush(LONG));
        record(&client, "second", 2);
        assert!(client.flush(LONG));
        let expected = reason.map(|reason| only(reason, spans(3)).remove(1));
        assert_eq!(losses.take(), Vec::from_iter(expected), "{category}");
        assert_eq!(all(&ingest.received()).len(), if category == "span" { 2 } else { 5 });
    }
}

#[test]
fn what_is_lost_is_counted_as_spans_and_nothing_else() {
    let table = [
        (Ingest::start(|_| Reply::status(500)), Some(Reason::SendError), "a refusal"),
        (Ingest::start(|_| Reply::status(413)), Some(Reason::SendError), "too large for the ingest"),
        (Ingest::start(|_| Reply::status(429)), None, "which the ingest counts"),
    ];
    for (ingest, reason, what) in table {
        let (client, losses) = streaming(&ingest);
        record(&client, "lost", 4);
        assert!(client.flush(LONG));
        let expected = reason.map(|reason| only(reason, spans(5)).remove(1));
        assert_eq!(losses.take(), Vec::from_iter(expected), "{what}");
    }
    let (client, losses) = streaming_with(DEAD_DSN, |options| options);
    record(&client, "lost", 4);
    let transaction = client.start_transaction("open", "task");
    transaction.start_span("task", "waiting").finish();
    client.close(Duration::from_millis(300));
    transaction.finish();
    assert_eq!(counted(&losses), spans(7), "nobody is there");
}

#[test]
fn what_the_queue_has_no_room_for_is_counted() {
    let ingest = Ingest::ok();
    let (client, losses) = streaming_with(&ingest.dsn(), |options| options.queue_bytes(64 * 1024));
    let transaction = client.start_transaction("import", "task");
    for _ in 0..2_000 {
        transaction.start_span("task", "step").finish();
    }
    assert!(client.flush(LONG));
    drop(transaction);
    assert!(client.close(LONG).complete);
    let arrived = all(&ingest.received()).len() as u64;
    let lost = counted(&losses);
    assert!(arrived < 2_000 && lost.spans > 0, "{arrived} arrived");
    assert_eq!((arrived + lost.spans, lost.transactions), (2_001, 0));
}

#[test]
fn a_discarded_transaction_takes_its_waiting_spans_along() {
    let ingest = Ingest::ok();
    let (client, losses) = streaming(&ingest);
    let transaction = client.start_transaction("probe", "task");
    transaction.start_span("task", "below").finish();
    transaction.discard(Reason::Ignored);
    assert!(client.flush(LONG));
    assert_eq!(losses.take(), only(Reason::Ignored, spans(2))[1..]);
    assert_eq!(ingest.requests(), 0);
}

#[test]
fn spans_that_wait_to_be_tried_again_are_held_to_the_limit_for_spans() {
    for (limit, lost, reason) in
        [("60:span", 1, "spans are limited"), ("60:transaction", 0, "transactions are none of theirs")]
    {
        let ingest = Ingest::start(move |number| match number {
            0 | 1 => Reply::Close,
            _ => Reply::Answer(200, vec![("x-sentry-rate-limits", limit)]),
        });
        let (client, losses) = streaming_with(&ingest.dsn(), |options| options.retry_timeout(LONG));
        record(&client, "waiting", 0);
        wait_until("the first to fail", || ingest.requests() >= 2);
        record(&client, "passing", 0);
        assert!(client.flush(LONG), "{reason}");
        // Whichever came first took the way that there was.
        assert_eq!(counted(&losses), spans(lost), "{reason}");
        assert_eq!(names(&ingest.received()).len() as u64, 2 - lost, "{reason}");
        assert!(losses.peek().iter().all(|events| events.reason == Reason::RatelimitBackoff), "{reason}");
    }
}
