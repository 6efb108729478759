//! Transactions that last as long as something is active in them.

use std::time::{Duration, Instant};

use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{
    Activity, Client, IdleOptions, IdleTransaction, Options, SpanOptions, TraceLifecycle, TransactionOptions,
    current_span,
};
use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SpanStatus, TransactionSource, Value};

use crate::support::{lost, only, recording, recording_with};

/// So long that nothing ends by waiting.
const NEVER: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_millis(100);

fn options() -> Options {
    Options::new().traces_sample_rate(1.0).idle_timeout(IDLE)
}

fn task(description: &str) -> Option<SpanOptions<'_>> {
    Some(SpanOptions::new("task", description))
}

fn reason(captured: &CapturedTransaction) -> Option<&Value<'static>> {
    captured.transaction.trace.data.get("sentry.idle_span_finish_reason")
}

fn duration(captured: &CapturedTransaction) -> Duration {
    captured.transaction.timestamp.0.checked_sub(captured.transaction.start_timestamp.0).unwrap()
}

/// Waits for several idle timeouts, so that everything idle has ended.
fn let_idle_times_pass() {
    let (client, capture) = recording_with(options().idle_timeout(IDLE * 3));
    client.start_idle_transaction("as long as it takes");
    capture.expect_transaction("as long as it takes");
}

#[test]
fn it_ends_by_itself_when_the_last_activity_ended() {
    let (client, capture) = recording_with(options());
    let started = Instant::now();
    let idle = client.start_idle_transaction("checkout");
    let outer = client.push_activity("outer", task("outer"));
    let inner = client.push_activity("inner", None);
    inner.pop();
    outer.pop();
    let active = started.elapsed();
    let captured = capture.expect_transaction("checkout");
    assert!(started.elapsed() >= IDLE, "it waited for more");
    assert!(!idle.is_open());
    let outer = captured.expect_span("outer");
    assert_eq!(captured.transaction.timestamp, outer.timestamp, "the last thing in it was `outer`");
    assert!(duration(&captured) <= active, "the wait is not part of it");
    assert_eq!(reason(&captured), Some(&Value::from("idleTimeout")));
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok));
    assert_eq!(outer.parent_span_id, Some(captured.transaction.trace.span_id));
}

#[test]
fn an_activity_without_a_span_is_an_end_too() {
    let (client, capture) = recording_with(options());
    client.start_idle_transaction("upload");
    let first = client.push_activity("first", task("first"));
    let second = client.push_activity("second", None);
    first.pop();
    let before = Instant::now();
    while before.elapsed() < Duration::from_millis(2) {
        std::thread::yield_now();
    }
    second.pop();
    let captured = capture.expect_transaction("upload");
    let after = captured.transaction.timestamp.0 - captured.expect_span("first").timestamp.0;
    assert!((Duration::from_millis(2)..IDLE).contains(&after), "{after:?} after the span");
    assert_eq!(captured.transaction.spans.len(), 1);
}

#[test]
fn what_is_open_keeps_it_open() {
    let (client, capture) = recording_with(options());
    type Keep = fn(&Client, &IdleTransaction) -> Box<dyn std::any::Any>;
    let rows: [(Keep, &str); 4] = [
        (|client, _| Box::new(client.push_activity("work", None)), "an activity"),
        (|client, _| Box::new(client.push_activity("work", task("work"))), "an activity with a span"),
        (|_, idle| Box::new(idle.start_span("task", "work")), "a span"),
        (
            |_, idle| {
                let left = idle.start_span("task", "work");
                left.end_provisionally();
                Box::new(left)
            },
            "a span of `tracing` that is only left",
        ),
    ];
    for (keep, reason) in rows {
        let idle = client.start_idle_transaction(reason);
        let kept = keep(&client, &idle);
        let_idle_times_pass();
        assert!(idle.is_open() && capture.take().is_empty(), "{reason}");
        drop(kept);
        capture.expect_transaction(reason);
        assert!(!idle.is_open(), "{reason}");
    }
}

