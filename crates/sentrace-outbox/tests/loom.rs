//! The queue under every interleaving and every reordering that the memory model allows, within a bound of preemptions.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p sentrace-outbox --release --test loom`

#![cfg(loom)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use loom::model::Builder;
use loom::sync::Notify;
use loom::thread;
use sentrace_core::deliver::{Deliver, DeliverSpans, FinishedSpan, FinishedTransaction, Losses};
use sentrace_core::{Client, Options, TraceLifecycle};
use sentrace_outbox::{Consignment, Consumer, End, Outbox};
use sentrace_protocol::{Category, Reason};

/// Transactions and spans for the models. Nothing in here is part of a model.
struct Source {
    client: Client,
    kept: Arc<Kept>,
    losses: Arc<Losses>,
}

#[derive(Debug, Default)]
struct Kept {
    finished: Mutex<Vec<FinishedTransaction>>,
    spans: Mutex<Vec<FinishedSpan>>,
    streams: bool,
}

impl Deliver for Kept {
    fn deliver(&self, finished: FinishedTransaction) {
        self.finished.lock().unwrap().push(finished);
    }

    fn spans(&self) -> Option<&dyn DeliverSpans> {
        self.streams.then_some(self)
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}

impl DeliverSpans for Kept {
    fn deliver_span(&self, span: FinishedSpan) {
        self.spans.lock().unwrap().push(span);
    }
}

impl Source {
    fn new(lifecycle: TraceLifecycle) -> Self {
        let streams = lifecycle == TraceLifecycle::Stream;
        let kept = Arc::new(Kept { streams, ..Kept::default() });
        let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle);
        let deliver: Arc<dyn Deliver> = kept.clone();
        let losses = Arc::<Losses>::default();
        let client = Client::new(options, deliver, losses.clone()).unwrap();
        Self { client, kept, losses }
    }

    fn finished(&self) -> FinishedTransaction {
        self.client.start_transaction("task", "queue.task").finish();
        self.kept.finished.lock().unwrap().pop().unwrap()
    }

    fn span(&self) -> FinishedSpan {
        self.client.start_transaction("task", "queue.task").finish();
        self.kept.spans.lock().unwrap().pop().unwrap()
    }

    /// An empty outbox, whose losses are counted from zero.
    fn outbox(&self) -> (Arc<Outbox>, Arc<Notify>) {
        self.losses.take();
        let wakes = Arc::new(Notify::new());
        let wake = wakes.clone();
        let outbox = Outbox::new(1 << 20, Duration::ZERO, self.losses.clone(), move || wake.notify());
        (Arc::new(outbox), wakes)
    }

    fn lost(&self, category: Category) -> u64 {
        let lost = self.losses.peek();
        lost.iter().filter(|events| events.category == category).map(|events| events.quantity).sum()
    }
}

/// Runs a model. A thread that waits for a wake-up that never comes is a deadlock, which fails it.
fn model(preemptions: impl Into<Option<usize>>, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions.into();
    builder.check(run);
}

/// Waits as deliverers do: announces it, looks once more, and sleeps.
fn wait(outbox: &Outbox, wakes: &Notify) {
    if let Some(_asleep) = outbox.queue().fall_asleep() {
        wakes.wait();
    }
}

#[test]
fn a_transaction_that_is_pushed_while_the_consumer_falls_asleep_wakes_it() {
    let source = Source::new(TraceLifecycle::Static);
    model(None, move || {
        let (outbox, wakes) = source.outbox();
        let producer = thread::spawn({
            let (outbox, finished) = (outbox.clone(), source.finished());
            move || outbox.deliver(finished)
        });
        while outbox.queue().pop().is_none() {
            wait(&outbox, &wakes);
        }
        producer.join().unwrap();
    });
}

#[test]
fn of_two_pushes_at_the_same_time_none_is_slept_through() {
    let source = Source::new(TraceLifecycle::Static);
    model(3, move || {
        let (outbox, wakes) = source.outbox();
        let producers = [source.finished(), source.finished()].map(|finished| {
            let outbox = outbox.clone();
            thread::spawn(move || outbox.deliver(finished))
        });
        for _ in 0..2 {
            while outbox.queue().pop().is_none() {
                wait(&outbox, &wakes);
            }
        }
        for producer in producers {
            producer.join().unwrap();
        }
    });
}

