//! Test binaries of this package without the built-in harness: only the tests named in `main` run.

use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns `true` if a test binary of `sentrace-tests` does not use the built-in harness.
pub(crate) fn is_own(root: &Path, binary: &str) -> bool {
    let manifest = fs::read_to_string(root.join("tests/Cargo.toml")).unwrap_or_default();
    own(&manifest).any(|name| name == binary)
}

fn own(manifest: &str) -> impl Iterator<Item = &str> {
    let tables = manifest.split("\n[").filter(|table| table.starts_with("[test]]"));
    let own = tables.filter(|table| table.lines().any(|line| line == "harness = false"));
    own.filter_map(|table| table.lines().find_map(|line| line.strip_prefix("name = ")))
        .map(|name| name.trim_matches('"'))
}

/// Returns `true` if `main` runs the test of this path.
pub(crate) fn check_test(main: &str, path: &str) -> Result<(), String> {
    let named = |end: &str| main.contains(&format!("test!({path}{end}"));
    if named(")") || named(",") { Ok(()) } else { Err(format!("`{path}` is not in `main`")) }
}

/// Refuses `#[test]`, which has no effect there.
#[test]
fn no_test_of_a_binary_with_its_own_harness_relies_on_the_built_in_one() {
    let tests = Path::new(ROOT).join("tests");
    let manifest = fs::read_to_string(tests.join("Cargo.toml")).unwrap();
    let binaries: Vec<_> = own(&manifest).collect();
    assert_eq!(binaries, ["queues"]);
    for binary in binaries {
        for file in fs::read_dir(tests.join(binary)).unwrap() {
            let file = file.unwrap().path();
            let text = fs::read_to_string(&file).unwrap();
            let lost = text
                .lines()
                .map(str::trim)
                .find(|line| *line == "#[test]" || line.starts_with("#[tokio::test"));
            assert_eq!(lost, None, "{}: name it in `main` instead", file.display());
        }
    }
}
