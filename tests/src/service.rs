//! A program that initialises sentrace as in the README: only the environment decides what it
//! records.
//!
//! It records one transaction, and prints its own trace headers as `trace=..`.

use sentrace::{Options, Origin, start_transaction};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = match std::env::args().nth(1).as_deref() {
        Some("strict") => Options::try_from_env()?,
        _ => Options::from_env(),
    };
    // Like two clients in one process.
    drop(Options::from_env());
    let _guard = sentrace::init(options.tracing_origins([Origin::host("api.example.com")]))?;
    let transaction = start_transaction("work", "task");
    transaction.enter(|| println!("trace={}", sentrace::get_traceparent().unwrap_or_default()));
    transaction.finish();
    println!("running");
    Ok(())
}
