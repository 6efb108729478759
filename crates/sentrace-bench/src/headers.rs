//! Prints what reading and writing trace headers costs, and fails where it is more than was promised.

use std::alloc::System;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use sentrace_bench::{MIXED, Parsed, SENTRYS, client, parse, render, render_values, request};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CALLS: u32 = 1_000;
const ROUNDS: usize = 501;

/// What one call costs.
struct Cost {
    /// Of the median round: others share the machine.
    nanoseconds: f64,
    allocations: f64,
}

fn measure<T>(mut call: impl FnMut() -> T) -> Cost {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                black_box(call());
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let region = Region::new(ALLOCATOR);
    for _ in 0..CALLS {
        black_box(call());
    }
    let change = region.change();
    let allocations = (change.allocations + change.reallocations) as f64 / f64::from(CALLS);
    Cost { nanoseconds: rounds[ROUNDS / 2], allocations }
}

/// One line of the table; whether what was promised holds.
fn report(what: &str, cost: &Cost, most_nanoseconds: Option<f64>, most_allocations: Option<f64>) -> bool {
    let promised = |most: Option<f64>| most.map_or("-".to_owned(), |most| most.to_string());
    let holds = most_nanoseconds.is_none_or(|most| cost.nanoseconds <= most)
        && most_allocations.is_none_or(|most| cost.allocations <= most);
    println!(
        "{what:<36} {:>8.1} {:>9} {:>7} {:>9}  {}",
        cost.nanoseconds,
        promised(most_nanoseconds),
        cost.allocations,
        promised(most_allocations),
        if holds { "" } else { "TOO MUCH" },
    );
    holds
}

fn main() -> ExitCode {
    println!("{:<36} {:>8} {:>9} {:>7} {:>9}", "", "ns", "at most", "allocs", "at most");
    let client = client();
    let mut holds = true;
    for (baggage, text, most_allocations) in [(SENTRYS, "Sentry's", Some(1.0)), (MIXED, "mixed", None)] {
        println!("{text} baggage");
        let headers = request(baggage);
        let cost = measure(|| parse(&client, black_box(&headers)));
        holds &= report("  parse both, continue or not", &cost, Some(250.0), most_allocations);
        let trace = client.continue_trace(&headers);
        let cost = measure(|| render_values(black_box(&trace)));
        holds &= report("  headers of a call, owned", &cost, Some(150.0), Some(1.0));

        let Some(parsed) = Parsed::read(&headers) else { return ExitCode::FAILURE };
        let mut buffer = Vec::with_capacity(1_024);
        let cost = measure(|| render(black_box(&parsed), &mut buffer));
        holds &= report("  render both as text", &cost, Some(150.0), Some(0.0));
        let cost = measure(|| {
            let parsed = Parsed::read(black_box(&headers));
            parsed.map(|parsed| render(&parsed, &mut buffer))
        });
        holds &= report("  parse and render both as text", &cost, Some(400.0), most_allocations);
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
