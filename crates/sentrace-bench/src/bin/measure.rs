//! One variant in a process of its own, started by the other tools.
//!
//! - `measure list` names the variants of this build.
//! - `measure time VARIANT [mixed|sentrys] [CALLS]` prints nanoseconds.
//! - `measure growth` prints how our costs grow.
//! - `measure serve VARIANT DSN` serves it, `measure collect` takes envelopes; both print their address.

use std::process::ExitCode;

use sentrace_bench::arguments::Arguments;
use sentrace_bench::measured::shift_heap;
use sentrace_bench::{growth, serve, time, variants};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["list"] => {
            for variant in variants::all() {
                println!("{}", variant.name);
            }
        }
        ["time", rest @ ..] => {
            let arguments = Arguments::read(rest, 20_000)?;
            shift_heap();
            let time = time::measure(&mut arguments.start(2_000), arguments.calls);
            println!("{}", serde_json::json!(time));
        }
        ["growth"] => println!("{}", serde_json::json!(growth::measure())),
        ["serve", name, collector] => {
            shift_heap();
            serve::variant(name, collector)?;
        }
        ["collect"] => serve::collector(),
        _ => {
            return Err("usage: measure list | time VARIANT .. | growth | ..".to_owned());
        }
    }
    Ok(())
}
