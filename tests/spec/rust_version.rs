//! Which Rust is needed for what: what the README says against what the packages say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

type Version = (u64, u64);

fn version(text: &str) -> Version {
    let mut parts = text.split('.').map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap_or_default())
}

/// What cargo knows of the packages that this machine needs; all of them are here, since this test was built.
pub(crate) fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = Command::new(rustc).arg("-vV").output().unwrap();
    let about = String::from_utf8(about.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut command = Command::new(cargo);
    command.args([
        "metadata",
        "--format-version=1",
        "--offline",
        "--all-features",
        "--filter-platform",
        host,
    ]);
    let output = command.current_dir(Path::new(ROOT)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The newest Rust among packages and what they depend on; with what only tests and examples of theirs need, or without.
fn newest<'a>(metadata: &'a Value, packages: impl Iterator<Item = &'a str>, with_tests: bool) -> Version {
    let id_of = |value: &'a Value| value["id"].as_str().unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let nodes: BTreeMap<&str, &Value> = nodes.iter().map(|node| (id_of(node), node)).collect();
    let all = metadata["packages"].as_array().unwrap();
    let versions: BTreeMap<&str, Version> =
        all.iter().map(|it| (id_of(it), it["rust_version"].as_str().map_or((0, 0), version))).collect();
    let mut open: Vec<(&str, bool)> = packages.map(|package| (package, true)).collect();
    let mut seen = BTreeSet::new();
    while let Some((package, is_ours)) = open.pop() {
        if !seen.insert(package) {
            continue;
        }
        for dependency in nodes[package]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let counts = |kind: &Value| kind["kind"] != "dev" || (is_ours && with_tests);
            if kinds.iter().any(counts) {
                open.push((dependency["pkg"].as_str().unwrap(), false));
            }
        }
    }
    seen.iter().map(|package| versions[package]).max().unwrap()
}

#[test]
fn the_readme_says_which_rust_is_needed() {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let told = |before: &str| {
        let (_, rest) =
            readme.split_once(before).unwrap_or_else(|| panic!("the README does not say: {before}"));
        version(rest.split_whitespace().next().unwrap().trim_end_matches(['.', ',']))
    };
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let ours = || packages.iter().filter(|package| members.contains(package["id"].as_str().unwrap()));
    let published = || ours().filter(|package| package["publish"].is_null());
    let ids = |package: &'_ Value| package["id"].as_str().unwrap().to_owned();

    let crates = told("The crates need Rust ");
    for package in published() {
        let declared = package["rust_version"].as_str().map(version);
        assert_eq!(declared, Some(crates), "{}", package["name"]);
    }
    let published: Vec<String> = published().map(ids).collect();
    assert!(published.len() >= 9, "{published:?}");
    let all: Vec<String> = ours().map(ids).collect();
    let of_lock = newest(&metadata, published.iter().map(String::as_str), false);
    assert_eq!(of_lock, told("for the crates needs "), "what Cargo.lock holds for the crates");
    let of_all = newest(&metadata, all.iter().map(String::as_str), true);
    assert_eq!(of_all, told("This repository needs "), "examples and tests");
    assert_eq!(of_all, told("Both need Rust "), "the first commands");
}
