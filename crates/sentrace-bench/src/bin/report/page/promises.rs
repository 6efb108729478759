//! What was promised for one request and under load, and whether it holds.

use sentrace_bench::chart::figure;
use sentrace_bench::interval::Interval;
use sentrace_bench::request::Baggage;

use super::load::share;
use crate::jobs::{Budget, JOBS, Job, LOAD};
use crate::results::{Counts, Results};

pub fn table(results: &Results) -> String {
    let mut table = String::from(
        "| | own | 95 % | at most | best peer | of that | |\n|---|---:|---:|---:|---:|---:|---|\n",
    );
    for job in &JOBS {
        for (name, label, budget) in job.ours {
            table += &rows(results, job, name, &format!("{}: {label}", job.title), *budget);
        }
    }
    if !results.load.is_empty() {
        for promise in &LOAD {
            let share_of = |name: &str| share(&results.load, name);
            let (ours, least) = (share_of(promise.server), promise.least);
            let best = promise.peers.iter().map(|name| share_of(name)).reduce(f64::max);
            let best = best.map_or("-".to_owned(), |best| format!("{best:.2}"));
            table += &format!(
                "| Over loopback, share: {} | {ours:.2} | - | at least {least:.2} | {best} | - | {} |\n",
                promise.title,
                verdict(ours >= least)
            );
        }
    }
    table
}

fn rows(results: &Results, job: &Job, name: &str, what: &str, budget: Budget) -> String {
    let time = |name: &str| Some(results.times.get(Baggage::Mixed, name)?.own);
    let counts = |name: &str| results.counts.own(Baggage::Mixed, name, job.base);
    let best = |figure: &dyn Fn(&str) -> Option<f64>| {
        let peers = job.peers.iter().filter(|(_, label)| does_the_same(label));
        peers.filter_map(|(name, _)| figure(name)).fold(f64::INFINITY, f64::min)
    };
    let mut rows = String::new();
    if let Some(own) = time(name) {
        let best = best(&|name| Some(time(name)?.middle));
        rows += &row(what, "ns", own.middle, Some(own), budget.nanoseconds, best);
    }
    let mut count = |unit: &str, most: f64, of: fn(Counts) -> f64| {
        if let Some(own) = counts(name) {
            rows += &row(what, unit, of(own), None, most, best(&|name| counts(name).map(of)));
        }
    };
    count("instructions", budget.instructions, |counts| counts.instructions);
    count("allocations", budget.allocations, |counts| counts.allocations);
    rows
}

/// Nothing where nothing was promised.
fn row(what: &str, unit: &str, value: f64, interval: Option<Interval>, most: f64, best: f64) -> String {
    if most.is_infinite() {
        return String::new();
    }
    // Figures are promised as whole ones, and allocations are a mean that a growing buffer lifts a little.
    format!(
        "| {what} | {} {unit} | {} | {} | {} | {:.0} % | {} |\n",
        figure(value),
        interval.map_or("-".to_owned(), span),
        figure(most),
        figure(best),
        value / best * 100.0,
        verdict(value <= most + 0.2)
    )
}

pub fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "**missed**" }
}

pub fn span(interval: Interval) -> String {
    format!("{} to {}", figure(interval.low), figure(interval.high))
}

/// Not those who carry no trace on, or are switched off.
fn does_the_same(label: &str) -> bool {
    !label.contains("TraceLayer")
        && !label.contains("no headers")
        && !label.contains("never")
        && !label.contains("alone")
}
