//! A program and the processes that it starts, in one trace.
//!
//! `cargo run --example subprocess` starts itself again for each picture of a gallery and prints
//! the trace. One of the pictures is broken, and its process fails. With `SENTRY_DSN` set,
//! everything is reported there instead.

use std::env;
use std::error::Error;
use std::process::Command;
use std::time::Duration;

use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};

const PICTURES: [&str; 3] = ["harbour.jpg", "broken.jpg", "market.jpg"];

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        Some(picture) => thumbnail(&picture),
        None => gallery(),
    }
}

/// The program that starts others.
fn gallery() -> Result<(), Box<dyn Error>> {
    let Ok(dsn) = env::var("SENTRY_DSN") else {
        let collector = Collector::start_in_background("127.0.0.1:0")?; // stands in for Sentry
        publish(&collector.dsn("1"))?;
        collector.wait_for_blocking(
            |store| store.transactions().count() == 1 + PICTURES.len(),
            Duration::from_secs(5),
        );
        for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
            println!("{}", waterfall::render(&trace, waterfall::Options::default()));
        }
        return Ok(());
    };
    publish(&dsn)
}

fn publish(dsn: &str) -> Result<(), Box<dyn Error>> {
    // If this program was started within a trace, it continues it.
    let options = Options::from_env().dsn(dsn).release("gallery@1.0.0").traces_sample_rate(1.0);
    let _sentrace = sentrace::init(options)?;

    let transaction = sentrace::start_transaction("publish gallery", "task");
    transaction.enter(|| {
        for picture in PICTURES {
            shrink(picture, dsn)?;
        }
        Ok(())
    })
}

/// Starts a process and waits for it.
fn shrink(picture: &str, dsn: &str) -> Result<(), Box<dyn Error>> {
    // Opens the span `subprocess`, which the child's transaction will have as its parent, and sets
    // the child's SENTRY_TRACE and SENTRY_BAGGAGE.
    let (mut child, span) = Command::new(env::current_exe()?)
        .arg(picture)
        .env("SENTRY_DSN", dsn)
        .env("SENTRY_RELEASE", "thumbnails@1.0.0")
        .spawn_traced()?;
    span.set_description(format!("thumbnail {picture}"));
    let status = child.wait()?;
    span.set_data("process.exit.code", status.code().unwrap_or(-1));
    if !status.success() {
        span.set_status(SpanStatus::InternalError);
    }
    Ok(())
}

/// The `main` of a child. The trace and the sampling decision are in its environment.
fn thumbnail(picture: &str) -> Result<(), Box<dyn Error>> {
    let _sentrace = sentrace::init(Options::from_env().traces_sample_rate(0.0))?;

    let transaction = sentrace::start_transaction("make thumbnail", "task");
    transaction.set_data("picture", picture);
    let made = transaction.enter(|| {
        let span = sentrace::start_span("file.read", picture);
        if picture.starts_with("broken") {
            span.set_status(SpanStatus::DataLoss);
            return Err(format!("{picture} is no picture"));
        }
        Ok(())
    });
    if made.is_err() {
        transaction.set_status(SpanStatus::InternalError);
    }
    transaction.finish();
    // The guard sends what was recorded before the process ends, even if it ends with an error.
    made.map_err(Into::into)
}
