//! Compares `docs/spec-coverage.md` with the tests that it names.

use std::path::Path;

use crate::{document, lookup};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns what is wrong with the tables of `markdown`.
fn findings(markdown: &str) -> Vec<String> {
    let rows = match document::read(markdown) {
        Ok(rows) => rows,
        Err(error) => return vec![error],
    };
    let tests = rows.iter().flat_map(|row| row.tests.iter().map(move |test| (&row.id, test)));
    let missing =
        tests.filter_map(|(id, test)| Some(format!("{id}: {}", lookup::find(Path::new(ROOT), test).err()?)));
    missing.collect()
}

#[test]
fn every_test_that_the_coverage_names_exists() {
    let markdown = std::fs::read_to_string(Path::new(ROOT).join("docs/spec-coverage.md")).unwrap();
    assert_eq!(findings(&markdown), [""; 0]);
    let rows = document::read(&markdown).unwrap();
    let of = |group: &str| rows.iter().filter(|row| row.id.starts_with(group)).count();
    assert!(of("TP-") >= 50 && of("DSC-") >= 20 && of("OWN-") >= 10, "{} rows were found", rows.len());
}

#[test]
fn a_test_that_does_not_exist_is_found_out() {
    let row = |test: &str| format!("| TP-1 | a clause | MUST | our answer | `{test}` |");
    assert_eq!(findings(&row("sentrace-core::propagation::headers::continuing_opens_no_span")), [""; 0]);
    let findings = findings(&row("sentrace-core::propagation::headers::nobody_wrote_this"));
    assert_eq!(findings.len(), 1);
    assert!(findings[0].starts_with("TP-1: ") && findings[0].contains("nobody_wrote_this"), "{findings:?}");
}
