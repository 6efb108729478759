//! What delivery delivers, costs and accounts for: under load beside the official transport, under faults, and through a
//! long outage.
//!
//! - `delivery load [SCENARIO]`: bursts and sustained rates, sentrace and `sentry` in turns; two minutes.
//! - `delivery instructions [PROTOCOL]`: the worker's, under valgrind; half a minute.
//! - `delivery faults [FAULT]`: what a collector may do wrong, with a spool and without; six minutes.
//! - `delivery outage [SECONDS]` keeps the collector down for that long (600 by default) at 500 transactions a second, and takes
//!   longer still to deliver what is on disk.
//!
//! A name measures those that contain it. `--json` prints the rows as JSON, as `report -- delivery` wants them, which writes
//! the first three into the pages.
//!
//! The collector runs in this process; what is measured is a service in a process of its own (`delivery service ..`).

mod faults;
mod ingest;
mod instructions;
mod load;
mod outage;
mod outcome;
mod process;
mod service;

use std::process::ExitCode;

use sentrace_bench::delivery::Row;

const USAGE: &str = "usage: delivery load [SCENARIO] | instructions [PROTOCOL] | faults [FAULT] | outage [SECONDS], with --json for rows as JSON";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "--json").collect();
    let (part, name) = match words.as_slice() {
        ["service", plan] => {
            service::run(plan);
            return ExitCode::SUCCESS;
        }
        [part] => (*part, None),
        [part, name] => (*part, Some(*name)),
        _ => ("", None),
    };
    let wanted = |candidate: &str| name.is_none_or(|name| candidate.contains(name));
    match (part, name.map(str::parse)) {
        ("load", _) => show(json, load::run(wanted)),
        ("instructions", _) => show(json, instructions::run(wanted)),
        ("faults", _) => show(json, faults::run(wanted)),
        ("--help", _) => println!("{USAGE}"),
        ("outage", None) => show(json, outage::run(600).into_iter()),
        ("outage", Some(Ok(seconds))) => show(json, outage::run(seconds).into_iter()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Each row as soon as it is there.
fn show<R: Row>(json: bool, rows: impl Iterator<Item = R>) {
    if !json {
        println!("load average {}\n", process::load_average());
    }
    for (at, row) in rows.enumerate() {
        if json {
            println!("{}", serde_json::json!(row));
        } else {
            print!("{}{}", if at == 0 { row.head() } else { String::new() }, row.line());
        }
    }
}
