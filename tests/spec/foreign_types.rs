//! The crates whose types the published crates expose: the snapshots in `public-api.txt` against the lists in the manifests.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::rust_version::metadata;

/// Crates whose types are exposed everywhere.
fn is_own(name: &str) -> bool {
    const PRIMITIVE: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
        "u64", "u128", "usize",
    ];
    matches!(name, "alloc" | "core" | "std") || PRIMITIVE.contains(&name) || name.starts_with("sentrace")
}

/// The crates named in the lines of a snapshot: what stands before `::` at the beginning of a path.
fn crates_in(snapshot: &str) -> BTreeSet<&str> {
    let is_part = |character: char| character.is_alphanumeric() || "_:".contains(character);
    let paths = snapshot.split(|character| !is_part(character));
    let roots = paths.filter_map(|path| path.split_once("::")).map(|(root, _)| root);
    let is_crate = |root: &&str| root.starts_with(|character: char| character.is_ascii_lowercase());
    roots.filter(is_crate).filter(|root| !is_own(root)).collect()
}

/// `[package.metadata.cargo_check_external_types]` of a package, with which that tool can check the same.
fn allowed(package: &Value) -> BTreeSet<&str> {
    let list = &package["metadata"]["cargo_check_external_types"]["allowed_external_types"];
    let entries = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    entries.filter_map(|entry| entry.split("::").next()).filter(|name| !is_own(name)).collect()
}

#[test]
fn manifests_list_the_foreign_types_of_each_public_api() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    for package in packages {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let name = package["name"].as_str().unwrap();
        // Written by `.ci/run api`.
        let Ok(snapshot) = std::fs::read_to_string(manifest.with_file_name("public-api.txt")) else {
            continue;
        };
        assert_eq!(crates_in(&snapshot), allowed(package), "{name}: in its public API, and in its manifest");
    }
}

#[test]
fn crates_are_found_where_paths_begin() {
    let line = "impl<S: tower_layer::Layer<B>> http::Body for sentrace_tower::X<<S as core::A>::B> where S::Error: bytes::Buf";
    assert_eq!(crates_in(line), BTreeSet::from(["tower_layer", "http", "bytes"]));
}
