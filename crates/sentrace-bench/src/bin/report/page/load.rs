//! Servers under load, and how cost grows.

use sentrace_bench::chart::figure;
use sentrace_bench::growth::{Curve, Growth};
use sentrace_bench::load::Load;

use crate::jobs::LOAD as PROMISES;

/// The section about load.
pub fn section(loads: &[Load]) -> String {
    LOAD.to_owned() + &table(loads)
}

/// The section about growth.
pub fn growth(growth: &Growth) -> String {
    GROWTH.to_owned() + &curves(growth)
}

const LOAD: &str = "
## Over loopback

A server on one processor, wrk with 32 connections and the same headers on the other, in alternating rounds. What counts is the
processor time of the server for one request, all its threads included, since throughput depends on what else the machine
does. *Share* is the requests per processor second, of those of the same server behind a layer that does nothing. Where everything is
delivered, the server runs for half a minute first, until back-pressure has found the rate that can be delivered; the caller leaves
the decision open there, since one that comes in wins over back-pressure. *least-copied* is the least that a layer can do
that does what sentrace-dropped does ([above](#what-the-least-would-cost)).

";

const GROWTH: &str = "
## How it grows

Our own cost over a layer that does nothing, sampled, dropped on the request's thread.

![Curves for spans, headers, baggage, concurrency and memory](images/performance-growth.svg)

";

/// Of the requests per processor second behind a layer that does nothing.
pub fn share(loads: &[Load], name: &str) -> f64 {
    let cpu = |name: &str| loads.iter().find(|load| load.name == name).map_or(f64::NAN, |load| load.cpu);
    cpu("noop-layer") / cpu(name)
}

fn table(loads: &[Load]) -> String {
    let mut table = String::from(
        "| server | processor time of a request, us | share | at least | requests/s | delivered, of 100 requests |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    for load in loads {
        let promise = PROMISES.iter().find(|promise| promise.server == load.name);
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
Header fields beyond the 64th are no longer copied. Requests at the same time share the allocator and the counter of the
bench's sink, and no lock.
"
}
