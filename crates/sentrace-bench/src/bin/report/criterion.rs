//! Nanoseconds of variants, from what criterion and its bench leave.

use std::fs;
use std::path::Path;

use sentrace_bench::interval::Interval;
use sentrace_bench::request::Baggage;
use sentrace_bench::samples::Samples;
use sentrace_bench::tools::{Tools, criterion_group};
use sentrace_bench::variants;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::results::{ByBaggage, Timing};

/// Measures those whose names contain `only`, with either baggage.
pub fn measure(tools: &Tools, only: &str, times: &mut ByBaggage<Timing>) -> Result<(), String> {
    for baggage in [Baggage::Mixed, Baggage::Sentrys] {
        tools.criterion(only, baggage)?;
        let group = criterion_group(baggage);
        let samples: Samples = read(&Samples::path(&group))?;
        for name in samples.variants.keys() {
            times.of_mut(baggage).insert(name.clone(), timing(&group, &samples, name)?);
        }
    }
    Ok(())
}

fn timing(group: &Path, samples: &Samples, name: &str) -> Result<Timing, String> {
    let estimates: Estimates = read(&group.join(name).join("new/estimates.json"))?;
    let Estimate { point_estimate, confidence_interval: Confidence { lower_bound, upper_bound } } =
        estimates.median;
    let own = samples.own(name, variants::named(name)?.family.base());
    Ok(Timing {
        whole: Interval { middle: point_estimate, low: lower_bound, high: upper_bound },
        own: own.ok_or_else(|| format!("{name} was measured without what it is compared with"))?,
        elsewhere: samples.elsewhere(name).unwrap_or_default(),
    })
}

/// What is wanted of a file of criterion's.
#[derive(Debug, Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Debug, Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Confidence,
}

#[derive(Debug, Deserialize)]
struct Confidence {
    lower_bound: f64,
    upper_bound: f64,
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| fail(&error))?;
    serde_json::from_str(&text).map_err(|error| fail(&error))
}
