//! Streamed spans.

use std::time::Duration;

use sentrace_core::adapter::{RequestParts, ResponseParts};
use sentrace_core::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace_core::testing::{Capture, CapturedSpan};
use sentrace_core::{
    Client, DataCollection, IgnoreSpan, Options, TraceLifecycle, TransactionOptions, current_span, in_span,
};
use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};
use sentrace_protocol::{SpanStatus, TransactionSource, Value};
use std::sync::{Arc, Mutex};

use crate::support::{PARENT_ID, SENTRY_TRACE, lost, only, recording_with};

fn streaming() -> (Client, Arc<Capture>) {
    recording_with(stream())
}

fn stream() -> Options {
    Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream)
}

fn names(spans: &[CapturedSpan]) -> Vec<&str> {
    spans.iter().map(|captured| &*captured.span.name).collect()
}

fn text<'a>(captured: &'a CapturedSpan, key: &str) -> Option<&'a str> {
    match captured.span.attributes.get(key)? {
        Value::Str(text) => Some(text),
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn a_transaction_is_a_segment_among_its_spans_and_no_event() {
    let (client, capture) = recording_with(stream().release("shop@1.4.0").server_name("web-1"));
    let transaction = client.start_transaction("checkout", "queue.task");
    let span = transaction.start_span("db.query", "SELECT 1");
    span.set_data("rows", 3);
    span.set_tag("plan", "gold");
    span.set_status(SpanStatus::NotFound);
    let (span_id, segment_id) = (span.span_id(), transaction.span_id());
    span.finish();
    transaction.start_span("cache.get", "").finish();
    transaction.set_name("checkout {cart}", TransactionSource::Task);
    transaction.finish();

    assert_eq!(capture.take().len(), 0, "no transaction event");
    let spans = capture.take_spans();
    assert_eq!(names(&spans), ["SELECT 1", "cache.get", "checkout {cart}"]);
    for captured in &spans {
        let span = &captured.span;
        assert_eq!(text(captured, "sentry.segment.name"), Some("checkout {cart}"), "the name it ended with");
        assert_eq!(text(captured, "sentry.segment.id"), segment_id.map(|id| id.to_string()).as_deref());
        assert_eq!(text(captured, "sentry.trace_lifecycle"), Some("stream"));
        assert_eq!(text(captured, "sentry.release"), Some("shop@1.4.0"));
        assert_eq!(text(captured, "sentry.environment"), Some("production"));
        assert_eq!(text(captured, "sentry.platform"), Some("rust"));
        assert_eq!(text(captured, "sentry.sdk.name"), Some(&*FinishedTransaction::sdk().name));
        assert_eq!(text(captured, "sentry.origin"), Some("manual"));
        assert_eq!(text(captured, "server.address"), Some("web-1"));
        assert_eq!(span.is_segment, Some(span.span_id) == segment_id);
        let source = text(captured, "sentry.segment.name.source");
        assert_eq!(source, span.is_segment.then_some("task"), "on the segment and nowhere else");
        assert_eq!(captured.dynamic_sampling_context, spans[0].dynamic_sampling_context);
        assert!(span.end_timestamp >= span.start_timestamp);
    }
    let child = &spans[0];
    assert_eq!(Some(child.span.span_id), span_id);
    assert_eq!(child.span.parent_span_id, segment_id);
    assert_eq!(text(child, "sentry.op"), Some("db.query"));
    assert_eq!(text(child, "plan"), Some("gold"), "a tag is an attribute");
    assert_eq!(child.span.attributes.get("rows"), Some(&Value::Int(3)));
    assert_eq!(child.span.status, SpanStatus::NotFound);
    assert_eq!(text(child, "sentry.status.message"), Some("not_found"), "ok and error do not tell that");
    assert_eq!(text(&spans[1], "sentry.status.message"), None);
    assert_eq!(client.losses().peek(), []);
}

#[test]
fn a_span_leaves_when_it_ends_and_not_later() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    let open = transaction.start_span("task", "open");
    transaction.start_span("task", "ended").finish();
    assert_eq!(names(&capture.take_spans()), ["ended"]);
    drop(open);
    assert_eq!(names(&capture.take_spans()), ["open"]);
    transaction.finish();
    assert_eq!(names(&capture.take_spans()), ["work"]);
}

