//! Delivery beside the official transport.

use sentrace_bench::chart::figure;
use sentrace_bench::delivery::{Figures, Loaded, table};

use super::promises::verdict;
use crate::jobs::{ALL_ARRIVE, BODY_BYTES};
use crate::results::Delivery;

/// The section about delivery.
pub fn section(delivery: &Delivery) -> String {
    let mut section = String::from(TITLE);
    if !delivery.load.is_empty() {
        section += INTRODUCTION;
        section += &promises(delivery);
        section.push('\n');
        section += &table(&delivery.load);
        section += READING;
    }
    if !delivery.instructions.is_empty() {
        section += INSTRUCTIONS;
        section += &table(&delivery.instructions);
    }
    section + ELSEWHERE
}

const TITLE: &str = "
## Delivery beside the official transport
";

const INTRODUCTION: &str = "
One thread records transactions of ten spans; the collector answers after 50 ms. *sentry* is the official crate with its reqwest
transport and default options, *sentrace* has a queue of 32 MiB.

";

const READING: &str = "
The official transport's worker spends little because it sends little; it serialises on the thread of the request. After a burst, closing
waits until everything has arrived.

What is recorded goes out in rounds: the worker waits until about 32 transactions have come, at most 100 ms, unless the queue holds
256 KiB or somebody flushes or closes. Transactions that go out together share wake-ups and warm caches, and cost less each than those
that go out as they come. What comes after an idle second waits for its round, too.
";

const INSTRUCTIONS: &str = "
Microseconds of the worker depend on what else the machine's host does. Its instructions do not, outside the kernel. What is left of
them, and what own code instead of libraries would save, says [ADR 24](adr/0024-post-with-hyper-util.md).

";

const ELSEWHERE: &str = "
Under faults and through long outages: [reliability](reliability.md).
";

fn promises(delivery: &Delivery) -> String {
    let mut table = String::from("| | sentrace | promised | sentry | |\n|---|---:|---:|---:|---|\n");
    let ours = of(&delivery.load, "sentrace");
    let theirs = of(&delivery.load, "sentry");
    for (scenario, title) in ALL_ARRIVE {
        let find = |runs: &[&Loaded]| {
            let run = runs.iter().find(|run| run.scenario == scenario);
            run.map(|run| (run.figures.delivered, run.figures.recorded))
        };
        let Some((delivered, recorded)) = find(&ours) else { continue };
        let theirs = find(&theirs).map(|(delivered, _)| delivered as f64);
        table += &row(title, delivered as f64, "all", theirs, delivered == recorded);
    }
    let most = |runs: &[&Loaded], of: fn(&Figures) -> u64| {
        runs.iter().map(|run| of(&run.figures)).max().map(|most| most as f64)
    };
    let bytes = |figures: &Figures| figures.body_bytes;
    if let Some(most_bytes) = most(&ours, bytes) {
        let promised = format!("at most {}", figure(BODY_BYTES));
        let holds = most_bytes <= BODY_BYTES;
        table += &row("bytes posted for a transaction", most_bytes, &promised, most(&theirs, bytes), holds);
    }
    let unaccounted = |figures: &Figures| figures.unaccounted().unsigned_abs();
    let faults = delivery.faults.iter().map(|run| unaccounted(&run.figures)).max().unwrap_or(0) as f64;
    if let Some(under_load) = most(&ours, unaccounted) {
        let worst = faults.max(under_load);
        let what = match delivery.faults.len() {
            0 => "unaccounted, at worst, under load".to_owned(),
            runs => format!(
                "unaccounted, at worst, under load and in {runs} runs with faults (sentry: under load)"
            ),
        };
        table += &row(&what, worst, "0", most(&theirs, unaccounted), worst == 0.0);
    }
    table
}

fn row(what: &str, ours: f64, promised: &str, theirs: Option<f64>, holds: bool) -> String {
    let theirs = theirs.map_or("-".to_owned(), figure);
    format!("| {what} | {} | {promised} | {theirs} | {} |\n", figure(ours), verdict(holds))
}

fn of<'a>(load: &'a [Loaded], transport: &str) -> Vec<&'a Loaded> {
    load.iter().filter(|run| run.transport == transport).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(scenario: &str, transport: &str, delivered: u64, reported: u64) -> Loaded {
        let figures = Figures { recorded: 2_000, delivered, reported, body_bytes: 936, ..Figures::default() };
        Loaded { scenario: scenario.to_owned(), transport: transport.to_owned(), figures }
    }

    #[test]
    fn what_does_not_arrive_is_a_promise_missed() {
        let scenario = ALL_ARRIVE[0].0;
        let load = vec![run(scenario, "sentrace", 1_999, 1), run(scenario, "sentry", 31, 448)];
        let table = promises(&Delivery { load, ..Delivery::default() });
        assert!(table.contains("| 1,999 | all | 31 | **missed** |"), "{table}");
        assert!(table.contains("| 936 | at most 1,650 | 936 | holds |"), "{table}");
        assert!(table.contains("| 0 | 0 | 1,521 | holds |"), "{table}");
    }
}
