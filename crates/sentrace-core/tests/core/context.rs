//! Where a span is current: inside scopes and nowhere else.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use sentrace_core::{current_span, get_traceparent, in_span, start_span};
use sentrace_protocol::{SpanId, SpanStatus, Value};

use crate::support::{only, recording};

fn current() -> Option<SpanId> {
    current_span().span_id()
}

#[test]
fn enter_nests_and_restores() {
    let (client, capture) = recording();
    let (outer, other) =
        (client.start_transaction("outer", "task"), client.start_transaction("other", "task"));
    assert_eq!(current(), None);
    let answer = outer.enter(|| {
        assert_eq!(current(), outer.span_id());
        let child = start_span("task", "child");
        assert_eq!(current(), outer.span_id(), "starting makes nothing current");
        child.enter(|| {
            assert_eq!(current(), child.span_id());
            other.enter(|| assert_eq!(current(), other.span_id(), "another trace may come between"));
            outer.enter(|| assert_eq!(current(), outer.span_id(), "the same may come again"));
            assert_eq!(current(), child.span_id());
        });
        assert_eq!(current(), outer.span_id());
        7
    });
    assert_eq!((answer, current()), (7, None));
    drop((outer, other));
    assert_eq!(capture.take().len(), 2);
}

#[test]
fn a_panic_restores_what_was_current() {
    let (client, _) = recording();
    let outer = client.start_transaction("outer", "task");
    outer.enter(|| {
        let child = start_span("task", "child");
        let panicked = catch_unwind(AssertUnwindSafe(|| child.enter(|| panic!("inside"))));
        assert!(panicked.is_err());
        assert_eq!(current(), outer.span_id());
    });
    assert_eq!(current(), None);
}

