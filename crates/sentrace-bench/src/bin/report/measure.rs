//! Measures one part and keeps what it finds.

use std::fs;
use std::path::Path;
use std::process::Command;

use sentrace_bench::delivery::Row;
use sentrace_bench::load;
use sentrace_bench::request::Baggage;
use sentrace_bench::timing::interval::Interval;
use sentrace_bench::timing::samples::Samples;
use sentrace_bench::tools::{Tools, criterion_group, output};
use sentrace_bench::variants;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::options::Part;
use crate::results::{Counts, Results, Timing, key};

/// Measures a part, or what of it contains a name. A part that is measured as a whole forgets what
/// was known of it.
pub fn measure(part: Part, tools: &Tools, only: Option<&str>, results: &mut Results) -> Result<(), String> {
    if only.is_none() {
        results.forget(part);
    }
    let only = only.unwrap_or_default();
    match part {
        Part::Criterion => times(tools, only, results),
        Part::Counts => counts(tools, only, results),
        Part::Growth => tools.growth().map(|growth| results.growth = Some(growth)),
        Part::Load => load::run(tools).map(|load| results.load = load),
        Part::Delivery => {
            replace(&mut results.delivery.load, tools.delivery("load", only)?);
            if output(Command::new("valgrind").arg("--version")).is_ok() {
                replace(&mut results.delivery.instructions, tools.delivery("instructions", only)?);
            } else {
                eprintln!("no instructions of delivery: valgrind is not installed");
            }
            replace(&mut results.delivery.faults, tools.delivery("faults", only)?);
            Ok(())
        }
    }
}

fn replace<R: Row>(kept: &mut Vec<R>, measured: Vec<R>) {
    for row in measured {
        match kept.iter_mut().find(|known| row.replaces(known)) {
            Some(known) => *known = row,
            None => kept.push(row),
        }
    }
}

fn counts(tools: &Tools, only: &str, results: &mut Results) -> Result<(), String> {
    for counted in tools.instructions(&format!("*{only}*"), None)? {
        let (name, baggage) = (counted.variant.name, counted.baggage);
        let allocations = tools.allocations(name, baggage)?;
        let figures = Counts {
            instructions: counted.instructions,
            allocations: allocations.count,
            bytes: allocations.bytes,
        };
        results.counts.insert(key(baggage, name), figures);
    }
    Ok(())
}

fn times(tools: &Tools, only: &str, results: &mut Results) -> Result<(), String> {
    for baggage in Baggage::ALL {
        tools.criterion(only, baggage)?;
        let group = criterion_group(baggage);
        let samples: Samples = read(&Samples::path(&group))?;
        for name in samples.variants.keys() {
            results.times.insert(key(baggage, name), timing(&group, &samples, name)?);
        }
    }
    Ok(())
}

fn timing(group: &Path, samples: &Samples, name: &str) -> Result<Timing, String> {
    let estimates: Value = read(&group.join(name).join("new/estimates.json"))?;
    let estimate = |pointer| estimates.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let own = samples.own(name, variants::named(name)?.family.base());
    Ok(Timing {
        whole: Interval {
            middle: estimate("/median/point_estimate"),
            low: estimate("/median/confidence_interval/lower_bound"),
            high: estimate("/median/confidence_interval/upper_bound"),
        },
        own: own.ok_or_else(|| format!("{name} was measured without what it is compared with"))?,
        elsewhere: samples.elsewhere(name).unwrap_or_default(),
    })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