#[test]
fn a_span_that_is_pushed_while_the_consumer_falls_asleep_wakes_it() {
    let source = Source::new(TraceLifecycle::Stream);
    model(None, move || {
        let (outbox, wakes) = source.outbox();
        let producer = thread::spawn({
            let (outbox, span) = (outbox.clone(), source.span());
            move || outbox.deliver_span(span)
        });
        loop {
            let batch = {
                let mut buckets = outbox.span_buckets();
                buckets.collect(std::time::Instant::now());
                buckets.pop()
            };
            if batch.is_some() {
                break;
            }
            wait(&outbox, &wakes);
        }
        producer.join().unwrap();
    });
}

#[test]
fn a_transaction_that_is_pushed_at_the_end_is_counted() {
    let source = Source::new(TraceLifecycle::Static);
    model(None, move || {
        let (outbox, _) = source.outbox();
        let producer = thread::spawn({
            let (outbox, finished) = (outbox.clone(), source.finished());
            move || outbox.deliver(finished)
        });
        outbox.queue().end();
        outbox.queue().discard_all(Reason::NetworkError);
        producer.join().unwrap();
        assert_eq!((outbox.queue().len(), source.lost(Category::Transaction)), (0, 1));
    });
}

#[test]
fn a_span_that_is_pushed_at_the_end_is_counted() {
    let source = Source::new(TraceLifecycle::Stream);
    model(None, move || {
        let (outbox, _) = source.outbox();
        let producer = thread::spawn({
            let (outbox, span) = (outbox.clone(), source.span());
            move || outbox.deliver_span(span)
        });
        outbox.span_buckets().end(Reason::NetworkError);
        producer.join().unwrap();
        assert!(outbox.span_buckets().is_empty());
        assert_eq!(source.lost(Category::Span), 1);
    });
}

#[test]
fn while_it_shuts_down_everything_is_settled_or_counted_and_only_once() {
    let source = Source::new(TraceLifecycle::Static);
    model(3, move || {
        let (outbox, wakes) = source.outbox();
        let producer = thread::spawn({
            let (outbox, finished) = (outbox.clone(), source.finished());
            move || outbox.deliver(finished)
        });
        let closer = thread::spawn({
            let outbox = outbox.clone();
            move || outbox.request_close(Duration::ZERO)
        });
        let mut delivered = 0;
        {
            let consumer = Consumer::new(outbox.clone());
            let mut deliver = || {
                while let Some(finished) = outbox.queue().pop() {
                    delivered += u64::from(Consignment::of(&finished, outbox.account()).hand_over());
                }
            };
            while outbox.requests().close_deadline().is_none() {
                deliver();
                wait(&outbox, &wakes);
            }
            deliver();
            outbox.requests().end(End::Complete);
            drop(consumer);
        }
        producer.join().unwrap();
        closer.join().unwrap();
        assert_eq!((outbox.queue().len(), delivered + source.lost(Category::Transaction)), (0, 1));
    });
}

#[test]
fn a_consumer_that_is_given_up_while_it_works_counts_nothing_twice() {
    let source = Source::new(TraceLifecycle::Static);
    model(3, move || {
        let (outbox, _) = source.outbox();
        outbox.deliver(source.finished());
        let producer = thread::spawn({
            let (outbox, finished) = (outbox.clone(), source.finished());
            move || outbox.deliver(finished)
        });
        let closer = thread::spawn({
            let outbox = outbox.clone();
            move || outbox.give_up(Reason::NetworkError)
        });
        let mut delivered = 0;
        while let Some(finished) = outbox.queue().pop() {
            delivered += u64::from(Consignment::of(&finished, outbox.account()).hand_over());
        }
        producer.join().unwrap();
        closer.join().unwrap();
        assert_eq!((outbox.queue().len(), delivered + source.lost(Category::Transaction)), (0, 2));
    });
}
