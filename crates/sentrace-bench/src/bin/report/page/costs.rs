//! What a request costs, by job and by variant.

use sentrace_bench::chart::figure;
use sentrace_bench::request::Baggage;
use sentrace_bench::variant::Variant;
use sentrace_bench::variants;

use super::promises::span;
use crate::jobs::{HEADERS, JOBS, Job, LEAST};
use crate::results::Results;

/// All sections about requests.
pub fn section(results: &Results) -> String {
    let mut section = String::from(SERVER);
    for job in &JOBS {
        section += &format!("\n### {}\n\n{}", job.title, of_job(job, results));
    }
    section += LEAST_TEXT;
    section += &least(results);
    section + EVERY + &every(results) + EITHER + &with_sentrys(results) + HEADERS_TEXT + &headers(results)
}

const SERVER: &str = "
## One request

Everybody serves the same `GET /users/1000?page=2` with twelve header fields, an incoming trace among them, by the same axum router.
*Own* is what is left when the same router behind a layer that does nothing is subtracted (for outgoing calls: a middleware that
does nothing). *Ratio* compares own nanoseconds with the first row of the table. How sure the nanoseconds are is told
[below](#every-variant-by-criterion).
";

const LEAST_TEXT: &str = "
## What the least would cost

A layer for the bench alone (`src/variants/least.rs`), which nobody could use: it has no settings, hooks, secrets inside of values, child
spans, clients, other threads, counters or panics. Each row does what the one above does, and one thing more. Beside it is what of ours does
that and all the rest; what the rest is, row by row, says [where the instructions go](profile.md).

![The least, step by step, and ours, as bars](images/performance-least.svg)

";

const EVERY: &str = "
## Every variant, by criterion

Criterion's median of all samples with its 95 % interval, and what is left of it in the differences to samples of the same round
([how](#how-it-is-measured)), for which the interval stands that the promises are judged with.

";

const EITHER: &str = "
## With Sentry's members alone in the baggage

The same variants in a run of their own, in which the two members of other vendors are missing from `baggage`. Those
who read `traceparent` alone differ by the shorter head.

";

const HEADERS_TEXT: &str = "
## Trace headers alone

`sentry-trace` and nine members of Sentry's in `baggage` (*mixed*: and two of other vendors'), read into a continuation and written
for an outgoing call.

";

fn of_job(job: &Job, results: &Results) -> String {
    let mut table = String::from(
        "| | ns | own ns | elsewhere, ns | ratio | own instructions | own allocations | own bytes |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let time = |name: &str| results.times.get(Baggage::Mixed, name);
    let counts = |name: &str| results.counts.own(Baggage::Mixed, name, job.base);
    let first = job.ours.first().and_then(|(name, ..)| time(name)).map_or(f64::NAN, |time| time.own.middle);
    let ours = job.ours.iter().map(|(name, label, _)| (*name, format!("**{label}**")));
    let peers = job.peers.iter().map(|(name, label)| (*name, (*label).to_owned()));
    for (name, label) in ours.chain(peers) {
        let (time, counts) = (time(name), counts(name));
        if time.is_none() && counts.is_none() {
            continue;
        }
        table += &format!(
            "| {label} | {} | {} | {} | {} | {} | {} | {} |\n",
            told(time.map(|time| time.whole.middle)),
            told(time.map(|time| time.own.middle)),
            told(time.map(|time| time.elsewhere).filter(|elsewhere| *elsewhere >= 1.0)),
            time.map_or("-".to_owned(), |time| format!("{:.1}", time.own.middle / first)),
            told(counts.map(|counts| counts.instructions)),
            told(counts.map(|counts| counts.allocations)),
            told(counts.map(|counts| counts.bytes)),
        );
    }
    let base = results.counts.get(Baggage::Mixed, job.base);
    table
        + &format!(
            "| {} | {} | - | - | - | ({}) | ({}) | ({}) |\n",
            job.base,
            told(time(job.base).map(|time| time.whole.middle)),
            told(base.map(|base| base.instructions)),
            told(base.map(|base| base.allocations)),
            told(base.map(|base| base.bytes)),
        )
}

fn least(results: &Results) -> String {
    let mut table = String::from(
        "| at the least | own ns | 95 % | own instructions | ours | own ns | own instructions |\n\
         |---|---:|---:|---:|---|---:|---:|\n",
    );
    let own = |name: &str| results.times.get(Baggage::Mixed, name).map(|time| time.own);
    let instructions =
        |name: &str| results.counts.own(Baggage::Mixed, name, "noop-layer").map(|counts| counts.instructions);
    for (name, does, ours) in LEAST {
        let least = own(name);
        let mut row = format!(
            "| {does} | {} | {} | {} |",
            told(least.map(|own| own.middle)),
            least.map_or("-".to_owned(), span),
            told(instructions(name))
        );
        let each =
            |of: &dyn Fn(&str) -> String| ours.iter().map(|name| of(name)).collect::<Vec<_>>().join(", ");
        row += &format!(
            " {} | {} | {} |\n",
            each(&|name| name.to_owned()),
            each(&|name| told(own(name).map(|own| own.middle))),
            each(&|name| told(instructions(name)))
        );
        table += &row;
    }
    table
}

fn every(results: &Results) -> String {
    let mut table = String::from("| | median, ns | 95 % | own, ns | 95 % |\n|---|---:|---:|---:|---:|\n");
    for variant in variants::all() {
        let Some(time) = results.times.get(Baggage::Mixed, variant.name) else { continue };
        let own = own_base(variant).map(|_| time.own);
        table += &format!(
            "| {} | {} | {} | {} | {} |\n",
            variant.name,
            figure(time.whole.middle),
            span(time.whole),
            told(own.map(|own| own.middle)),
            own.map_or("-".to_owned(), span)
        );
    }
    table
}

fn with_sentrys(results: &Results) -> String {
    let mut table = String::from(
        "| | own ns, mixed | own ns, Sentry's alone | 95 % | own instructions, mixed | own instructions, Sentry's alone |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    for variant in variants::all() {
        let Some(base) = own_base(variant) else { continue };
        let time = |baggage| Some(results.times.get(baggage, variant.name)?.own);
        let counts = |baggage| Some(results.counts.own(baggage, variant.name, base)?.instructions);
        let (mixed, sentrys) = (time(Baggage::Mixed), time(Baggage::Sentrys));
        if sentrys.is_none() && counts(Baggage::Sentrys).is_none() {
            continue;
        }
        table += &format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            variant.name,
            told(mixed.map(|own| own.middle)),
            told(sentrys.map(|own| own.middle)),
            sentrys.map_or("-".to_owned(), span),
            told(counts(Baggage::Mixed)),
            told(counts(Baggage::Sentrys)),
        );
    }
    table
}

/// What is subtracted from a variant that is more than what is there anyhow.
fn own_base(variant: Variant) -> Option<&'static str> {
    let without = ["bare", "outgoing-stub"];
    variant.family.base().filter(|base| *base != variant.name && !without.contains(&variant.name))
}

fn headers(results: &Results) -> String {
    let mut table = String::from(
        "| | ns, mixed | 95 % | ns, Sentry's alone | 95 % | at most | allocations | at most | instructions, mixed |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (name, label, most, allocations) in HEADERS {
        let time = |baggage| Some(results.times.get(baggage, name)?.own);
        let (mixed, sentrys) = (time(Baggage::Mixed), time(Baggage::Sentrys));
        let counts = |baggage| results.counts.get(baggage, name);
        table += &format!(
            "| {label} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            told(mixed.map(|time| time.middle)),
            mixed.map_or("-".to_owned(), span),
            told(sentrys.map(|time| time.middle)),
            sentrys.map_or("-".to_owned(), span),
            figure(most),
            told(counts(Baggage::Sentrys).map(|counts| counts.allocations)),
            figure(allocations),
            told(counts(Baggage::Mixed).map(|counts| counts.instructions)),
        );
    }
    table
}

fn told(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), figure)
}
