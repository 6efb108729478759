//! The tables of the pages.

use std::collections::BTreeMap;
use std::iter::once;

use sentrace_bench::delivery::{Figures, Loaded, table};
use sentrace_bench::load::Load;
use sentrace_bench::request::Baggage::{Mixed, Sentrys};
use sentrace_bench::table::{figure, head, maybe, row};
use sentrace_bench::timing::interval::Interval;
use sentrace_bench::variant::Variant;
use sentrace_bench::variants;

use crate::promises::{Job, PROMISES};
use crate::results::{Counts, Delivery, Results};

/// Returns all tables by their names.
pub fn all(results: &Results) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("promises", promises(results)),
        ("jobs", PROMISES.jobs.iter().map(|job| of_job(job, results)).collect()),
        ("least", least(results)),
        ("variants", every(results)),
        ("headers", headers(results)),
        ("load", load(&results.load)),
        ("growth", growth(results)),
        ("delivery-promises", delivery_promises(&results.delivery)),
        ("delivery", table(&results.delivery.load)),
        ("delivery-instructions", table(&results.delivery.instructions)),
        ("faults", table(&results.delivery.faults)),
        ("measured", measured(results)),
    ])
}

fn promises(results: &Results) -> String {
    let mut table = head(" | own | 95 % | at most | best peer | of that | ", 1);
    for job in &PROMISES.jobs {
        for (name, label, most) in &job.ours {
            // Those that carry no trace on, or are switched off, do not do the same.
            let other = ["TraceLayer", "no headers", "never", "alone"];
            let peers = job.peers.iter().filter(|(_, label)| !other.iter().any(|word| label.contains(word)));
            let time = |name: &str| results.time(Mixed, name).map(|time| time.own.middle);
            let counts =
                |name: &str, of: fn(Counts) -> f64| results.own_count(Mixed, name, &job.base).map(of);
            let units: [(&str, &dyn Fn(&str) -> Option<f64>); 3] = [
                ("ns", &time),
                ("instructions", &|name| counts(name, |counts| counts.instructions)),
                ("allocations", &|name| counts(name, |counts| counts.allocations)),
            ];
            for ((unit, of), most) in units.into_iter().zip(most) {
                let (Some(own), Some(most)) = (of(name), most) else { continue };
                let interval = results.time(Mixed, name).filter(|_| unit == "ns").map(|time| time.own);
                let best = peers.clone().filter_map(|(name, _)| of(name)).fold(f64::INFINITY, f64::min);
                table += &row([
                    format!("{}: {label}", job.title),
                    format!("{} {unit}", figure(own)),
                    span(interval),
                    figure(*most),
                    figure(best),
                    format!("{:.0} %", own / best * 100.0),
                    // Allocations are a mean that a growing buffer lifts a little.
                    verdict(own <= most + 0.2),
                ]);
            }
        }
    }
    for (server, title, least, peers) in &PROMISES.load {
        let ours = share(&results.load, server);
        let best = peers.iter().map(|name| share(&results.load, name)).reduce(f64::max);
        table += &row([
            format!("Over loopback, share: {title}"),
            format!("{ours:.2}"),
            "-".to_owned(),
            format!("at least {least:.2}"),
            best.map_or("-".to_owned(), |best| format!("{best:.2}")),
            "-".to_owned(),
            verdict(ours >= *least),
        ]);
    }
    table
}

fn of_job(job: &Job, results: &Results) -> String {
    let columns = " | ns | own ns | elsewhere, ns | ratio | own instructions | own allocations | own bytes";
    let mut table = format!("### {}\n\n{}", job.title, head(columns, 1));
    let time = |name: &str| results.time(Mixed, name);
    let first = time(&job.ours[0].0).map_or(f64::NAN, |time| time.own.middle);
    let ours = job.ours.iter().map(|(name, label, _)| (name, format!("**{label}**")));
    for (name, label) in ours.chain(job.peers.iter().map(|(name, label)| (name, label.clone()))) {
        let (time, counts) = (time(name), results.own_count(Mixed, name, &job.base));
        table += &row([
            label,
            maybe(time.map(|time| time.whole.middle)),
            maybe(time.map(|time| time.own.middle)),
            maybe(time.map(|time| time.elsewhere).filter(|elsewhere| *elsewhere >= 1.0)),
            time.map_or("-".to_owned(), |time| format!("{:.1}", time.own.middle / first)),
            maybe(counts.map(|counts| counts.instructions)),
            maybe(counts.map(|counts| counts.allocations)),
            maybe(counts.map(|counts| counts.bytes)),
        ]);
    }
    let counts = results.count(Mixed, &job.base);
    let bracketed = |of: fn(Counts) -> f64| format!("({})", maybe(counts.map(of)));
    table += &row([
        job.base.clone(),
        maybe(time(&job.base).map(|time| time.whole.middle)),
        "-".to_owned(),
        "-".to_owned(),
        "-".to_owned(),
        bracketed(|counts| counts.instructions),
        bracketed(|counts| counts.allocations),
        bracketed(|counts| counts.bytes),
    ]);
    table + "\n"
}

