//! The guard of `init`, which is sometimes dropped too early by mistake.

use std::process::{Command, Output};

fn run(what: &str) -> Output {
    let mut life = Command::new(env!("CARGO_BIN_EXE_sentrace-test-life"));
    life.arg(what).env_remove("SENTRY_DSN").output().expect("the helper is built with the tests")
}

/// Returns sentrace's messages about the guard.
fn warnings(what: &str) -> Vec<String> {
    let said = String::from_utf8(run(what).stderr).unwrap();
    said.lines().filter(|line| line.contains("the guard of sentrace::init")).map(str::to_owned).collect()
}

#[test]
fn a_guard_that_is_dropped_too_early_is_warned_of_once() {
    let rows = [
        ("dropped at once", "`let _ =`"),
        ("dropped at once, then used", "`let _ =`, and one warning is enough"),
        ("kept for a while in a function, then used", "it was of no use before"),
        ("used, dropped, and used again", "the thread that dropped it went on"),
        ("used, dropped, and used again long after by another thread", "no process ends so slowly"),
    ];
    for (what, reason) in rows {
        let warnings = warnings(what);
        assert_eq!(warnings.len(), 1, "{what}: {reason}: {warnings:?}");
        assert!(warnings[0].contains("let _sentrace = sentrace::init(..)?"), "the remedy: {warnings:?}");
    }
}

#[test]
fn an_orderly_end_is_not_warned_of() {
    let rows = [
        ("a short cron job", "something was recorded"),
        ("a short cron job that is not sampled", "something started"),
        ("a short cron job with an idle transaction", "something is open"),
        ("nothing to do for a while", "a service without requests"),
        ("a thread goes on while it ends", "background work of an ending service"),
        ("tracing is off", "nothing would be recorded anyway"),
        ("no project", "nothing would be recorded anyway"),
        ("closed by hand", "nobody closes by mistake"),
        ("fails at once", "there is another trouble to tell of"),
        ("a job each time with its own guard", "the next client takes over"),
        ("the second of two is dropped", "the first client is global again"),
    ];
    for (what, reason) in rows {
        assert_eq!(warnings(what), [""; 0], "{what}: {reason}");
    }
}
