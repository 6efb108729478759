//! Delivery beside the official transport, its instructions, and what becomes of all under faults.

use std::process::Command;

use sentrace_bench::delivery::Row;
use sentrace_bench::tools::{Tools, output};

use crate::results::Delivery;

/// Measures the scenarios, protocols and faults whose names contain `only`.
pub fn measure(tools: &Tools, only: &str, delivery: &mut Delivery) -> Result<(), String> {
    eprintln!("delivery beside the official transport ..");
    replace(&mut delivery.load, tools.delivery("load", only)?);
    if output(Command::new("valgrind").arg("--version")).is_ok() {
        eprintln!("instructions of delivery ..");
        replace(&mut delivery.instructions, tools.delivery("instructions", only)?);
    } else {
        eprintln!("no instructions of delivery: valgrind is not installed");
    }
    eprintln!("faults ..");
    replace(&mut delivery.faults, tools.delivery("faults", only)?);
    Ok(())
}

/// Rows of the same subject give way, in their place.
fn replace<R: Row>(kept: &mut Vec<R>, measured: Vec<R>) {
    for row in measured {
        match kept.iter_mut().find(|known| known.subject() == row.subject()) {
            Some(known) => *known = row,
            None => kept.push(row),
        }
    }
}
