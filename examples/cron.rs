//! Scheduled jobs: each run is a trace, from the scheduler to the process of the job.
//!
//! `cargo run --example cron` is a scheduler that starts two jobs every quarter of a second, three
//! times, and prints the traces. With `SENTRY_DSN` set, everything is reported there instead. The
//! system's cron can also start a job, as in this line of a crontab, which then starts its own
//! trace:
//!
//! ```text
//! 0 3 * * *  SENTRY_DSN=https://key@host/1 SENTRY_TRACES_SAMPLE_RATE=1 /usr/local/bin/cron backup
//! ```

use std::env;
use std::error::Error;
use std::time::Duration;

use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval};

const JOBS: [&str; 2] = ["backup", "report"];
const RUNS: usize = 3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(job) = env::args().nth(1) {
        return run(&job).await;
    }
    if let Ok(dsn) = env::var("SENTRY_DSN") {
        return schedule(&dsn).await;
    }
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    schedule(&collector.dsn("1")).await?;
    let all = RUNS * (1 + JOBS.len());
    collector.wait_for(|store| store.transactions().count() == all, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

/// Outside of a request, each transaction starts a trace, so every run has its own.
async fn schedule(dsn: &str) -> Result<(), Box<dyn Error>> {
    let options = Options::new().dsn(dsn).release("scheduler@1.0.0").traces_sample_rate(1.0);
    let _sentrace = sentrace::init(options)?;

    let mut quarters = interval(Duration::from_millis(250));
    quarters.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..RUNS {
        quarters.tick().await;
        let transaction = sentrace::start_transaction("every quarter of a second", "cron");
        transaction.scope(start_jobs(dsn)).await?;
    }
    Ok(())
}

async fn start_jobs(dsn: &str) -> Result<(), Box<dyn Error>> {
    for job in JOBS {
        let mut command = Command::new(env::current_exe()?);
        command
            .arg(job)
            .env("SENTRY_DSN", dsn)
            .env("SENTRY_RELEASE", format!("{job}@1.0.0"))
            .env("SENTRY_TRACES_SAMPLE_RATE", "1");
        // The span `subprocess`, and the child's SENTRY_TRACE and SENTRY_BAGGAGE.
        let span = command.as_std_mut().prepare();
        span.set_description(job);
        let status = command.status().await?;
        span.set_data("process.exit.code", status.code().unwrap_or(-1));
    }
    Ok(())
}

/// The `main` of a job, however it was started.
async fn run(job: &str) -> Result<(), Box<dyn Error>> {
    let _sentrace = sentrace::init(Options::from_env())?;

    let transaction = sentrace::start_transaction(format!("job {job}"), "cron");
    let select =
        sentrace::in_span("db.query", "SELECT * FROM orders", tokio::time::sleep(Duration::from_millis(5)));
    transaction.scope(select).await;
    transaction.finish();
    Ok(())
}