fn least(results: &Results) -> String {
    let own = |name: &str| results.own_time(Mixed, name);
    let nanoseconds = |name: &str| maybe(own(name).map(|own| own.middle));
    let instructions =
        |name: &str| maybe(results.own_count(Mixed, name, "noop-layer").map(|counts| counts.instructions));
    let rows = PROMISES.least.iter().map(|(name, does, ours)| {
        let each =
            |of: &dyn Fn(&str) -> String| ours.iter().map(|name| of(name)).collect::<Vec<_>>().join(", ");
        row([
            does.clone(),
            nanoseconds(name),
            span(own(name)),
            instructions(name),
            each(&str::to_owned),
            each(&nanoseconds),
            each(&instructions),
        ])
    });
    let columns = "at the least | own ns | 95 % | own instructions | ours | own ns | own instructions";
    once(head(columns, 1)).chain(rows).collect()
}

fn every(results: &Results) -> String {
    let rows = variants::all().into_iter().map(|variant| {
        let base = own_base(variant);
        let time = results.time(Mixed, variant.name);
        let own = |baggage| base.and(results.time(baggage, variant.name)).map(|time| time.own);
        let instructions = |baggage| {
            let counts = base.and_then(|base| results.own_count(baggage, variant.name, base));
            maybe(counts.map(|counts| counts.instructions))
        };
        row([
            variant.name.to_owned(),
            maybe(time.map(|time| time.whole.middle)),
            span(time.map(|time| time.whole)),
            maybe(own(Mixed).map(|own| own.middle)),
            span(own(Mixed)),
            maybe(own(Sentrys).map(|own| own.middle)),
            span(own(Sentrys)),
            instructions(Mixed),
            instructions(Sentrys),
        ])
    });
    let columns = " | median, ns | 95 % | own, ns | 95 % | own, ns, Sentry's alone | 95 % | own instructions | \
        own instructions, Sentry's alone";
    once(head(columns, 1)).chain(rows).collect()
}

/// What is subtracted from a variant that is more than what is there anyhow.
fn own_base(variant: Variant) -> Option<&'static str> {
    let without = ["bare", "outgoing-stub"];
    variant.family.base().filter(|base| *base != variant.name && !without.contains(&variant.name))
}

fn headers(results: &Results) -> String {
    let rows = PROMISES.headers.iter().map(|(name, label, most, allocations)| {
        let time = |baggage| results.time(baggage, name).map(|time| time.own);
        let counts = |baggage| results.count(baggage, name);
        row([
            label.clone(),
            maybe(time(Mixed).map(|time| time.middle)),
            span(time(Mixed)),
            maybe(time(Sentrys).map(|time| time.middle)),
            span(time(Sentrys)),
            figure(*most),
            maybe(counts(Sentrys).map(|counts| counts.allocations)),
            figure(*allocations),
            maybe(counts(Mixed).map(|counts| counts.instructions)),
        ])
    });
    let columns = " | ns, mixed | 95 % | ns, Sentry's alone | 95 % | at most | allocations | at most | \
        instructions, mixed";
    once(head(columns, 1)).chain(rows).collect()
}

/// Of the requests per processor second behind a layer that does nothing.
fn share(loads: &[Load], name: &str) -> f64 {
    let cpu = |name: &str| loads.iter().find(|load| load.name == name).map_or(f64::NAN, |load| load.cpu);
    cpu("noop-layer") / cpu(name)
}

fn load(loads: &[Load]) -> String {
    let rows = loads.iter().map(|load| {
        let promise = PROMISES.load.iter().find(|(server, ..)| *server == load.name);
        row([
            load.name.clone(),
            format!("{:.2}", load.cpu),
            format!("{:.2}", share(loads, &load.name)),
            promise.map_or("-".to_owned(), |(_, _, least, _)| format!("{least:.2}")),
            figure(load.rate),
            if load.delivered > 0.0 { format!("{:.1}", load.delivered) } else { "-".to_owned() },
        ])
    });
    let columns = "server | processor time of a request, us | share | at least | requests/s | \
        delivered, of 100 requests";
    once(head(columns, 1)).chain(rows).collect()
}

