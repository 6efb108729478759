//! A short-lived program for tests: it records transactions and ends.
//!
//! `sentrace-test-job <transactions> [return|panic]`; project and trace come from the environment.
#![expect(clippy::panic, reason = "ending by a panic is what one test is about")]

use sentrace::{Options, start_transaction};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let transactions: usize = arguments.next().ok_or("how many transactions?")?.parse()?;
    let ends_by = arguments.next().unwrap_or_else(|| "return".to_owned());

    let _sentrace = sentrace::init(
        Options::from_env().traces_sample_rate(1.0).shutdown_timeout(sentrace_tests::PATIENCE),
    )?;
    for n in 0..transactions {
        let transaction = start_transaction(format!("job {n}"), "task");
        for step in ["read", "write"] {
            transaction.start_span("task", step).finish();
        }
    }
    if ends_by == "panic" {
        panic!("the job fails");
    }
    Ok(())
}
