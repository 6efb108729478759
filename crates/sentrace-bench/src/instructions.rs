//! Instructions, counted by callgrind.
//!
//! `benches/instructions.rs` has gungraun run each variant under callgrind, which collects only while the counted
//! function is on the stack of the thread that called it. What other threads do meanwhile, a worker for example, is theirs.

use serde_json::Value;

use crate::measured::Measured;
use crate::request::Baggage;
use crate::variant::{Subject, Variant};
use crate::variants;

/// How the counted function is named to callgrind.
pub const COUNTED: &str = "*counted_batch*";

/// Fewer than for times: nothing learns but the allocator and the pool.
const WARM_UP: u32 = 600;
/// At least as many are counted.
const CALLS: u32 = 1_000;

/// Starts a variant, warm enough to be counted.
///
/// # Panics
/// Where it records something else than its row of the table says.
pub fn start(variant: Variant, baggage: Baggage) -> Measured {
    Measured::start(variant, baggage, WARM_UP)
}

/// Runs the batches that callgrind counts.
pub fn run_counted(measured: &mut Measured) {
    for _ in 0..batches(measured.batch_size()) {
        measured.batch(counted_batch);
    }
}

/// By its own symbol, which is what callgrind is told.
#[inline(never)]
fn counted_batch(subject: &mut dyn Subject, calls: u32) {
    subject.run(calls);
}

fn batches(size: u32) -> u32 {
    CALLS.div_ceil(size)
}

/// What one benchmark counted.
#[derive(Debug)]
pub struct Counted {
    /// What was called.
    pub variant: Variant,
    /// What came in.
    pub baggage: Baggage,
    /// Instructions of a call.
    pub instructions: f64,
}

impl Counted {
    /// Reads a line of what gungraun prints as JSON, the same as `--save-summary=json` saves.
    ///
    /// # Errors
    /// Where it is none of our benchmarks, or nothing was counted.
    pub fn read(line: &str) -> Result<Self, String> {
        let summary: Value = serde_json::from_str(line).map_err(|error| format!("{error} in {line:?}"))?;
        let word = |key| summary.get(key).and_then(Value::as_str).unwrap_or_default();
        let (function, benchmark) = (word("function_name"), word("id"));
        let variant = variants::named(&benchmark.replace('_', "-"))?;
        let baggage = [Baggage::Mixed, Baggage::Sentrys]
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

/// What gungraun calls the benchmarks of variants; `*` in their name stands for anything, no baggage for any.
pub fn benchmarks(variants: &str, baggage: Option<Baggage>) -> String {
    format!("*_{}::{}", baggage.map_or("*", Baggage::name), variants.replace('-', "_"))
}
