//! Checks that the samples in the README and in the crate's documentation list the dependencies
//! that they use. Documentation tests of `sentrace` and `.ci/run readme` check that they compile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Code that requires a feature of a dependency.
const FEATURES: [(&str, &str, &str); 9] = [
    ("#[tokio::main]", "tokio", "macros"),
    ("#[tokio::main]", "tokio", "rt-multi-thread"),
    ("tokio::select!", "tokio", "macros"),
    ("tokio::net::", "tokio", "net"),
    ("tokio::signal::", "tokio", "signal"),
    ("tower_http::cors::", "tower-http", "cors"),
    ("sentrace::reqwest::", "sentrace", "reqwest"),
    ("SentryTracingLayer", "sentrace", "axum"),
    ("axum::", "sentrace", "axum"),
];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// Returns the first code block that begins like this.
fn block(text: &str, language: &str) -> String {
    let start = format!("```{language}\n");
    let (_, rest) = text.split_once(&start).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn documentation_of_the_crate() -> String {
    let text = read("crates/sentrace/src/lib.rs");
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    // Lines that are hidden on the page are not part of the sample.
    let lines =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).filter(|line| !line.starts_with("# "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the crates that code names: the part before the first `::` of a path.
fn crates_of(code: &str) -> BTreeSet<String> {
    let code = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    // Names in the braces of an import are below the path before them.
    let code = code
        .map(|line| if line.starts_with("use ") { line.split('{').next().unwrap_or_default() } else { line });
    let code: Vec<&str> = code.collect();
    let code = code.join("\n");
    let mut crates = BTreeSet::new();
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let (above, name) = before.split_at(start);
        let is_first = !above.ends_with("::");
        if is_first && name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "std" {
            crates.insert(name.replace('_', "-"));
        }
    }
    crates
}

/// Returns the lines of a `[dependencies]` table.
fn dependencies(toml: &str) -> BTreeMap<&str, &str> {
    let lines = toml.lines().filter_map(|line| line.split_once(" = "));
    lines.filter(|(name, _)| !name.contains('[')).collect()
}

fn version(dependency: &str) -> &str {
    let start = dependency.split_once("version = ").map_or(dependency, |(_, rest)| rest);
    start.split('"').nth(1).unwrap()
}

#[test]
fn samples_list_the_dependencies_and_features_that_they_use() {
    let (readme, documented) = (read("README.md"), documentation_of_the_crate());
    let workspace = read("Cargo.toml");
    let workspace = dependencies(&workspace);
    for (sample, names_us) in [(&readme, true), (&documented, false)] {
        let toml = block(sample, "toml");
        let code = block(sample, if names_us { "rust,no_run" } else { "no_run" });
        let mut listed = dependencies(&toml);
        if !names_us {
            listed.insert("sentrace", r#"{ version = "0.1", features = ["axum", "reqwest"] }"#);
        }
        let names: BTreeSet<String> = listed.keys().map(|name| (*name).to_owned()).collect();
        assert_eq!(names, crates_of(&code));
        for (needle, name, feature) in FEATURES.iter().filter(|(needle, _, _)| code.contains(needle)) {
            let dependency = listed[name];
            assert!(
                dependency.contains(&format!("\"{feature}\"")),
                "{needle} needs {name}/{feature}: {dependency}"
            );
        }
        for (name, dependency) in &listed {
            let (told, tested) = (version(dependency), version(workspace[name]));
            let fits = tested.strip_prefix(told).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            assert!(fits, "{name} {told} is not what is tested, {tested}");
        }
    }
}

#[test]
fn the_first_sample_shows_all_traces_locally_and_ends_in_order() {
    let code = block(&read("README.md"), "rust,no_run");
    assert!(!code.contains("traces_sample_rate("), "a rate in code would win over that of the environment");
    assert!(
        code.contains("SignalKind::terminate()") && code.contains("ctrl_c()"),
        "containers are stopped by SIGTERM"
    );
    assert!(!code.contains("prelude"), "rustc names the missing feature for what is imported by name only");
    assert!(code.contains("Options::from_env()") && !code.contains("from_env()?"));
    assert!(code.contains("let _guard = "), "`let _` would drop it at once");
}
