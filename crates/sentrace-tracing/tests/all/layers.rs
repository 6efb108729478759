//! Several layers in one subscriber, several subscribers, and layers that are removed.

use std::sync::mpsc;

use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Client, current_span};
use sentrace_tracing::{TracingLayer, layer};
use tracing::{Dispatch, Level, error, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Registry, registry, reload};

use crate::support::{recording, sampled};

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// Subscribers with several layers of ours, and how they got there.
fn doubled() -> Vec<(&'static str, Dispatch)> {
    let boxed = || -> Boxed { Box::new(layer()) };
    vec![
        ("one on the other", registry().with(layer()).with(layer()).into()),
        ("in a Vec", registry().with(vec![layer(), layer(), layer()]).into()),
        ("boxed in a Vec", registry().with(vec![boxed(), boxed()]).into()),
        ("joined", registry().with(layer().and_then(layer())).into()),
        ("joined, on a third one", registry().with(layer()).with(layer().and_then(layer())).into()),
        ("optional", registry().with(Some(layer())).with(Some(layer())).into()),
        ("boxed", registry().with(boxed()).with(layer()).into()),
        (
            "filtered",
            registry()
                .with(layer().with_filter(LevelFilter::DEBUG))
                .with(layer().with_filter(LevelFilter::TRACE))
                .into(),
        ),
        (
            "reloadable",
            registry().with(reload::Layer::new(layer()).0).with(reload::Layer::new(layer()).0).into(),
        ),
    ]
}

fn query() {
    tracing::event!(target: "sqlx::query", Level::DEBUG, summary = "SELECT 1", db.statement = "", elapsed_secs = 0.001_f64);
}

fn record(subscriber: Dispatch, run: impl FnOnce()) -> CapturedTransaction {
    let _default = tracing::dispatcher::set_default(&subscriber);
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    transaction.enter(run);
    transaction.finish();
    capture.expect_transaction("work")
}

#[test]
fn several_layers_in_one_subscriber_record_once() {
    for (reason, subscriber) in doubled() {
        let captured = record(subscriber, || {
            info_span!("inner", n = 1).in_scope(|| {
                query();
                error!("failed");
            });
            assert!(!current_span().is_none(), "what was current comes back");
        });
        let spans = &captured.transaction.spans;
        assert_eq!(spans.len(), 2, "{reason}: {spans:?}");
        assert_eq!(
            captured.expect_span("SELECT ?").parent_span_id,
            Some(captured.expect_span("inner").span_id)
        );
    }
}

#[test]
fn several_layers_in_one_subscriber_count_once() {
    for (reason, subscriber) in doubled() {
        let (client, _capture) = sampled(0.0);
        let _default = tracing::dispatcher::set_default(&subscriber);
        let transaction = client.start_transaction("work", "task");
        transaction.enter(|| {
            info_span!("inner").in_scope(|| {});
            query();
        });
        let lost: u64 = client.losses().take().iter().map(|lost| lost.quantity).sum();
        assert_eq!(lost, 2, "{reason}");
    }
}

#[test]
fn layers_with_clients_of_their_own_record_each_what_is_theirs() {
    let ((one, of_one), (two, of_two)) = (recording(), recording());
    let own =
        |client: &Client| layer().client(client.clone()).transactions(|metadata| metadata.name() == "job");
    for (reason, subscriber) in [
        ("in a Vec", Dispatch::from(registry().with(vec![own(&one), own(&two), own(&one)]))),
        ("one on the other", registry().with(own(&one)).with(own(&two)).into()),
    ] {
        let _default = tracing::dispatcher::set_default(&subscriber);
        info_span!("job").in_scope(|| info_span!("step").in_scope(query));
        assert!(current_span().is_none(), "{reason}: nothing stays current");
        for capture in [&of_one, &of_two] {
            let captured = capture.take().remove(0);
            assert_eq!(captured.transaction.spans.len(), 2, "{reason}");
            let step = captured.expect_span("step");
            assert_eq!(step.parent_span_id, Some(captured.transaction.trace.span_id), "{reason}");
            assert_eq!(captured.expect_span("SELECT ?").parent_span_id, Some(step.span_id), "{reason}");
            assert_eq!(capture.take().len(), 0, "{reason}");
        }
        // What is by hand, and of neither, one of them records.
        let (other, of_other) = recording();
        let transaction = other.start_transaction("work", "task");
        transaction.enter(|| info_span!("step").in_scope(|| {}));
        transaction.finish();
        assert_eq!(of_other.expect_transaction("work").transaction.spans.len(), 1, "{reason}");
    }
}