#[test]
fn spans_of_spans_and_of_other_threads_count() {
    let (client, capture) = recording_with(options());
    let idle = client.start_idle_transaction("session");
    let parent = idle.start_span("task", "parent");
    let child = std::thread::scope(|scope| {
        scope.spawn(|| parent.enter(|| sentrace_core::start_span("task", "child"))).join().unwrap()
    });
    parent.finish();
    let_idle_times_pass();
    assert!(idle.is_open());
    child.finish();
    let captured = capture.expect_transaction("session");
    assert_eq!(captured.transaction.timestamp, captured.expect_span("child").timestamp);
}

#[test]
fn each_activity_starts_the_wait_anew() {
    let (client, capture) = recording_with(options());
    let idle = client.start_idle_transaction("session");
    let started = Instant::now();
    let (mut last, mut longest_gap) = (started, Duration::ZERO);
    while started.elapsed() < IDLE * 3 {
        idle.push_activity("message", None).pop();
        longest_gap = longest_gap.max(last.elapsed());
        last = Instant::now();
        std::thread::yield_now();
    }
    if longest_gap >= IDLE {
        // On a machine this busy it really was idle in between.
        return;
    }
    assert!(idle.is_open());
    let captured = capture.expect_transaction("session");
    assert!(duration(&captured) >= IDLE * 2, "{:?}", duration(&captured));
}

#[test]
fn the_final_timeout_ends_it_whatever_goes_on() {
    let (client, capture) = recording_with(options().final_timeout(IDLE * 2));
    let idle = client.start_idle_transaction("stuck");
    let done = client.push_activity("done", task("done"));
    done.pop();
    let forgotten = client.push_activity("forgotten", task("forgotten"));
    let failed = idle.start_span("task", "failed");
    failed.set_status(SpanStatus::Aborted);
    let captured = capture.expect_transaction("stuck");
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::DeadlineExceeded));
    assert_eq!(reason(&captured), Some(&Value::from("finalTimeout")));
    assert!(duration(&captured) <= IDLE * 2, "{:?}", duration(&captured));
    let unfinished = captured.expect_span("forgotten");
    assert_eq!(unfinished.status, Some(SpanStatus::Cancelled));
    assert_eq!(unfinished.timestamp, captured.transaction.timestamp);
    assert_eq!(captured.expect_span("done").status, Some(SpanStatus::Ok));
    assert_eq!(captured.expect_span("failed").status, Some(SpanStatus::Aborted), "its own word stays");
    assert_eq!(lost(&client, Reason::InsufficientData, Category::Span), 0);
    forgotten.pop();
    failed.finish();
    assert!(capture.take().is_empty(), "nothing comes after the end");
}

#[test]
fn a_status_by_hand_stays() {
    let (client, capture) = recording_with(options().final_timeout(IDLE));
    let idle = client.start_idle_transaction("stuck");
    idle.set_status(SpanStatus::Unavailable);
    let kept = idle.push_activity("kept", None);
    let captured = capture.expect_transaction("stuck");
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Unavailable));
    kept.pop();
}

#[test]
fn finishing_it_ends_it_at_once() {
    let (client, capture) = recording_with(options().idle_timeout(NEVER).final_timeout(NEVER));
    let idle = client.start_idle_transaction("checkout");
    idle.set_name("shop checkout", TransactionSource::Custom);
    let cart = client.push_activity("cart", task("cart"));
    cart.pop();
    client.finish_idle_transaction();
    let captured = only(&capture);
    assert_eq!(captured.transaction.name, "shop checkout");
    assert_eq!(captured.transaction.timestamp, captured.expect_span("cart").timestamp);
    assert_eq!(reason(&captured), Some(&Value::from("externalFinish")));

    client.finish_idle_transaction();
    idle.finish();
    assert!(capture.take().is_empty(), "it ends once");

    client.start_idle_transaction("interrupted");
    let cart = client.push_activity("cart", task("cart"));
    client.finish_idle_transaction();
    assert_eq!(only(&capture).expect_span("cart").status, Some(SpanStatus::Cancelled));
    cart.pop();
}

