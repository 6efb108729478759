//! Which transactions are recorded: by a rate, by a function, and by the caller.
//!
//! `cargo run --example sampling` starts a thousand transactions of each kind and prints how many
//! were recorded, by which rule. Nothing is sent.

use sentrace::testing::Capture;
use sentrace::{Client, Options, SamplingContext};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A quarter of all traces. The decision is made once, at the start of a trace.
    let by_rate = Options::new().traces_sample_rate(0.25);
    count("a rate of 0.25", by_rate, |client| {
        client.start_transaction("POST /checkout", "http.server").finish();
    })?;

    // The caller's decision takes precedence over the rate: a trace is recorded completely or not
    // at all.
    for (decision, flag) in [("yes", 1), ("no", 0)] {
        let by_rate = Options::new().traces_sample_rate(0.25);
        let header = format!("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flag}");
        let headers = [("sentry-trace", header.as_str())];
        count(&format!("the same rate, the caller said {decision}"), by_rate, |client| {
            client.continue_trace(&headers).start_transaction("POST /checkout", "http.server").finish();
        })?;
    }

    // A function decides by context. It takes precedence over the caller, so it returns the
    // caller's decision.
    for name in ["GET /health", "POST /checkout", "GET /products"] {
        let by_function = Options::new().traces_sampler(rate);
        count(&format!("a function, for {name}"), by_function, |client| {
            client.start_transaction(name, "http.server").finish();
        })?;
    }

    // Without a rate, tracing is off: nothing is recorded, but traces are still propagated.
    let (client, _) = Capture::client(Options::new())?;
    let headers = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
    if let Some(passed_on) = client.continue_trace(&headers).trace_headers() {
        println!("{:<42} {}", "no rate; the caller's trace goes on as", passed_on.sentry_trace());
    }
    Ok(())
}

fn rate(context: &SamplingContext<'_>) -> f64 {
    match (context.parent_sampled, &*context.name()) {
        (Some(decided), _) => f64::from(u8::from(decided)),
        (None, "GET /health") => 0.0,
        (None, name) if name.starts_with("POST ") => 1.0, // there are few, and they matter
        (None, _) => 0.1,
    }
}

/// Runs `transaction` a thousand times with a client that keeps what it records.
fn count(
    rule: &str,
    options: Options,
    transaction: impl Fn(&Client),
) -> Result<(), Box<dyn std::error::Error>> {
    let (client, recorded) = Capture::client(options)?;
    for _ in 0..1000 {
        transaction(&client);
    }
    println!("{rule:<42} {:>4} of 1000", recorded.take().len());
    Ok(())
}