#[test]
fn a_span_that_ends_or_starts_after_its_transaction_is_sent() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    let late = transaction.start_span("task", "late");
    let root = transaction.enter(current_span);
    transaction.finish();
    assert!(!root.is_recording() && root.records_children());
    late.set_data("still", true);
    let later = late.start_span("task", "later");
    root.start_span("task", "from the ended transaction").finish();
    let parents = (root.span_id(), late.span_id());
    late.finish();
    later.finish();
    let spans = capture.take_spans();
    assert_eq!(names(&spans), ["work", "from the ended transaction", "late", "later"]);
    assert_eq!(spans[2].span.attributes.get("still"), Some(&Value::Bool(true)));
    assert_eq!((spans[2].span.parent_span_id, spans[3].span.parent_span_id), parents);
    for captured in &spans {
        assert_eq!(text(captured, "sentry.segment.name"), Some("work"));
        assert_eq!(captured.dynamic_sampling_context, spans[0].dynamic_sampling_context);
    }
    assert_eq!(client.losses().peek(), []);
}

#[test]
fn handles_of_ended_spans_reach_no_other_span() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    let span = transaction.start_span("task", "first");
    let handle = span.enter(current_span);
    span.finish();
    let second = transaction.start_span("task", "second");
    handle.set_data("first", 1);
    handle.set_status(SpanStatus::Aborted);
    assert!(!handle.is_recording());
    second.finish();
    transaction.finish();
    let spans = capture.take_spans();
    assert!(spans.iter().all(|captured| captured.span.attributes.get("first").is_none()));
    assert!(spans.iter().all(|captured| captured.span.status == SpanStatus::Ok));
}

#[test]
fn there_is_no_limit_of_a_thousand_spans_but_one_of_open_ones() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    for _ in 0..3_000 {
        transaction.start_span("task", "step").finish();
    }
    assert_eq!(capture.take_spans().len(), 3_000);
    let open: Vec<_> = (0..10_003).map(|_| transaction.start_span("task", "open")).collect();
    assert_eq!(lost(&client, Reason::BufferOverflow, Category::Span), 3);
    assert_eq!(open[10_002].span_id(), transaction.span_id(), "what it calls finds a parent that exists");
    drop(open);
    transaction.start_span("task", "there is room again").finish();
    assert_eq!(capture.take_spans().len(), 10_001);
}

#[test]
fn unsampled_spans_are_counted_as_spans_only() {
    let (client, capture) = recording_with(stream().traces_sample_rate(0.0));
    let transaction = client.start_transaction("work", "task");
    transaction.start_span("task", "a").start_span("task", "b").finish();
    transaction.finish();
    let expected = DiscardedEvents { reason: Reason::SampleRate, category: Category::Span, quantity: 3 };
    assert_eq!(client.losses().take(), [expected]);
    assert_eq!(capture.take_spans().len(), 0);
}

#[test]
fn a_discarded_transaction_takes_along_what_has_not_been_sent() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    transaction.start_span("task", "sent before").finish();
    assert_eq!(capture.take_spans().len(), 1);
    transaction.start_span("task", "waiting").finish();
    let open = transaction.start_span("task", "open");
    transaction.discard(Reason::Ignored);
    drop(open);
    assert_eq!(capture.take_spans().len(), 0);
    let expected = DiscardedEvents { reason: Reason::Ignored, category: Category::Span, quantity: 3 };
    assert_eq!(client.losses().take(), [expected], "the transaction, the waiting one and the open one");
}

struct Checkout;

