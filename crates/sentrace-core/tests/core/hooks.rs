//! User code inside sentrace: what it starts is not recorded, and its panics are contained.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sentrace_core::adapter::{catch_panic, in_hook, run_hook};
use sentrace_core::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, IdleOptions, Options, SpanOptions, TransactionOptions, current_span};

use crate::support::{SENTRY_TRACE, only, recording, recording_with};

/// What a hook may try to start, and why it might be recorded.
type Row = (fn(&Client), &'static str);

const STARTS: [Row; 9] = [
    (|client| client.start_transaction("inner", "task").finish(), "a transaction"),
    (
        |client| {
            client.start_transaction_with(&TransactionOptions::new("inner", "task").sampled(true)).finish();
        },
        "decided",
    ),
    (|client| client.start_new_trace().start_transaction("inner", "task").finish(), "in a trace of its own"),
    (
        |client| {
            let trace = client.continue_trace(&[("sentry-trace", SENTRY_TRACE)]);
            trace.start_transaction("inner", "task").finish();
        },
        "in a trace that came in",
    ),
    (|_| current_span().start_span("task", "inner").finish(), "a span below what is current"),
    (|_| drop(sentrace_core::start_span("task", "inner")), "a span below what is current, by function"),
    (|client| client.start_idle_transaction("inner").finish(), "an idle transaction"),
    (
        |client| {
            let options = TransactionOptions::new("inner", "task");
            client.start_idle_transaction_with(&options, IdleOptions::new().separate()).finish();
        },
        "an idle transaction of its own",
    ),
    (|client| client.push_activity("inner", Some(SpanOptions::new("task", "inner"))).pop(), "an activity"),
];

/// Creates a client whose sampler calls `start`, and counts how often it was called.
fn with_sampler(start: fn(&Client)) -> (Client, Arc<Capture>, Arc<AtomicUsize>) {
    let this: Arc<std::sync::OnceLock<Client>> = Arc::default();
    let (inside, asked) = (Arc::clone(&this), Arc::<AtomicUsize>::default());
    let count = Arc::clone(&asked);
    let (client, capture) = recording_with(Options::new().traces_sampler(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(client) = inside.get() {
            start(client);
        }
        1.0
    }));
    this.set(client.clone()).unwrap();
    (client, capture, asked)
}

#[test]
fn what_a_sampler_starts_is_neither_recorded_nor_counted_nor_decided_about() {
    for (start, reason) in STARTS {
        let (client, capture, asked) = with_sampler(start);
        let outer = client.start_transaction("outer", "task");
        // Also below a transaction, if something is current.
        outer.enter(|| client.start_transaction("below", "task").finish());
        outer.finish();
        let captured = capture.take();
        let names: Vec<_> = captured.iter().map(|captured| &*captured.transaction.name).collect();
        assert_eq!(names, ["below", "outer"], "{reason}");
        assert!(captured.iter().all(|captured| captured.transaction.spans.is_empty()), "{reason}");
        let stats = client.stats();
        assert_eq!((stats.sampled, stats.unsampled, stats.passed_through), (2, 0, 0), "{reason}");
        assert_eq!(client.losses().total(), [], "{reason}");
        assert_eq!(asked.load(Ordering::Relaxed), 2, "{reason}");
        assert!(!in_hook());
        client.close(Duration::ZERO);
    }
}

#[test]
fn what_a_hook_starts_below_an_unsampled_transaction_is_not_counted() {
    let (client, _capture) = recording_with(Options::new().traces_sample_rate(0.0));
    let outer = client.start_transaction("outer", "task");
    outer.enter(|| {
        for (start, _) in STARTS {
            run_hook(|| start(&client)).unwrap();
        }
    });
    assert_eq!(client.losses().total(), [], "only what is outside of hooks counts");
    outer.start_span("task", "outside").finish();
    assert_eq!(client.losses().total().len(), 1);
}

