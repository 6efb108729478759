//! All that was measured, kept between runs.

use std::collections::BTreeMap;
use std::path::Path;

use sentrace_bench::delivery::{Counted, Faulted, Loaded};
use sentrace_bench::growth::Growth;
use sentrace_bench::interval::Interval;
use sentrace_bench::load::Load;
use sentrace_bench::request::Baggage;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// What a report is made of. What was not measured yet is empty.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    pub machine: Machine,
    /// When each part was measured, and how busy the machine was.
    pub parts: BTreeMap<String, String>,
    pub times: ByBaggage<Timing>,
    pub counts: ByBaggage<Counts>,
    pub growth: Option<Growth>,
    pub load: Vec<Load>,
    pub delivery: Delivery,
}

/// Figures by variant, with either baggage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ByBaggage<T> {
    mixed: BTreeMap<String, T>,
    sentrys: BTreeMap<String, T>,
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

/// What the `delivery` binary found out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Delivery {
    pub load: Vec<Loaded>,
    pub instructions: Vec<Counted>,
    pub faults: Vec<Faulted>,
}

impl<T> Default for ByBaggage<T> {
    fn default() -> Self {
        Self { mixed: BTreeMap::new(), sentrys: BTreeMap::new() }
    }
}

impl<T: Copy> ByBaggage<T> {
    pub fn of(&self, baggage: Baggage) -> &BTreeMap<String, T> {
        match baggage {
            Baggage::Mixed => &self.mixed,
            Baggage::Sentrys => &self.sentrys,
        }
    }

    pub fn of_mut(&mut self, baggage: Baggage) -> &mut BTreeMap<String, T> {
        match baggage {
            Baggage::Mixed => &mut self.mixed,
            Baggage::Sentrys => &mut self.sentrys,
        }
    }

    pub fn get(&self, baggage: Baggage, name: &str) -> Option<T> {
        self.of(baggage).get(name).copied()
    }
}

impl ByBaggage<Counts> {
    /// What `name` costs, without `base`; `None` where either was not counted.
    pub fn own(&self, baggage: Baggage, name: &str, base: &str) -> Option<Counts> {
        let (whole, base) = (self.get(baggage, name)?, self.get(baggage, base)?);
        Some(Counts {
            instructions: whole.instructions - base.instructions,
            allocations: whole.allocations - base.allocations,
            bytes: whole.bytes - base.bytes,
        })
    }
}

impl Results {
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}
