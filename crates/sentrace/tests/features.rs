//! What the features for TLS bring into other people's programs, as cargo resolves it (ADR 30).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

/// The names of all crates that a program gets with these features.
fn crates_with(features: &[&str]) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--quiet", "--offline", "--prefix", "none"]);
    cargo.args(["--edges", "normal,build", "--package", "sentrace"]).args(features);
    // What the cargo that runs the tests tells them is not meant for another.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME") {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Features, crates that they bring and crates that they do not, and the reason.
type Row = (&'static [&'static str], &'static [&'static str], &'static [&'static str], &'static str);

#[test]
fn each_choice_of_cryptography_brings_itself_and_no_other() {
    // In the published package there is no workspace whose versions could be asked for.
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock").exists() {
        return;
    }
    let rows: [Row; 4] = [
        (&[], &["rustls", "aws-lc-rs"], &["ring"], "the default"),
        (
            &["--no-default-features", "--features", "ring"],
            &["rustls", "ring"],
            &["aws-lc-rs", "aws-lc-sys"],
            "ring",
        ),
        (&["--no-default-features"], &[], &["rustls", "ring", "aws-lc-rs", "hyper-rustls"], "neither"),
        (
            &["--no-default-features", "--features", "ring,axum,reqwest,sentry,tracing"],
            &["ring"],
            &["aws-lc-rs", "aws-lc-sys"],
            "ring, with all integrations",
        ),
    ];
    for (features, expected, unexpected, reason) in rows {
        let crates = crates_with(features);
        let has = |name: &&str| crates.iter().any(|found| found == name);
        assert!(expected.iter().all(&has), "{reason}: {expected:?} in {crates:?}");
        assert!(!unexpected.iter().any(has), "{reason}: none of {unexpected:?} in {crates:?}");
    }
}
