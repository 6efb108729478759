//! Instructions, counted by callgrind.
//!
//! `benches/instructions.rs` runs each variant under callgrind with gungraun. Only instructions
//! below the counted function are counted, on the thread that called it, so those of other threads
//! such as a worker are not included.

use serde_json::Value;

use crate::measured::Measured;
use crate::request::Baggage;
use crate::variant::{Subject, Variant};
use crate::variants;

/// The pattern by which callgrind finds the counted function.
pub const COUNTED: &str = "*counted_batch*";

/// Fewer calls than for times, since only the allocator and the pool need warming up.
const WARM_UP: u32 = 600;
/// The minimum number of counted calls.
const CALLS: u32 = 1_000;

/// Starts a variant and warms it up.
///
/// # Panics
/// Panics if it does not record what the variant claims.
pub fn start(variant: Variant, baggage: Baggage) -> Measured {
    Measured::start(variant, baggage, WARM_UP)
}

/// Runs the batches that callgrind counts.
pub fn run_counted(measured: &mut Measured) {
    for _ in 0..batches(measured.batch_size()) {
        measured.batch(counted_batch);
    }
}

/// Not inlined, so that callgrind finds it by its symbol.
#[inline(never)]
fn counted_batch(subject: &mut dyn Subject, calls: u32) {
    subject.run(calls);
}

fn batches(size: u32) -> u32 {
    CALLS.div_ceil(size)
}

/// The result of a benchmark.
#[derive(Debug)]
pub struct Counted {
    /// The variant.
    pub variant: Variant,
    /// The incoming baggage.
    pub baggage: Baggage,
    /// Instructions per call.
    pub instructions: f64,
}

impl Counted {
    /// Parses a line of gungraun's JSON output.
    ///
    /// # Errors
    /// Returns an error if it is not a benchmark of a variant, or nothing was counted.
    pub fn read(line: &str) -> Result<Self, String> {
        let summary: Value = serde_json::from_str(line).map_err(|error| format!("{error} in {line:?}"))?;
        let word = |key| summary.get(key).and_then(Value::as_str).unwrap_or_default();
        let (function, benchmark) = (word("function_name"), word("id"));
        let variant = variants::named(&benchmark.replace('_', "-"))?;
        let baggage = Baggage::ALL
            .into_iter()
            .find(|baggage| function.ends_with(baggage.name()))
            .ok_or_else(|| format!("{function:?} says of no baggage that it comes in"))?;
        let total = summary
            .pointer("/profiles/0/data/total/metrics/Ir/values/new")
            .and_then(Value::as_u64)
            .filter(|total| *total > 0)
            .ok_or_else(|| format!("{benchmark}: callgrind counted nothing; is the binary stripped?"))?;
        let calls = batches(variant.batch) * variant.batch;
        Ok(Self { variant, baggage, instructions: total as f64 / f64::from(calls) })
    }
}

/// Returns gungraun's pattern for the benchmarks of variants, with one baggage or any.
pub fn benchmarks(variants: &str, baggage: Option<Baggage>) -> String {
    format!("*_{}::{}", baggage.map_or("*", Baggage::name), variants.replace('-', "_"))
}