#[test]
fn where_none_is_open_pushing_does_nothing() {
    let (client, capture) = recording_with(options().idle_timeout(NEVER));
    let ended = client.start_idle_transaction("ended");
    ended.finish();
    let activities = [
        (recording().0.push_activity("cart", task("cart")), "never started"),
        (client.push_activity("cart", task("cart")), "ended"),
        (ended.push_activity("cart", task("cart")), "ended, by its handle"),
        (IdleTransaction::none().push_activity("cart", None), "no client"),
        (sentrace_core::push_activity("cart", task("cart")), "no client is bound"),
    ];
    for (activity, reason) in activities {
        assert!(activity.is_none() && activity.span().is_none(), "{reason}");
        sentrace_core::pop_activity(activity);
    }
    sentrace_core::finish_idle_transaction();
    assert!(!sentrace_core::start_idle_transaction("no client is bound").is_open());
    assert_eq!(only(&capture).transaction.spans.len(), 0);
}

#[test]
fn a_client_has_one_at_a_time() {
    let (client, capture) = recording_with(options().idle_timeout(NEVER).final_timeout(NEVER));
    let first = client.start_idle_transaction("first");
    let first_work = client.push_activity("work", task("first work"));
    let second = client.start_idle_transaction("second");
    assert!(!first.is_open() && second.is_open());
    let captured = only(&capture);
    assert_eq!(reason(&captured), Some(&Value::from("cancelled")));
    assert_eq!(captured.expect_span("first work").status, Some(SpanStatus::Cancelled));
    assert_ne!(first.trace_id(), second.trace_id());

    first_work.pop();
    client.push_activity("work", task("second work")).pop();
    client.finish_idle_transaction();
    only(&capture).expect_span("second work");
}

#[test]
fn separate_ones_are_found_by_scope_and_handle_only() {
    let (client, capture) = recording_with(options().idle_timeout(NEVER).final_timeout(NEVER));
    let page = client.start_idle_transaction("page");
    let chats = ["red", "green", "blue"].map(|name| {
        let options = TransactionOptions::new(name, "websocket.server");
        client.start_idle_transaction_with(&options, IdleOptions::new().separate())
    });
    assert!(page.is_open() && chats.iter().all(IdleTransaction::is_open));
    for chat in &chats {
        chat.enter(|| {
            let message = sentrace_core::push_activity("message", task("read the message"));
            let nested =
                message.span().enter(|| sentrace_core::push_activity("reply", task("write a reply")));
            assert_ne!(nested.span().span_id(), message.span().span_id());
        });
    }
    client.push_activity("click", task("click")).pop();
    chats[0].enter(|| client.finish_idle_transaction());
    assert_eq!(chats.each_ref().map(IdleTransaction::is_open), [false, true, true]);
    for chat in &chats {
        chat.finish();
        let captured = only_or_first(&capture);
        let [message, reply] = ["read the message", "write a reply"].map(|name| captured.expect_span(name));
        assert_eq!(reply.parent_span_id, Some(message.span_id), "below what is current in it");
        assert_eq!(captured.transaction.spans.len(), 2);
    }
    page.finish();
    assert_eq!(only(&capture).transaction.spans.len(), 1, "the page has its click");
}

fn only_or_first(capture: &Capture) -> CapturedTransaction {
    let captured = capture.wait_for(1, Duration::from_secs(5));
    assert_eq!(captured.len(), 1, "{captured:#?}");
    captured.into_iter().next().unwrap()
}

#[test]
fn dropping_a_handle_ends_nothing_and_dropping_an_activity_ends_it() {
    let (client, capture) = recording_with(options());
    drop(client.start_idle_transaction("session"));
    let activity: Activity = client.push_activity("work", None);
    let_idle_times_pass();
    assert!(capture.take().is_empty());
    drop(activity);
    capture.expect_transaction("session");
}

#[test]
fn one_in_which_nothing_ever_happened_has_no_duration() {
    let (client, capture) = recording_with(options());
    client.start_idle_transaction("nothing");
    let captured = capture.expect_transaction("nothing");
    assert!(duration(&captured) < IDLE / 2, "{:?}: the wait counts for nothing", duration(&captured));
}

