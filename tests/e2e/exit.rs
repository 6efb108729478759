//! The end of a process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sentrace_collector::Behaviour;
use sentrace_tests::{Ingest, PATIENCE};

const TRANSACTIONS: usize = 500;

/// Runs the helper program to its end. Returns `true` if it succeeded.
async fn run(ingest: &Ingest, ends_by: &str, environment: &[(&str, &str)]) -> bool {
    let mut job = Command::new(env!("CARGO_BIN_EXE_sentrace-test-job"));
    job.args([&TRANSACTIONS.to_string(), ends_by]).env("SENTRY_DSN", ingest.dsn("job")).stderr(Stdio::null());
    job.envs(environment.iter().copied());
    let mut job = job.spawn().expect("the helper is built with the tests");
    let started = Instant::now();
    let ended = tokio::task::spawn_blocking(move || {
        loop {
            if let Some(status) = job.try_wait().unwrap() {
                return status.success();
            }
            if started.elapsed() > PATIENCE {
                job.kill().unwrap();
                panic!("the program did not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    ended.await.unwrap()
}

#[tokio::test]
async fn a_process_that_returns_from_main_loses_nothing() {
    let ingest = Ingest::start();
    assert!(run(&ingest, "return", &[]).await);
    // The process has ended, so nothing more will arrive.
    assert_eq!(ingest.transactions().await, TRANSACTIONS);
    assert_eq!(ingest.reports().lost("transaction"), 0);
    ingest.assert_no_problems();
}

#[tokio::test]
async fn a_slow_ingest_makes_the_end_longer_and_loses_nothing() {
    let ingest = Ingest::start();
    ingest.behave(Behaviour::default().delay(Duration::from_millis(50)));
    assert!(run(&ingest, "return", &[]).await);
    assert_eq!(ingest.transactions().await, TRANSACTIONS);
}

#[tokio::test]
async fn a_panic_of_main_loses_nothing() {
    let ingest = Ingest::start();
    assert!(!run(&ingest, "panic", &[]).await, "it ends by a panic");
    assert_eq!(ingest.transactions().await, TRANSACTIONS);
}

#[tokio::test]
async fn a_subprocess_continues_the_trace_of_its_environment() {
    let ingest = Ingest::start();
    let trace = ("SENTRY_TRACE", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1");
    assert!(run(&ingest, "return", &[trace]).await);
    let traces = ingest.traces(TRANSACTIONS.min(100)).await;
    assert_eq!(traces.len(), 1, "all its transactions are in that trace");
    assert_eq!(traces[0].id.to_string(), "0af7651916cd43dd8448eb211c80319c");
}
