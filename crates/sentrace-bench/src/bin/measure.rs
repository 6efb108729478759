//! Runs a variant in a separate process, started by the other tools.
//!
//! - `measure list` lists the variants of this build.
//! - `measure time VARIANT [mixed|sentrys] [CALLS]` prints nanoseconds.
//! - `measure growth` prints how the cost grows.
//! - `measure serve VARIANT DSN` serves it, and `measure collect` receives envelopes. Both print
//!   their address.

use std::process::ExitCode;

use lexopt::prelude::*;
use sentrace_bench::arguments::{self, Arguments};
use sentrace_bench::measured::shift_heap;
use sentrace_bench::serve;
use sentrace_bench::timing::time;
use sentrace_bench::{growth, variants};

fn main() -> ExitCode {
    arguments::run(|| run(&mut lexopt::Parser::from_env()).map(|()| true))
}

fn run(parser: &mut lexopt::Parser) -> Result<(), lexopt::Error> {
    match parser.value()?.string()?.as_str() {
        "list" => variants::all().iter().for_each(|variant| println!("{}", variant.name)),
        "time" => {
            let arguments = Arguments::read(parser, 20_000)?;
            shift_heap();
            let time = time::measure(&mut arguments.start(2_000), arguments.calls);
            println!("{}", serde_json::json!(time));
        }
        "growth" => println!("{}", serde_json::json!(growth::measure())),
        "serve" => {
            let (name, collector) = (parser.value()?.string()?, parser.value()?.string()?);
            shift_heap();
            serve::variant(&name, &collector)?;
        }
        "collect" => serve::collector(),
        other => return Err(format!("{other:?} is none of list, time, growth, serve and collect").into()),
    }
    Ok(())
}
