//! What one variant allocates, in a process of its own: `allocations VARIANT [mixed|sentrys] [CALLS]`.

use std::alloc::System;
use std::process::ExitCode;

use sentrace_bench::allocations;
use sentrace_bench::arguments::Arguments;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match Arguments::read(&words, 1_000) {
        Ok(arguments) => {
            let counted = allocations::count(&mut arguments.start(1_000), ALLOCATOR, arguments.calls);
            println!("{}", serde_json::json!(counted));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