#[test]
fn when_one_of_two_layers_is_removed_the_other_takes_over() {
    let (inner, inner_handle) = reload::Layer::new(Some(layer()));
    let (outer, outer_handle) = reload::Layer::new(Some(layer()));
    let subscriber = Dispatch::from(registry().with(vec![inner, outer]));
    inner_handle.reload(None::<TracingLayer>).unwrap();
    let captured = record(subscriber.clone(), || info_span!("inner").in_scope(|| {}));
    assert_eq!(captured.transaction.spans.len(), 1);
    outer_handle.reload(None::<TracingLayer>).unwrap();
    let captured = record(subscriber, || info_span!("inner").in_scope(|| {}));
    assert_eq!(captured.transaction.spans.len(), 0);
}

#[test]
fn a_layer_that_is_put_in_later_records_nothing_twice() {
    let (below, handle) = reload::Layer::new(None::<TracingLayer>);
    let below_the_other = Dispatch::from(registry().with(below).with(layer()));
    handle.reload(layer()).unwrap();
    let (on, handle) = reload::Layer::new(None::<TracingLayer>);
    let on_the_other = Dispatch::from(registry().with(layer()).with(on));
    handle.reload(layer()).unwrap();
    let both = registry().with(reload::Layer::new(Some(layer())).0).with(reload::Layer::new(Some(layer())).0);
    for (reason, subscriber) in [
        ("below the other", below_the_other),
        ("on the other", on_the_other),
        ("both may be removed", both.into()),
    ] {
        record(subscriber.clone(), || info_span!("the first one may be told twice").in_scope(|| {}));
        let captured = record(subscriber, || info_span!("inner").in_scope(query));
        assert_eq!(captured.transaction.spans.len(), 2, "{reason}");
    }
}

#[test]
fn subscribers_that_are_built_one_after_the_other_are_not_taken_for_one() {
    let subscribers = [(); 3].map(|()| registry().with(vec![layer()]));
    let plain = [(); 3].map(|()| registry().with(layer()));
    let subscribers = subscribers.map(Dispatch::from).into_iter().chain(plain.map(Dispatch::from));
    for subscriber in subscribers {
        let captured = record(subscriber, || info_span!("inner").in_scope(query));
        assert_eq!(captured.transaction.spans.len(), 2);
    }
}

/// Whether two transactions begin traces of their own, so that nothing is current.
fn begin_traces_of_their_own(client: &Client) -> bool {
    let (one, two) = (client.start_transaction("a", "task"), client.start_transaction("b", "task"));
    one.trace_id() != two.trace_id()
}

#[test]
fn a_removed_layer_leaves_nothing_current() {
    let (client, _capture) = recording();
    let of_client = || layer().transactions(|_| true).client(client.clone());
    for replaced in [false, true] {
        let (layer, handle) = reload::Layer::new(Some(of_client()));
        let _default = tracing::subscriber::set_default(registry().with(layer));
        let first = info_span!("first");
        let entered = first.enter();
        let second = info_span!("second").entered();
        assert!(!current_span().is_none());
        handle.reload(replaced.then(of_client)).unwrap();
        assert!(current_span().is_none(), "already while the spans are entered");
        drop(entered);
        drop(second);
        assert!(current_span().is_none());
        assert!(begin_traces_of_their_own(&client), "though the handle is still there");
        drop(first);
        assert!(begin_traces_of_their_own(&client));
        if replaced {
            info_span!("third").in_scope(|| assert!(!current_span().is_none(), "the new layer works"));
            assert!(begin_traces_of_their_own(&client));
        }
    }
}

