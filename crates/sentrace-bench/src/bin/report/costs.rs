//! Nanoseconds, instructions and allocations of all variants.

use std::collections::BTreeMap;

use sentrace_bench::request::Baggage;
use sentrace_bench::time::median;
use sentrace_bench::tools::Tools;
use sentrace_bench::variant::Family;
use sentrace_bench::variants;

use crate::results::{Cost, Costs};

const ROUNDS: usize = 15;
const CALLS: u32 = 10_000;

/// Whose cost depends on who has members in the baggage.
const WITH_EITHER: [&str; 5] =
    ["noop-layer", "sentrace-dropped", "sentrace-handed-over", "sentrace-unsampled", "sentry-tower-dropped"];

/// Measures them in alternating rounds, each variant and round in a process of its own.
pub fn measure(tools: &Tools) -> Result<Costs, String> {
    let mut jobs: Vec<(&str, Baggage)> = Vec::new();
    for variant in variants::all() {
        jobs.push((variant.name, Baggage::Mixed));
        if variant.family == Family::Headers || WITH_EITHER.contains(&variant.name) {
            jobs.push((variant.name, Baggage::Sentrys));
        }
    }
    let mut times: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); jobs.len()];
    for round in 0..ROUNDS {
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let time = tools.time(jobs[at].0, jobs[at].1, CALLS)?;
            times[at].0.push(time.nanoseconds);
            times[at].1.push(time.elsewhere);
        }
    }
    let instructions: BTreeMap<(&str, &str), f64> = tools
        .instructions("*", None)?
        .into_iter()
        .map(|counted| ((counted.variant.name, counted.baggage.name()), counted.instructions))
        .collect();
    let mut costs = Costs::default();
    for ((name, baggage), (mut nanoseconds, mut elsewhere)) in jobs.into_iter().zip(times) {
        let allocations = tools.allocations(name, baggage)?;
        let cost = Cost {
            nanoseconds: median(&mut nanoseconds),
            elsewhere: median(&mut elsewhere),
            instructions: *instructions
                .get(&(name, baggage.name()))
                .ok_or_else(|| format!("benches/instructions.rs does not count {name} with {baggage:?}"))?,
            allocations: allocations.count,
            bytes: allocations.bytes,
        };
        costs.of_mut(baggage).insert(name.to_owned(), cost);
    }
    Ok(costs)
}
