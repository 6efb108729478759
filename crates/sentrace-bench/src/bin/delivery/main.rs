//! Measures what delivery delivers, at which cost: under load compared with the official transport,
//! under faults, and during a long outage.
//!
//! - `delivery load [SCENARIO]`: bursts and sustained rates, sentrace and `sentry` alternating; two
//!   minutes.
//! - `delivery instructions [PROTOCOL]`: instructions of the worker, with valgrind; half a minute.
//! - `delivery faults [FAULT]`: faults of the collector, with and without a spool; six minutes.
//! - `delivery outage [SECONDS]`: the collector is down for this long (default: 600) at 500
//!   transactions per second. Delivering what is on disk takes additional time.
//!
//! A name selects what contains it. `--json` prints the rows as JSON for `report -- delivery`,
//! which writes the first three into the pages.
//!
//! The collector runs in this process, and the measured service in a separate one (`delivery
//! service ..`).

mod faults;
mod ingest;
mod instructions;
mod load;
mod outage;
mod outcome;
mod service;

use std::process::ExitCode;

use lexopt::prelude::*;
use sentrace_bench::arguments;
use sentrace_bench::delivery::Row;
use sentrace_bench::process;

const USAGE: &str = "usage: delivery load [SCENARIO] | instructions [PROTOCOL] | faults [FAULT] | outage [SECONDS], with --json for rows as JSON";

fn main() -> ExitCode {
    arguments::run(|| run(lexopt::Parser::from_env()).map(|()| true))
}

fn run(mut parser: lexopt::Parser) -> Result<(), lexopt::Error> {
    let (mut json, mut words) = (false, Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("json") => json = true,
            Long("help") => words = vec!["help".to_owned()],
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let (part, name) = (words.first().map_or("", String::as_str), words.get(1));
    let wanted = |candidate: &str| name.is_none_or(|name| candidate.contains(name.as_str()));
    match part {
        "load" => show(json, load::run(wanted)),
        "instructions" => show(json, instructions::run(wanted)),
        "faults" => show(json, faults::run(wanted)),
        "outage" => {
            let seconds = name.map_or(Ok(600), |name| name.parse());
            show(json, outage::run(seconds.map_err(|_| USAGE)?).into_iter());
        }
        "service" => service::run(name.ok_or(USAGE)?),
        "help" => println!("{USAGE}"),
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

/// Prints each row as soon as it is available.
fn show<R: Row>(json: bool, rows: impl Iterator<Item = R>) {
    if !json {
        println!("load average {}\n", process::load_average());
    }
    for (at, row) in rows.enumerate() {
        if json {
            println!("{}", serde_json::json!(row));
        } else {
            print!("{}{}", if at == 0 { R::head() } else { String::new() }, row.line());
        }
    }
}
