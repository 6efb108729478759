//! The page.

use sentrace_bench::chart::figure;
use sentrace_bench::growth::{Curve, Growth};
use sentrace_bench::load::Load;
use sentrace_bench::request::Baggage;

use crate::jobs::{Budget, HEADERS, JOBS, Job, LOAD as LOAD_PROMISES};
use crate::results::{Cost, Costs, Results};

/// All of it.
pub fn page(results: &Results) -> String {
    let mut page = String::from(INTRODUCTION);
    page += "\n## What was promised\n\n";
    page += &promises(results);
    page += SERVER;
    for job in &JOBS {
        page += &format!("\n### {}\n\n", job.title);
        page += &job_table(job, &results.costs);
    }
    page += "\n## With Sentry's members alone in the baggage\n\n";
    page += &either_baggage(&results.costs);
    page += HEADERS_TEXT;
    page += &headers(&results.costs);
    page += LOAD;
    page += &load(&results.load);
    if let Some(growth) = &results.growth {
        page += GROWTH;
        page += &curves(growth);
    }
    page += DELIVERY;
    page += &how(results);
    page
}

const INTRODUCTION: &str = "\
# Performance

What sentrace costs a service, beside what its peers cost. Written by `cargo run --release --bin report` in
`crates/sentrace-bench`; do not edit by hand.

![What tracing costs, as bars](images/performance.svg)
";

const SERVER: &str = "
## One request

Everybody serves the same `GET /users/1000?page=2` with twelve header fields, an incoming trace among them, by the same axum router.
*Own* is what is left when the same router behind a layer that does nothing is subtracted (for outgoing calls: a middleware that
does nothing). *Ratio* compares own nanoseconds with the first row of the table. Differences below 10 % are noise.
";

const HEADERS_TEXT: &str = "
## Trace headers alone

`sentry-trace` and nine members of Sentry's in `baggage` (*mixed*: and two of other vendors'), read into a continuation and written
for an outgoing call.

";

const LOAD: &str = "
## Over loopback

A server on one processor, wrk with 32 connections and the same headers on the other, in alternating rounds. What counts is the
processor time of the server for one request, all its threads included, since throughput depends on what else the machine
does. *Share* is the requests per processor second, of those of the same server behind a layer that does nothing. Where everything is
delivered, the server runs for half a minute first, until back-pressure has found the rate that can be delivered; the caller leaves
the decision open there, since one that comes in wins over back-pressure.

";

const GROWTH: &str = "
## How it grows

Our own cost over a layer that does nothing, sampled, dropped on the request's thread.

![Curves for spans, headers, baggage, concurrency and memory](images/performance-growth.svg)

";

const DELIVERY: &str = "
## Delivery

Beside the official transport, under faults and outages: [reliability](reliability.md).
";

fn own(costs: &Costs, job: &Job, name: &str) -> Option<Cost> {
    costs.own(Baggage::Mixed, name, job.base)
}

/// What was promised for one request and under load.
fn promises(results: &Results) -> String {
    let mut table =
        String::from("| | own | at most | best peer | of that | |\n|---|---:|---:|---:|---:|---|\n");
    for job in &JOBS {
        for (name, label, budget) in job.ours {
            let Some(ours) = own(&results.costs, job, name) else { continue };
            let best = |figure: fn(&Cost) -> f64| {
                let peers = job.peers.iter().filter(|(_, label)| does_the_same(label));
                let measured = peers.filter_map(|(name, _)| own(&results.costs, job, name));
                measured.map(|cost| figure(&cost)).fold(f64::INFINITY, f64::min)
            };
            let what = format!("{}: {label}", job.title);
            let mut row = |unit: &str, figure: fn(&Cost) -> f64, most: f64| {
                if most.is_finite() {
                    table += &promise(&what, unit, figure(&ours), most, best(figure));
                }
            };
            let Budget { nanoseconds, instructions, allocations } = *budget;
            row("ns", |cost| cost.nanoseconds, nanoseconds);
            row("instructions", |cost| cost.instructions, instructions);
            row("allocations", |cost| cost.allocations, allocations);
        }
    }
    if !results.load.is_empty() {
        for promise in &LOAD_PROMISES {
            let share_of = |name: &str| share(&results.load, name);
            let (ours, least) = (share_of(promise.server), promise.least);
            let best = promise.peers.iter().map(|name| share_of(name)).reduce(f64::max);
            let best = best.map_or("-".to_owned(), |best| format!("{best:.2}"));
            let holds = if ours >= least { "holds" } else { "**missed**" };
            let title = promise.title;
            table += &format!(
                "| Over loopback, share: {title} | {ours:.2} | at least {least:.2} | {best} | | {holds} |\n"
            );
        }
    }
    table
}

