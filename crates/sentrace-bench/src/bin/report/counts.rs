//! Instructions and allocations of variants.

use sentrace_bench::request::Baggage;
use sentrace_bench::tools::Tools;
use sentrace_bench::variants;

use crate::results::{ByBaggage, Counts};

/// Counts for those whose names contain `only`, with either baggage.
pub fn count(tools: &Tools, only: &str, counts: &mut ByBaggage<Counts>) -> Result<(), String> {
    let counted = tools.instructions(&format!("*{only}*"), None)?;
    for variant in variants::all().into_iter().filter(|variant| variant.name.contains(only)) {
        for baggage in [Baggage::Mixed, Baggage::Sentrys] {
            let instructions = counted
                .iter()
                .find(|counted| counted.variant.name == variant.name && counted.baggage == baggage)
                .ok_or_else(|| {
                    format!("benches/instructions.rs does not count {} with {baggage:?}", variant.name)
                })?
                .instructions;
            let allocations = tools.allocations(variant.name, baggage)?;
            let figures = Counts { instructions, allocations: allocations.count, bytes: allocations.bytes };
            counts.of_mut(baggage).insert(variant.name.to_owned(), figures);
        }
    }
    Ok(())
}
