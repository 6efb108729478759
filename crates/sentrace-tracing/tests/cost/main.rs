//! What the layer costs. Alone in its process: it counts allocations.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::alloc::System;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sentrace_core::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tracing::instrument;
use tracing_subscriber::prelude::*;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[instrument]
fn step(number: u64) -> u64 {
    black_box(number)
}

fn ten() {
    for number in 0..10 {
        step(number);
    }
}

fn allocations(mut run: impl FnMut()) -> usize {
    // Buffers of the registry and of this thread grow once.
    for _ in 0..100 {
        run();
    }
    let before = HEAP.stats();
    for _ in 0..100 {
        run();
    }
    let after = HEAP.stats();
    (after.allocations + after.reallocations - before.allocations - before.reallocations) / 100
}

fn nanoseconds(mut run: impl FnMut()) -> u128 {
    let mut rounds: Vec<_> = (0..31)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..2_000 {
                run();
            }
            began.elapsed().as_nanos() / 2_000
        })
        .collect();
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
}

/// Gives records back at once.
#[derive(Debug)]
struct Dropped;

impl Deliver for Dropped {
    fn deliver(&self, finished: FinishedTransaction) {
        drop(finished);
    }

    fn flush(&self, _: std::time::Duration) -> bool {
        true
    }
}

fn dropping(rate: f64) -> Client {
    let options = Options::new().traces_sample_rate(rate);
    Client::new(options, Arc::new(Dropped), Arc::new(Losses::default())).unwrap()
}

fn with_layer<R>(run: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(sentrace_tracing::layer()), run)
}

fn with_registry<R>(run: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(tracing_subscriber::registry(), run)
}

#[test]
fn spans_are_one_allocation_each_and_none_where_nothing_is_recorded() {
    let (client, _capture) = Capture::client(Options::new().traces_sample_rate(0.0)).unwrap();
    let (off, _capture) = Capture::client(Options::new()).unwrap();
    let bare = with_registry(|| allocations(ten));
    with_layer(|| {
        assert_eq!(allocations(ten), bare, "outside a transaction");
        let transaction = client.start_transaction("work", "task");
        transaction.enter(|| assert_eq!(allocations(ten), bare, "in a transaction that is not sampled"));
        let transaction = off.start_transaction("work", "task");
        transaction.enter(|| assert_eq!(allocations(ten), bare, "with tracing off"));
    });

    let client = dropping(1.0);
    let request = |run: fn()| {
        let transaction = client.start_transaction("work", "task");
        transaction.enter(run);
        transaction.finish();
    };
    let without = with_layer(|| allocations(|| request(|| {})));
    let with = with_layer(|| allocations(|| request(ten)));
    assert!(with - without <= 10, "{with} allocations with ten spans, {without} without");
}

/// A subscriber for the whole process costs less than one for a scope: measured by itself, beside the registry alone
/// (`SUBSCRIBER=registry`).
///
/// `cargo test --release -p sentrace-tracing --test cost -- --ignored --nocapture`
#[test]
#[ignore = "it measures"]
fn ten_instrumented_functions() {
    let registry = tracing_subscriber::registry();
    if std::env::var_os("SUBSCRIBER").is_some_and(|name| name == "registry") {
        tracing::subscriber::set_global_default(registry).unwrap();
    } else {
        tracing::subscriber::set_global_default(registry.with(sentrace_tracing::layer())).unwrap();
    }
    for (rate, sampled) in [(1.0, "sampled"), (0.0, "not sampled")] {
        let client = dropping(rate);
        let request = |run: fn()| {
            let transaction = client.start_transaction("work", "task");
            transaction.enter(run);
            transaction.finish();
        };
        let (without, with) = (nanoseconds(|| request(|| {})), nanoseconds(|| request(ten)));
        println!("{sampled}: {} ns, {} allocations", with - without, allocations(|| request(ten)));
    }
    println!("outside a transaction: {} ns", nanoseconds(ten));
}
