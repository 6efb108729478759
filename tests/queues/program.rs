//! A program of `examples/`, run to its end.

use std::process::{Command, Output};
use std::time::Duration;

use sentrace_tests::{Ingest, PATIENCE};

/// A program whose environment names no trace and no project but the test's.
pub(crate) fn program(path: &str, ingest: &Ingest, project: &str) -> Command {
    let mut command = Command::new(path);
    for variable in
        ["SENTRY_TRACE", "SENTRY_BAGGAGE", "SENTRY_RELEASE", "SENTRY_TRACES_SAMPLE_RATE", "REDIS_URL"]
    {
        command.env_remove(variable);
    }
    command.env("SENTRY_DSN", ingest.dsn(project));
    command
}

/// Runs it; fails the test where it takes too long or fails.
pub(crate) async fn run(command: Command) {
    let mut command = tokio::process::Command::from(command);
    let ran =
        tokio::time::timeout(PATIENCE + Duration::from_secs(10), command.kill_on_drop(true).output()).await;
    let Output { status, stdout, stderr } = ran.expect("the program ends in time").unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
}
