//! The charts of the report.

use sentrace_bench::chart::{Bar, Group, Panel, bars, lines};
use sentrace_bench::growth::{Curve, Growth};
use sentrace_bench::interval::Interval;
use sentrace_bench::request::Baggage;

use crate::jobs::{JOBS, LEAST};
use crate::results::Results;

/// What each costs, in nanoseconds.
pub fn costs(results: &Results) -> String {
    let groups: Vec<Group> = JOBS
        .iter()
        .map(|job| {
            let ours = job.ours.iter().map(|(name, label, _)| (*name, *label, true));
            let peers = job.peers.iter().map(|(name, label)| (*name, *label, false));
            let bars = ours.chain(peers).filter_map(|(name, label, ours)| {
                let Interval { middle, low, high } = results.times.get(Baggage::Mixed, name)?.own;
                Some(Bar { label: label.replace('`', ""), value: middle.max(0.0), span: (low, high), ours })
            });
            Group { title: job.title.to_owned(), bars: bars.collect() }
        })
        .filter(|group: &Group| !group.bars.is_empty())
        .collect();
    let note = "Nanoseconds of one request over the same server behind a layer that does nothing. Shorter is better; the lines are 95 % intervals.";
    bars("What tracing costs", note, &groups, "ns")
}

/// What a layer would cost at the least, step by step, and what of ours does so much and more.
pub fn least(results: &Results) -> String {
    let bar = |name: &str, label: &str, ours: bool| {
        let Interval { middle, low, high } = results.times.get(Baggage::Mixed, name)?.own;
        Some(Bar { label: label.to_owned(), value: middle.max(0.0), span: (low, high), ours })
    };
    let steps = LEAST.iter().filter_map(|(name, ..)| bar(name, name, false));
    let ours = LEAST.iter().flat_map(|(.., ours)| *ours).filter_map(|name| bar(name, name, true));
    // One group, since each has a scale of its own.
    let title = "At the least, each step with all before it, and ours with all that it is for";
    let groups = [Group { title: title.to_owned(), bars: steps.chain(ours).collect() }];
    let note = "Nanoseconds of one request over the same server behind a layer that does nothing; the lines are 95 % intervals.";
    bars("What the least would cost", note, &groups, "ns")
}

/// How ours grows.
pub fn growth(growth: &Growth) -> String {
    let panel = |title: &str, across: &str, logarithmic: bool, curves: &[Curve], unit: f64| Panel {
        title: title.to_owned(),
        across: across.to_owned(),
        logarithmic,
        curves: curves
            .iter()
            .map(|curve| (curve.name.clone(), curve.points.iter().map(|(x, y)| (*x, y / unit)).collect()))
            .collect(),
    };
    lines(
        "How the cost of sentrace grows",
        &[
            panel("Spans: microseconds of a request", "child spans", true, &growth.spans, 1_000.0),
            panel("Headers: nanoseconds of a request", "fields of 16 bytes", false, &growth.headers, 1.0),
            panel("Baggage: nanoseconds of a request", "bytes", false, &growth.baggage, 1.0),
            panel(
                "Thousand requests a second, two processors",
                "at the same time",
                true,
                &growth.concurrency,
                1_000.0,
            ),
            panel("Memory: MiB of the process", "transactions", false, &growth.memory, 1.0),
        ],
    )
}