#[test]
fn calls_from_a_hook_carry_the_trace_that_is_current_around_it_or_the_processs() {
    let (client, _capture) = recording();
    let headers_of = |start: &dyn Fn() -> sentrace_core::Transaction| {
        catch_panic(|| start().enter(|| current_span().sentry_trace()))
    };
    let outer = client.start_transaction("outer", "task");
    let expected = outer.sentry_trace();
    let inside = outer.enter(|| headers_of(&|| client.start_transaction("inner", "task")));
    assert_eq!(inside.flatten(), expected, "below a span it is that span's");
    let inside = headers_of(&|| client.start_transaction("inner", "task"));
    assert_eq!(inside.flatten(), None, "elsewhere there is none to carry but the process's");
}

#[test]
fn an_open_idle_transaction_stays_open_whatever_a_hook_starts() {
    let (client, capture) = recording();
    let idle = client.start_idle_transaction("checkout");
    catch_panic(|| client.start_idle_transaction("inner"));
    assert!(idle.is_open() && capture.take().is_empty());
    idle.finish();
    assert_eq!(only(&capture).transaction.name, "checkout");
}

/// Records the delivery of each transaction, without end if that were possible.
#[derive(Debug)]
struct Recursive(std::sync::OnceLock<Client>, AtomicUsize);

impl Deliver for Recursive {
    fn deliver(&self, _: FinishedTransaction) {
        self.1.fetch_add(1, Ordering::Relaxed);
        if let Some(client) = self.0.get() {
            client.start_transaction("deliver", "task").finish();
        }
    }

    fn flush(&self, _: Duration) -> bool {
        true
    }
}

#[test]
fn delivering_is_not_recorded() {
    let deliver = Arc::new(Recursive(std::sync::OnceLock::new(), AtomicUsize::new(0)));
    let options = Options::new().traces_sample_rate(1.0);
    let client = Client::new(options, Arc::<Recursive>::clone(&deliver), Arc::<Losses>::default()).unwrap();
    deliver.0.set(client.clone()).unwrap();
    client.start_transaction("work", "task").finish();
    assert_eq!(deliver.1.load(Ordering::Relaxed), 1);
}

/// An error whose text is user code that traces, or panics.
struct Failure(Client, bool);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.start_transaction("inner", "task").finish();
        sentrace_core::start_span("task", "inner").finish();
        if self.1 {
            std::panic::panic_any(Bomb(3));
        }
        f.write_str("failed")
    }
}

/// A payload whose drop panics, this many times.
struct Bomb(u32);

impl Bomb {
    /// A closure that calls this captures all of it.
    fn levels(&self) -> u32 {
        self.0
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Self(self.0 - 1));
        }
    }
}

#[tokio::test]
async fn the_text_of_an_error_records_nothing_and_its_panic_stays_inside() {
    for panics in [false, true] {
        let (client, capture) = recording();
        let transaction = client.start_transaction("work", "task");
        let failing = async { Err::<(), _>(Failure(client.clone(), panics)) };
        let result = transaction.scope(sentrace_core::try_in_span("task", "step", failing)).await;
        assert!(result.is_err());
        transaction.finish();
        let captured = only(&capture);
        assert_eq!(captured.transaction.spans.len(), 1, "panics: {panics}");
        let message = captured.expect_span("step").data.get("error.message").cloned();
        assert_eq!(message, (!panics).then(|| "failed".into()));
    }
}

#[test]
fn a_panic_of_a_sampler_reaches_nobody_whatever_it_panics_with() {
    for levels in [0, 1, 2, 5, 50] {
        let (client, capture) = recording_with(
            Options::new()
                .traces_sample_rate(1.0)
                .traces_sampler(move |_| std::panic::panic_any(Bomb(levels))),
        );
        client.start_transaction("work", "task").finish();
        assert_eq!(only(&capture).transaction.name, "work", "{levels} levels");
    }
}

#[test]
fn captures_of_hooks_may_panic_when_the_last_client_is_dropped() {
    let (bomb, other) = (Bomb(2), Bomb(1));
    let options =
        Options::new().traces_sample_rate(1.0).traces_sampler(move |_| f64::from(Bomb::levels(&bomb).min(1)));
    let options = options.before_send_transaction(move |_| Bomb::levels(&other) == 1);
    let (client, capture) = recording_with(options);
    client.start_transaction("work", "task").finish();
    drop((client, only(&capture), capture));
}
