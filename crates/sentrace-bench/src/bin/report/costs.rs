//! Nanoseconds, instructions and allocations of all variants.

use sentrace_bench::request::Baggage;
use sentrace_bench::time::median;
use sentrace_bench::tools::Tools;
use sentrace_bench::variant::Family;
use sentrace_bench::variants;

use crate::results::{Cost, Costs};

const ROUNDS: usize = 7;
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
    let instructions = instructions(tools, &jobs)?;
    let mut costs = Costs::default();
    let figures = times.into_iter().zip(instructions);
    for ((name, baggage), ((mut nanoseconds, mut elsewhere), instructions)) in jobs.into_iter().zip(figures) {
        let allocations = tools.allocations(name, baggage)?;
        let cost = Cost {
            nanoseconds: median(&mut nanoseconds),
            elsewhere: median(&mut elsewhere),
            instructions,
            allocations: allocations.count,
            bytes: allocations.bytes,
        };
        costs.of_mut(baggage).insert(name.to_owned(), cost);
    }
    Ok(costs)
}

/// Two at a time, as counts do not depend on what else the machine does.
fn instructions(tools: &Tools, jobs: &[(&str, Baggage)]) -> Result<Vec<f64>, String> {
    let (first, second) = jobs.split_at(jobs.len() / 2);
    let count = |jobs: &[(&str, Baggage)]| -> Result<Vec<f64>, String> {
        jobs.iter().map(|(name, baggage)| tools.instructions(name, *baggage)).collect()
    };
    std::thread::scope(|scope| {
        let second = scope.spawn(|| count(second));
        let mut counted = count(first)?;
        counted.extend(second.join().map_err(|_| "counting instructions panicked")??);
        Ok(counted)
    })
}