#[test]
fn closing_the_client_ends_what_is_open() {
    let (client, capture) = recording_with(options().idle_timeout(NEVER).final_timeout(NEVER));
    let (other, other_capture) = recording_with(options().idle_timeout(NEVER).final_timeout(NEVER));
    let chat = TransactionOptions::new("chat", "websocket.server");
    client.start_idle_transaction("page");
    client.start_idle_transaction_with(&chat, IdleOptions::new().separate());
    let others = other.start_idle_transaction("another client's");
    client.close(Duration::ZERO);
    let mut names: Vec<_> = capture.take().into_iter().map(|captured| captured.transaction.name).collect();
    names.sort();
    assert_eq!(names, ["chat", "page"]);
    assert!(others.is_open() && other_capture.take().is_empty());
    others.finish();
}

#[test]
fn it_continues_the_trace_that_it_starts_in() {
    let (client, capture) = recording_with(options().idle_timeout(NEVER));
    let request = client.start_transaction("GET /chat", "http.server");
    let chat = request.enter(|| sentrace_core::start_idle_transaction("chat"));
    assert_eq!(chat.trace_id(), request.trace_id());
    request.finish();
    chat.enter(|| assert_eq!(current_span().span_id(), chat.span_id()));
    chat.finish();
    let captured = capture.take();
    assert_eq!(captured[1].transaction.trace.parent_span_id, Some(captured[0].transaction.trace.span_id));
}

#[test]
fn with_streamed_spans_it_ends_with_the_last_of_them() {
    let (client, capture) = recording_with(options().trace_lifecycle(TraceLifecycle::Stream));
    let idle = client.start_idle_transaction("session");
    let open = idle.start_span("task", "open");
    idle.start_span("task", "ended").finish();
    let_idle_times_pass();
    assert!(idle.is_open());
    open.finish();
    let spans = capture.wait_for_spans(3, Duration::from_secs(5));
    let named = |name: &str| &spans.iter().find(|span| span.span.name == name).unwrap().span;
    assert_eq!(named("session").end_timestamp, named("open").end_timestamp);

    let idle = client.start_idle_transaction("interrupted");
    let open = idle.start_span("task", "cancelled");
    idle.finish();
    let spans = capture.wait_for_spans(2, Duration::from_secs(5));
    assert_eq!(spans[0].span.name, "cancelled");
    assert_eq!(spans[0].span.status, SpanStatus::Cancelled);
    open.finish();
    assert!(capture.take_spans().is_empty());
}

#[test]
fn one_that_is_not_sampled_ends_as_well_and_is_counted() {
    let (client, capture) = recording_with(options().traces_sample_rate(0.0));
    let idle = client.start_idle_transaction("session");
    let work = client.push_activity("work", task("work"));
    assert!(!work.is_none() && idle.is_open());
    work.pop();
    let_idle_times_pass();
    assert!(!idle.is_open() && capture.take().is_empty());
    assert_eq!(lost(&client, Reason::SampleRate, Category::Transaction), 1);
    assert_eq!(lost(&client, Reason::SampleRate, Category::Span), 2);
}

#[test]
fn with_tracing_off_there_is_only_a_trace_to_hand_on() {
    let (client, capture) = recording_with(Options::new());
    let idle = client.start_idle_transaction("session");
    assert!(!idle.is_open() && idle.trace_headers().is_some());
    assert!(client.push_activity("work", None).is_none());
    idle.finish();
    assert!(capture.take().is_empty());
    assert!(client.losses().peek().is_empty());
}

#[test]
fn a_deliverer_that_panics_stops_no_others() {
    #[derive(Debug)]
    struct Panics;
    impl sentrace_core::deliver::Deliver for Panics {
        fn deliver(&self, _: sentrace_core::deliver::FinishedTransaction) {
            panic!("on purpose");
        }
        fn flush(&self, _: Duration) -> bool {
            true
        }
    }
    let panics = Client::new(options(), std::sync::Arc::new(Panics), std::sync::Arc::default()).unwrap();
    let bad = panics.start_idle_transaction("bad");
    let_idle_times_pass();
    assert!(!bad.is_open());
    let_idle_times_pass();
}
