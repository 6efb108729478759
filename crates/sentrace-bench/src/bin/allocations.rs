//! Counts the allocations of a variant, in a separate process: `allocations VARIANT [mixed|sentrys]
//! [CALLS]`.

use std::alloc::System;
use std::process::ExitCode;

use sentrace_bench::allocations;
use sentrace_bench::arguments::{Arguments, run};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    run(|| {
        let arguments = Arguments::read(&mut lexopt::Parser::from_env(), 1_000)?;
        let counted = allocations::count(&mut arguments.start(1_000), ALLOCATOR, arguments.calls);
        println!("{}", serde_json::json!(counted));
        Ok::<_, lexopt::Error>(true)
    })
}