fn promise(what: &str, unit: &str, value: f64, most: f64, best: f64) -> String {
    // Figures are promised as whole ones, and allocations are a mean that a growing buffer lifts a little.
    let holds = if value <= most + 0.2 { "holds" } else { "**missed**" };
    format!(
        "| {what} | {} {unit} | {} | {} | {:.0} % | {holds} |\n",
        figure(value),
        figure(most),
        figure(best),
        value / best * 100.0
    )
}

/// Not those who carry no trace on, or are switched off.
fn does_the_same(label: &str) -> bool {
    !label.contains("TraceLayer")
        && !label.contains("no headers")
        && !label.contains("never")
        && !label.contains("alone")
}

fn job_table(job: &Job, costs: &Costs) -> String {
    let mut table = String::from(
        "| | ns | own ns | elsewhere, ns | ratio | own instructions | own allocations | own bytes |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let first = job
        .ours
        .first()
        .map_or(f64::NAN, |(name, _, _)| own(costs, job, name).map_or(f64::NAN, |cost| cost.nanoseconds));
    let ours = job.ours.iter().map(|(name, label, _)| (*name, format!("**{label}**")));
    let peers = job.peers.iter().map(|(name, label)| (*name, (*label).to_owned()));
    for (name, label) in ours.chain(peers) {
        let (Some(whole), Some(own)) = (costs.mixed.get(name), own(costs, job, name)) else { continue };
        table += &format!(
            "| {label} | {} | {} | {} | {:.1} | {} | {} | {} |\n",
            figure(whole.nanoseconds),
            figure(own.nanoseconds),
            if whole.elsewhere < 1.0 { "-".to_owned() } else { figure(whole.elsewhere) },
            own.nanoseconds / first,
            figure(own.instructions),
            figure(own.allocations),
            figure(own.bytes),
        );
    }
    let base = costs.mixed.get(job.base).copied().unwrap_or_default();
    table += &format!(
        "| {} | {} | - | - | - | ({}) | ({}) | ({}) |\n",
        job.base,
        figure(base.nanoseconds),
        figure(base.instructions),
        figure(base.allocations),
        figure(base.bytes),
    );
    table
}

fn either_baggage(costs: &Costs) -> String {
    let mut table = String::from(
        "| | own ns, mixed | own ns, Sentry's alone | own instructions, mixed | own instructions, Sentry's alone |\n\
         |---|---:|---:|---:|---:|\n",
    );
    for name in costs.sentrys.keys().filter(|name| !name.starts_with("headers") && *name != "noop-layer") {
        let own = |baggage| costs.own(baggage, name, "noop-layer");
        let (Some(mixed), Some(sentrys)) = (own(Baggage::Mixed), own(Baggage::Sentrys)) else { continue };
        table += &format!(
            "| {name} | {} | {} | {} | {} |\n",
            figure(mixed.nanoseconds),
            figure(sentrys.nanoseconds),
            figure(mixed.instructions),
            figure(sentrys.instructions),
        );
    }
    table
}

fn headers(costs: &Costs) -> String {
    let mut table = String::from(
        "| | ns, mixed | ns, Sentry's alone | at most | allocations | at most | instructions, mixed |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for (name, label, most, allocations) in HEADERS {
        let get = |baggage| costs.of(baggage).get(name).copied().unwrap_or_default();
        let (mixed, sentrys) = (get(Baggage::Mixed), get(Baggage::Sentrys));
        table += &format!(
            "| {label} | {} | {} | {} | {} | {} | {} |\n",
            figure(mixed.nanoseconds),
            figure(sentrys.nanoseconds),
            figure(most),
            figure(sentrys.allocations),
            figure(allocations),
            figure(mixed.instructions),
        );
    }
    table
}

/// Of the requests per processor second behind a layer that does nothing.
fn share(loads: &[Load], name: &str) -> f64 {
    let cpu = |name: &str| loads.iter().find(|load| load.name == name).map_or(f64::NAN, |load| load.cpu);
    cpu("noop-layer") / cpu(name)
}

fn load(loads: &[Load]) -> String {
    let mut table = String::from(
        "| server | processor time of a request, us | share | at least | requests/s | delivered, of 100 requests |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    for load in loads {
        let promise = LOAD_PROMISES.iter().find(|promise| promise.server == load.name);
        table += &format!(
            "| {} | {:.2} | {:.2} | {} | {} | {} |\n",
            load.name,
            load.cpu,
            share(loads, &load.name),
            promise.map_or("-".to_owned(), |promise| format!("{:.2}", promise.least)),
            figure(load.rate),
            if load.delivered > 0.0 { format!("{:.1}", load.delivered) } else { "-".to_owned() },
        );
    }
    table
}

fn curves(growth: &Growth) -> String {
    let mut table = String::from("| | |\n|---|---|\n");
    let mut row = |what: &str, unit: &str, curves: &[Curve]| {
        for curve in curves {
            let points: Vec<String> =
                curve.points.iter().map(|(x, y)| format!("{}: {}", figure(*x), figure(*y))).collect();
            table += &format!("| {what}, {} ({unit}) | {} |\n", curve.name, points.join(" · "));
        }
    };
    row("spans", "ns", &growth.spans);
    row("headers", "ns", &growth.headers);
    row("baggage", "ns by bytes", &growth.baggage);
    row("requests at the same time", "requests a second", &growth.concurrency);
    let memory = growth
        .memory
        .iter()
        .map(|curve| Curve { points: curve.points.iter().step_by(5).copied().collect(), ..curve.clone() });
    row("transactions", "MiB in memory", &memory.collect::<Vec<_>>());
    table + "
Header fields beyond the 64th are no longer copied. Requests at the same time share the clock, the allocator and the record
pool, and no lock.
"
}

fn how(results: &Results) -> String {
    let machine = &results.machine;
    let measured: Vec<String> = results.parts.iter().map(|(part, when)| format!("{part} {when}")).collect();
    format!(
        "{HOW}
| | |
|---|---|
| measured | {} |
| machine | {} |
| tools | {} |
| packages | {} |
",
        measured.join("; "),
        machine.processor,
        machine.tools.join(", "),
        machine.packages.join(", "),
    )
}

const HOW: &str = "
## How it is measured

- **The same for all.** Each request has a head of its own in a new buffer, of which target and header values are slices, as hyper makes
  them. Responses are read to the end of their body. The caller sent two members of other vendors in `baggage` besides Sentry's.
  OpenTelemetry gets the trace as `traceparent` and its propagator does not read `baggage`, to its advantage.
- **Nothing left out.** Before ours is measured, what it records is compared with the full payload, field by field
  (`src/payload.rs`), also over the wire where it is handed over. After every batch, each variant must have yielded exactly the
  transactions and spans that it claims.
- **Handed over** is the real queue and worker, below an ingest that has asked for silence: the worker takes each record, counts it and
  recycles it. *Elsewhere* is what other threads of the process spend on a request.
- **Nanoseconds.** A process for each variant and round, since subscribers, hubs and providers are global. Fifteen rounds in alternating
  order, pinned to one processor; the median of the rounds' medians of batches of 200 requests (ten for outgoing calls, which belong to
  one transaction).
- **Instructions.** Callgrind, started by gungraun in a process for each variant, inside the measured batches alone, on the thread of the
  request; 1,000 warm requests.
- **Allocations.** A counting allocator over 1,000 warm requests, all threads; a block that grows counts again.
- **Outgoing.** Our middleware as `SentryTracingMiddleware::new()` adds it, and as `sentrace::reqwest::client` does, with redirects
  guarded. A stub stands in place of the network, and redirects nobody.
- **The gate.** `cargo run --release --no-default-features --bin gate` counts instructions and allocations of ours in CI and fails
  on 3 % over `gate.json`.
- `cargo bench --bench variants` has criterion's view of the same variants, all in one run with their samples in turn; `cargo bench --bench instructions` gungraun's.
";
