//! What delivery delivers, costs and accounts for: under load beside the official transport, under faults, and through a
//! long outage.
//!
//! - `delivery load` prints a table for bursts and sustained rates, sentrace and `sentry` in turns.
//! - `delivery instructions` counts the worker's, under valgrind.
//! - `delivery faults` prints the table of `docs/reliability.md`.
//! - `delivery outage [SECONDS]` keeps the collector down for that long (600 by default) at 500 transactions a second.
//!
//! The collector runs in this process; what is measured is a service in a process of its own (`delivery service ..`).

mod faults;
mod ingest;
mod instructions;
mod load;
mod outage;
mod process;
mod service;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["load", only @ ..] => load::run(only.first().copied(), only.get(1).copied()),
        ["instructions", only @ ..] => instructions::run(only.first().copied()),
        ["faults", only @ ..] => faults::run(only.first().copied()),
        ["outage"] => outage::run(600),
        ["outage", seconds] => outage::run(seconds.parse().expect("seconds are a whole number")),
        ["service", plan] => service::run(plan),
        _ => {
            eprintln!(
                "usage: delivery load [NAME [SDK]] | instructions [NAME] | faults [NAME] | outage [SECONDS]"
            )
        }
    }
}