impl RequestParts for Checkout {
    fn method(&self) -> &str {
        "GET"
    }
    fn scheme(&self) -> &str {
        "https"
    }
    fn host(&self) -> &str {
        "shop.example:8443"
    }
    fn path(&self) -> &str {
        "/orders/7"
    }
    fn query(&self) -> Option<&str> {
        None
    }
    fn route(&self) -> Option<&str> {
        Some("/orders/{id}")
    }
    fn protocol_version(&self) -> &'static str {
        "1.1"
    }
    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8])) {
        each("accept", b"text/html");
        each("user-agent", b"kube-probe/1.30");
        each("accept", b"*/*");
        each("authorization", b"Bearer hunter2");
    }
}

#[test]
fn a_request_is_told_by_attributes_of_its_segment_alone() {
    let (client, capture) = recording_with(stream().server_name("web-1"));
    let collection = DataCollection::new();
    let options = TransactionOptions::new("GET /orders/{id}", "http.server");
    let transaction = client.start_transaction_with(&options.request(&Checkout).data_collection(&collection));
    transaction.start_span("task", "below").finish();
    transaction.finish_with_response(&ResponseParts { status: Some(200), ..ResponseParts::default() });
    let spans = capture.take_spans();
    let attribute = |span: usize, key: &str| spans[span].span.attributes.get(key).cloned();
    let texts = |texts: &[&'static str]| Some(Value::from(texts.to_vec()));
    assert_eq!(attribute(1, "http.request.method"), Some("GET".into()));
    assert_eq!(attribute(1, "http.response.status_code"), Some(200.into()));
    assert_eq!(
        attribute(1, "server.address"),
        Some("shop.example".into()),
        "of the request, not the machine"
    );
    assert_eq!(attribute(1, "http.request.header.accept"), texts(&["text/html", "*/*"]));
    assert_eq!(attribute(1, "http.request.header.authorization"), texts(&["[Filtered]"]));
    assert_eq!(attribute(0, "http.request.method"), None);
    assert_eq!(attribute(0, "server.address"), Some("web-1".into()));
}

#[test]
fn what_users_set_hides_nothing_that_sentry_needs() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    transaction.set_data("sentry.segment.id", "mine");
    transaction.set_tag("sentry.segment.name", "mine");
    transaction.set_data("both", "data");
    transaction.set_tag("both", "tag");
    transaction.set_data("empty", "");
    transaction.finish();
    let spans = capture.take_spans();
    assert_eq!(text(&spans[0], "sentry.segment.name"), Some("work"));
    assert_eq!(text(&spans[0], "sentry.segment.id"), Some(&*spans[0].span.span_id.to_string()));
    assert_eq!(text(&spans[0], "both"), Some("data"));
}

#[tokio::test]
async fn what_is_below_an_ignored_span_moves_up() {
    for lifecycle in [TraceLifecycle::Stream, TraceLifecycle::Static] {
        let rules = [IgnoreSpan::contains("cache"), IgnoreSpan::any().op("noise")];
        let (client, capture) = recording_with(stream().trace_lifecycle(lifecycle).ignore_spans(rules));
        let transaction = client.start_transaction("cache warmer", "task");
        assert!(!transaction.is_recording(), "a rule is for transactions as well");
        drop(transaction);
        client.losses().take();

        let transaction = client.start_transaction("work", "task");
        transaction
            .scope(in_span("db", "cache lookup", async {
                in_span("noise.loop", "x", async { in_span("db", "SELECT 1", async {}).await }).await;
            }))
            .await;
        let root = transaction.span_id();
        transaction.finish();
        let below: Vec<_> = if lifecycle == TraceLifecycle::Stream {
            let spans = capture.take_spans();
            spans.iter().map(|it| (it.span.name.to_string(), it.span.parent_span_id)).collect()
        } else {
            let spans = only(&capture).transaction.spans;
            spans.iter().map(|it| (it.description.clone().unwrap().into_owned(), it.parent_span_id)).collect()
        };
        assert_eq!(below[0], ("SELECT 1".to_owned(), root), "{lifecycle:?}");
        let expected = DiscardedEvents { reason: Reason::Ignored, category: Category::Span, quantity: 2 };
        assert_eq!(client.losses().take(), [expected], "{lifecycle:?}: one for each");
    }
}

