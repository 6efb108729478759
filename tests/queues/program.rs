//! Runs a program of `examples/` to its end.

use std::process::{Command, Output};
use std::time::Duration;

use sentrace_tests::{Ingest, PATIENCE};

/// A program whose environment has only the test's project, and no trace.
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

/// Runs the program. Fails the test if it fails or takes too long.
pub(crate) async fn run(command: Command) {
    let mut command = tokio::process::Command::from(command);
    let ran =
        tokio::time::timeout(PATIENCE + Duration::from_secs(10), command.kill_on_drop(true).output()).await;
    let Output { status, stdout, stderr } = ran.expect("the program ends in time").unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
}
