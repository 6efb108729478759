//! All that was measured, kept between runs.

use std::collections::BTreeMap;
use std::path::Path;

use sentrace_bench::delivery::{Counted, Faulted, Loaded};
use sentrace_bench::growth::Growth;
use sentrace_bench::load::Load;
use sentrace_bench::request::Baggage;
use sentrace_bench::timing::interval::Interval;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::options::Part;

/// What a report is made of. What was not measured yet is empty.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    pub machine: Machine,
    /// When each part was measured, and how busy the machine was.
    pub parts: BTreeMap<String, String>,
    /// By [`key`].
    pub times: BTreeMap<String, Timing>,
    /// By [`key`].
    pub counts: BTreeMap<String, Counts>,
    pub growth: Option<Growth>,
    pub load: Vec<Load>,
    pub delivery: Delivery,
}

/// Nanoseconds of a call of a variant.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Timing {
    /// All of it, by criterion.
    pub whole: Interval,
    /// Without that of the family's base, from samples of the same round.
    pub own: Interval,
    /// On other threads.
    pub elsewhere: f64,
}

/// What else a call of a variant costs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Counts {
    pub instructions: f64,
    pub allocations: f64,
    pub bytes: f64,
}

/// What the `delivery` binary finds out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    pub load: Vec<Loaded>,
    pub instructions: Vec<Counted>,
    pub faults: Vec<Faulted>,
}

/// Names a variant with a baggage.
pub fn key(baggage: Baggage, name: &str) -> String {
    format!("{name} {}", baggage.name())
}

impl Results {
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub fn time(&self, baggage: Baggage, name: &str) -> Option<Timing> {
        self.times.get(&key(baggage, name)).copied()
    }

    pub fn own_time(&self, baggage: Baggage, name: &str) -> Option<Interval> {
        self.time(baggage, name).map(|time| time.own)
    }

    pub fn count(&self, baggage: Baggage, name: &str) -> Option<Counts> {
        self.counts.get(&key(baggage, name)).copied()
    }

    /// What `name` costs without `base`.
    pub fn own_count(&self, baggage: Baggage, name: &str, base: &str) -> Option<Counts> {
        let (whole, base) = (self.count(baggage, name)?, self.count(baggage, base)?);
        Some(Counts {
            instructions: whole.instructions - base.instructions,
            allocations: whole.allocations - base.allocations,
            bytes: whole.bytes - base.bytes,
        })
    }

    /// Forgets what is known of a part.
    pub fn forget(&mut self, part: Part) {
        match part {
            Part::Criterion => self.times.clear(),
            Part::Counts => self.counts.clear(),
            Part::Growth => self.growth = None,
            Part::Load => self.load.clear(),
            Part::Delivery => self.delivery = Delivery::default(),
        }
    }

    /// Notes when a part, or what of it contains a name, was measured.
    pub fn note(&mut self, part: &str, only: Option<&str>, began: String) {
        match only {
            Some(only) => _ = self.parts.insert(format!("{part} of {only:?}"), began),
            None => {
                self.parts.retain(|known, _| !known.starts_with(part));
                self.parts.insert(part.to_owned(), began);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_part_takes_the_place_of_what_was_noted_of_it() {
        let mut results = Results::default();
        for (part, only, at) in
            [("counts", None, "1"), ("counts", Some("bare"), "2"), ("load", None, "3"), ("counts", None, "4")]
        {
            results.note(part, only, at.to_owned());
        }
        let noted = [("counts", "4"), ("load", "3")].map(|(part, at)| (part.to_owned(), at.to_owned()));
        assert_eq!(results.parts, BTreeMap::from(noted));
    }
}
