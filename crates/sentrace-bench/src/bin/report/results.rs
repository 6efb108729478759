//! All that was measured, kept between runs.

use std::collections::BTreeMap;
use std::path::Path;

use sentrace_bench::growth::Growth;
use sentrace_bench::load::Load;
use sentrace_bench::request::Baggage;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// What a report is made of.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Results {
    pub machine: Machine,
    /// When each part was measured, and how busy the machine was.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
    pub costs: Costs,
    pub growth: Option<Growth>,
    pub load: Vec<Load>,
}

/// What a call costs, by variant, with either baggage.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Costs {
    pub mixed: BTreeMap<String, Cost>,
    pub sentrys: BTreeMap<String, Cost>,
}

/// What a call of a variant costs.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Cost {
    pub nanoseconds: f64,
    pub elsewhere: f64,
    pub instructions: f64,
    pub allocations: f64,
    pub bytes: f64,
}

impl Costs {
    pub fn of(&self, baggage: Baggage) -> &BTreeMap<String, Cost> {
        match baggage {
            Baggage::Mixed => &self.mixed,
            Baggage::Sentrys => &self.sentrys,
        }
    }

    pub fn of_mut(&mut self, baggage: Baggage) -> &mut BTreeMap<String, Cost> {
        match baggage {
            Baggage::Mixed => &mut self.mixed,
            Baggage::Sentrys => &mut self.sentrys,
        }
    }

    /// What `name` costs, without `base`; `None` where either was not measured.
    pub fn own(&self, baggage: Baggage, name: &str, base: &str) -> Option<Cost> {
        let (whole, base) = (self.of(baggage).get(name)?, self.of(baggage).get(base)?);
        Some(Cost {
            nanoseconds: whole.nanoseconds - base.nanoseconds,
            elsewhere: whole.elsewhere - base.elsewhere,
            instructions: whole.instructions - base.instructions,
            allocations: whole.allocations - base.allocations,
            bytes: whole.bytes - base.bytes,
        })
    }
}

impl Results {
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{error}; measure everything once, without naming a part"))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}