#[tokio::test]
async fn a_scope_is_current_on_every_poll_and_not_between() {
    let (client, _) = recording();
    let transaction = client.start_transaction("work", "task");
    let scoped = transaction.scope(async {
        for _ in 0..3 {
            assert_eq!(current(), transaction.span_id());
            tokio::task::yield_now().await;
        }
    });
    let mut scoped = std::pin::pin!(scoped);
    std::future::poll_fn(|cx| {
        let polled = scoped.as_mut().poll(cx);
        assert_eq!(current(), None, "between polls");
        polled
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_moves_between_threads() {
    let (client, capture) = recording();
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let transaction = client.start_transaction(format!("work {n}"), "task");
            tokio::spawn(async move {
                let expected = transaction.span_id();
                let work = transaction.scope(async move {
                    for _ in 0..20 {
                        assert_eq!(current(), expected);
                        tokio::task::yield_now().await;
                    }
                });
                work.await;
                assert_eq!(current(), None);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(capture.take().len(), 50);
}

/// Marks the current span when it is dropped.
struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        current_span().set_data("dropped", "here");
    }
}

#[tokio::test]
async fn a_scope_that_loses_a_race_ends_inside_and_leaves_the_context_as_it_was() {
    let (client, capture) = recording();
    let outer = client.start_transaction("outer", "task");
    let loser = client.start_transaction("loser", "task");
    outer
        .scope(async {
            let losing = loser.scope(async {
                let _held = Held;
                pending::<()>().await;
            });
            tokio::select! {
                biased;
                () = losing => unreachable!("it never ends"),
                () = tokio::task::yield_now() => {}
            }
            assert_eq!(current(), outer.span_id());
        })
        .await;
    loser.finish();
    outer.finish();
    let captured = capture.take();
    let dropped = |name: &str| {
        let found = captured.iter().find(|captured| captured.transaction.name == name).unwrap();
        found.transaction.trace.data.get("dropped").cloned()
    };
    assert_eq!(dropped("loser"), Some(Value::from("here")), "what the loser held ended inside it");
    assert_eq!(dropped("outer"), None);
}

#[tokio::test]
async fn futures_that_run_side_by_side_are_never_each_others_parents() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let branch = |name: &'static str| {
        in_span("task", name, async move {
            for step in 0..3 {
                in_span("step", format!("{name} {step}"), tokio::task::yield_now()).await;
            }
        })
    };
    transaction.scope(async { tokio::join!(branch("a"), branch("b"), branch("c")) }).await;
    let root = transaction.span_id();
    transaction.finish();
    let spans = only(&capture).transaction.spans;
    assert_eq!(spans.len(), 12);
    let named = |name: &str| {
        let found = spans.iter().find(|span| span.description.as_deref() == Some(name));
        found.unwrap_or_else(|| panic!("{name} was recorded"))
    };
    for branch in ["a", "b", "c"] {
        assert_eq!(named(branch).parent_span_id, root, "{branch}");
        for step in 0..3 {
            let step = format!("{branch} {step}");
            assert_eq!(named(&step).parent_span_id, Some(named(branch).span_id), "{step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_threads_keep_the_trace_when_they_are_asked_to_and_only_then() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let expected = transaction.span_id();
    transaction
        .scope(async {
            assert_eq!(tokio::spawn(async { current() }).await.unwrap(), None, "a task of its own");
            let asked = current_span().scope(async { in_span("task", "spawned", async { current() }).await });
            assert_ne!(tokio::spawn(asked).await.unwrap(), expected, "in its own span");

            assert_eq!(
                tokio::task::spawn_blocking(current).await.unwrap(),
                None,
                "a blocking task of its own"
            );
            let span = current_span();
            let asked = move || span.enter(|| (current(), start_span("task", "blocking").finish()).0);
            assert_eq!(tokio::task::spawn_blocking(asked).await.unwrap(), expected);

            assert_eq!(std::thread::spawn(current).join().unwrap(), None, "a thread of its own");
            assert_eq!(
                std::thread::spawn(get_traceparent).join().unwrap(),
                None,
                "which carries no trace on"
            );
        })
        .await;
    transaction.finish();
    let spans = only(&capture).transaction.spans;
    let mut told: Vec<_> =
        spans.iter().map(|span| (span.description.as_deref().unwrap(), span.parent_span_id)).collect();
    told.sort_unstable();
    assert_eq!(told, [("blocking", expected), ("spawned", expected)]);
}

#[tokio::test]
async fn a_spawned_task_may_outlive_its_transaction() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let (resume, told) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(transaction.scope(async {
        told.await.unwrap();
        current_span().set_data("late", true);
        start_span("task", "late").finish();
        get_traceparent().is_some()
    }));
    transaction.finish();
    resume.send(()).unwrap();
    assert!(
        tokio::time::timeout(Duration::from_secs(10), task).await.unwrap().unwrap(),
        "the trace still goes on"
    );
    let captured = only(&capture);
    assert_eq!(captured.transaction.trace.data.get("late"), None);
    assert_eq!(captured.transaction.spans.len(), 0);
}

#[tokio::test]
async fn in_span_says_how_its_future_ended() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let panics = async {
        in_span("task", "panics", async { panic!("inside") }).await;
    };
    transaction
        .scope(async {
            assert_eq!(in_span("task", "ready", async { 7 }).await, 7);
            tokio::select! {
                biased;
                () = in_span("task", "dropped", pending()) => {}
                () = tokio::task::yield_now() => {}
            }
        })
        .await;
    assert!(tokio::spawn(transaction.scope(panics)).await.is_err());
    let polled_never = transaction.enter(|| in_span("task", "polled never", async {}));
    drop(polled_never);
    transaction.finish();
    let spans = only(&capture).transaction.spans;
    let told: Vec<_> = spans.iter().map(|span| (span.description.as_deref().unwrap(), span.status)).collect();
    let expected = [
        ("ready", Some(SpanStatus::Ok)),
        ("dropped", Some(SpanStatus::Cancelled)),
        ("panics", Some(SpanStatus::InternalError)),
    ];
    assert_eq!(told, expected, "a future that is never polled has done nothing");
}

#[test]
fn where_nothing_is_current_everything_may_be_called() {
    let span = current_span();
    assert!(span.is_none() && !span.is_recording());
    assert_eq!((span.trace_id(), span.span_id(), span.sampled()), (None, None, None));
    span.set_data("a", 1);
    span.set_tag("a", "b");
    span.set_status(SpanStatus::Aborted);
    span.enter(|| start_span("task", "x").enter(|| assert!(current_span().is_none())));
    assert_eq!(span.sentry_trace(), None);
    assert_eq!(span.baggage(), None);
    assert_eq!(span.trace_headers(), None);
    assert!(span.client().is_none());
}