#[test]
fn a_layer_that_another_thread_removes_leaves_nothing_current() {
    let (client, _capture) = recording();
    let (layer, handle) = reload::Layer::new(Some(layer().transactions(|_| true).client(client.clone())));
    let subscriber = Dispatch::from(registry().with(layer));
    let (entered, is_entered) = mpsc::channel();
    let (removed, is_removed) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _default = tracing::dispatcher::set_default(&subscriber);
        let outer = client.start_transaction("outer", "task");
        outer.enter(|| {
            let span = info_span!(parent: None, "first");
            let guard = span.enter();
            assert_ne!(current_span().span_id(), outer.span_id());
            entered.send(()).unwrap();
            is_removed.recv().unwrap();
            assert_eq!(current_span().span_id(), outer.span_id(), "what was current before comes back");
            drop(guard);
            assert_eq!(current_span().span_id(), outer.span_id());
        });
        assert!(begin_traces_of_their_own(&client));
    });
    is_entered.recv().unwrap();
    handle.reload(None::<TracingLayer>).unwrap();
    removed.send(()).unwrap();
    thread.join().unwrap();
}

#[test]
fn a_subscriber_may_end_before_its_spans() {
    let (client, capture) = recording();
    let subscriber = Dispatch::from(registry().with(layer().transactions(|_| true).client(client.clone())));
    let default = tracing::dispatcher::set_default(&subscriber);
    let span = info_span!("first");
    let entered = span.enter();
    drop(default);
    drop(subscriber);
    drop(entered);
    assert!(current_span().is_none());
    std::thread::spawn(move || drop(span)).join().unwrap();
    assert_eq!(capture.take().len(), 1, "it ended with the span");
    assert!(begin_traces_of_their_own(&client));
}

#[test]
fn a_filter_that_changes_while_a_span_is_entered_changes_nothing_for_it() {
    let (client, capture) = recording();
    let (filter, handle) = reload::Layer::new(EnvFilter::new("trace"));
    let layer = layer().transactions(|_| true).client(client.clone()).with_filter(filter);
    let _default = tracing::subscriber::set_default(registry().with(layer));
    let span = info_span!("first");
    let entered = span.enter();
    handle.reload(EnvFilter::new("off")).unwrap();
    drop(entered);
    drop(span);
    assert!(begin_traces_of_their_own(&client));
    assert_eq!(capture.take().iter().filter(|captured| captured.transaction.name == "first").count(), 1);
}

#[test]
fn equal_span_ids_of_two_subscribers_are_told_apart() {
    let (client, _capture) = recording();
    let subscriber = || Dispatch::from(registry().with(layer()));
    let (one, two) = (subscriber(), subscriber());
    let transaction = client.start_transaction("work", "task");
    transaction.enter(|| {
        let first = tracing::dispatcher::with_default(&one, || info_span!("first"));
        let second = tracing::dispatcher::with_default(&two, || info_span!("second"));
        assert_eq!(first.id(), second.id(), "as registries give them");
        for first_leaves_first in [true, false] {
            let in_first = first.enter();
            let of_first = current_span().span_id();
            let in_second = second.enter();
            let of_second = current_span().span_id();
            assert_ne!(of_first, of_second);
            if first_leaves_first {
                drop(in_first);
                assert_eq!(current_span().span_id(), of_second);
                drop(in_second);
            } else {
                drop(in_second);
                assert_eq!(current_span().span_id(), of_first);
                drop(in_first);
            }
            assert_eq!(current_span().span_id(), transaction.span_id());
        }
    });
}