#[test]
fn an_ignored_transaction_takes_its_tree_along_and_lets_the_trace_pass() {
    for (lifecycle, transactions) in [(TraceLifecycle::Stream, 0), (TraceLifecycle::Static, 1)] {
        let (client, capture) =
            recording_with(stream().trace_lifecycle(lifecycle).ignore_spans(["GET /health"]));
        let carrier = [("sentry-trace", SENTRY_TRACE)];
        let transaction = client.continue_trace(&carrier).start_transaction("GET /health", "http.server");
        let below = transaction.start_span("task", "a");
        below.start_span("task", "b").finish();
        let headers = below.sentry_trace().unwrap();
        assert_eq!(headers.span_id.to_string(), PARENT_ID, "who is called finds a parent that exists");
        assert_eq!(headers.sampled, Some(true), "the caller's decision goes on");
        drop(below);
        transaction.finish();
        assert_eq!((capture.take().len(), capture.take_spans().len()), (0, 0));
        assert_eq!(lost(&client, Reason::Ignored, Category::Span), 3, "{lifecycle:?}");
        assert_eq!(lost(&client, Reason::Ignored, Category::Transaction), transactions, "{lifecycle:?}");
    }
}

#[test]
fn a_transaction_that_starts_below_an_ignored_one_has_the_caller_as_its_parent() {
    let (client, capture) = recording_with(stream().ignore_spans(["outer"]));
    let outer = client.start_transaction("outer", "task");
    outer.enter(|| client.start_transaction("inner", "task").finish());
    let spans = capture.take_spans();
    assert_eq!(names(&spans), ["inner"]);
    assert_eq!(spans[0].span.parent_span_id, None);
    assert_eq!(Some(spans[0].span.trace_id), outer.trace_id());
}

#[test]
fn a_span_that_a_panic_ends_says_so() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("work", "task");
    let span = transaction.start_span("task", "breaks");
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _span = span;
        panic!("on purpose");
    }));
    assert_eq!(capture.take_spans()[0].span.status, SpanStatus::InternalError);
}

#[derive(Debug, Default)]
struct TransactionsOnly(Mutex<Vec<String>>);

impl Deliver for TransactionsOnly {
    fn deliver(&self, finished: FinishedTransaction) {
        let name = finished.transaction().map(|transaction| transaction.name.into_owned());
        self.0.lock().unwrap().extend(name);
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}

#[test]
fn who_delivers_transactions_only_gets_transactions() {
    let deliver = Arc::new(TransactionsOnly::default());
    let client = Client::new(stream(), Arc::<TransactionsOnly>::clone(&deliver), Arc::new(Losses::default()));
    let client = client.unwrap();
    let transaction = client.start_transaction("work", "task");
    transaction.start_span("task", "below").finish();
    transaction.finish();
    assert_eq!(*deliver.0.lock().unwrap(), ["work"]);
}

#[test]
fn the_context_is_frozen_when_somebody_reads_it_to_send() {
    let (client, capture) = streaming();
    let transaction = client.start_transaction("early", "task");
    transaction.start_span("task", "below").finish();
    transaction.set_name("later", TransactionSource::Custom);
    let read = capture.take_spans().remove(0);
    let told = |captured: &CapturedSpan| {
        captured.dynamic_sampling_context.as_ref().and_then(|dsc| dsc.get("transaction").map(str::to_owned))
    };
    assert_eq!(told(&read).as_deref(), Some("later"), "not when the span ended");
    transaction.set_name("too late", TransactionSource::Custom);
    transaction.finish();
    let segment = capture.take_spans().remove(0);
    assert_eq!((&*segment.span.name, told(&segment).as_deref()), ("too late", Some("later")));
}