fn growth(results: &Results) -> String {
    let Some(growth) = &results.growth else { return String::new() };
    let curves = [
        ("spans", "ns", &growth.spans, 1),
        ("headers", "ns", &growth.headers, 1),
        ("baggage", "ns by bytes", &growth.baggage, 1),
        ("requests at the same time", "requests a second", &growth.concurrency, 1),
        ("transactions", "MiB in memory", &growth.memory, 5),
    ];
    let rows = curves.into_iter().flat_map(|(what, unit, curves, step)| {
        curves.iter().map(move |curve| {
            let points = curve.points.iter().step_by(step);
            let points: Vec<_> = points.map(|(x, y)| format!("{}: {}", figure(*x), figure(*y))).collect();
            row([format!("{what}, {} ({unit})", curve.name), points.join(" · ")])
        })
    });
    once(head(" | ", 2)).chain(rows).collect()
}

fn delivery_promises(delivery: &Delivery) -> String {
    let mut table = head(" | sentrace | promised | sentry | ", 1);
    let mut add = |what: &str, ours: f64, promised: &str, theirs: Option<f64>, holds: bool| {
        table += &row([what.to_owned(), figure(ours), promised.to_owned(), maybe(theirs), verdict(holds)]);
    };
    let of = |transport: &'static str| delivery.load.iter().filter(move |run| run.transport == transport);
    for (scenario, title) in &PROMISES.all_arrive {
        let find = |transport| of(transport).find(|run| run.scenario == *scenario);
        let Some(Loaded { figures: ours, .. }) = find("sentrace") else { continue };
        let theirs = find("sentry").map(|run| run.figures.delivered as f64);
        add(title, ours.delivered as f64, "all", theirs, ours.delivered == ours.recorded);
    }
    let most = |transport, figure: fn(&Figures) -> u64| {
        of(transport).map(|run| figure(&run.figures)).max().map(|most| most as f64)
    };
    let bytes = |figures: &Figures| figures.body_bytes;
    if let Some(ours) = most("sentrace", bytes) {
        let promised = format!("at most {}", figure(PROMISES.body_bytes));
        let holds = ours <= PROMISES.body_bytes;
        add("bytes posted for a transaction", ours, &promised, most("sentry", bytes), holds);
    }
    let unaccounted = |figures: &Figures| figures.unaccounted().unsigned_abs();
    let faults = delivery.faults.iter().map(|run| unaccounted(&run.figures)).max().unwrap_or(0) as f64;
    if let Some(under_load) = most("sentrace", unaccounted) {
        let (worst, runs) = (faults.max(under_load), delivery.faults.len());
        let what =
            format!("unaccounted, at worst, under load and in {runs} runs with faults (sentry: under load)");
        add(&what, worst, "0", most("sentry", unaccounted), worst == 0.0);
    }
    table
}

fn measured(results: &Results) -> String {
    let machine = &results.machine;
    let parts: Vec<_> = results.parts.iter().map(|(part, when)| format!("{part} {when}")).collect();
    let rows = [
        ("measured", parts.join("; ")),
        ("machine", machine.processor.clone()),
        ("tools", machine.tools.join(", ")),
        ("packages", machine.packages.join(", ")),
    ];
    once(head(" | ", 2)).chain(rows.map(|(what, text)| row([what, &text]))).collect()
}

fn verdict(holds: bool) -> String {
    if holds { "holds" } else { "**missed**" }.to_owned()
}

fn span(interval: Option<Interval>) -> String {
    interval
        .map_or("-".to_owned(), |interval| format!("{} to {}", figure(interval.low), figure(interval.high)))
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
        let scenario = &*PROMISES.all_arrive[0].0;
        let load = vec![run(scenario, "sentrace", 1_999, 1), run(scenario, "sentry", 31, 448)];
        let table = delivery_promises(&Delivery { load, ..Delivery::default() });
        assert!(table.contains("| 1,999 | all | 31 | **missed** |"), "{table}");
        assert!(table.contains("| 936 | at most 1,650 | 936 | holds |"), "{table}");
        assert!(table.contains("| 0 | 0 | 1,521 | holds |"), "{table}");
    }
}
