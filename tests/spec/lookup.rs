//! Checks that a named test is one that `cargo test` runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness;

/// Looks for `crate::binary::module::test`: the file of the module, the declarations of the modules
/// above it, and a function of that name that is a test and not ignored. The binary of unit tests
/// is `lib`. A binary without the built-in harness names its tests in its `main`.
pub(crate) fn find(root: &Path, reference: &str) -> Result<(), String> {
    let parts: Vec<&str> = reference.split("::").collect();
    let [package, binary, modules @ .., test] = &parts[..] else {
        return Err(format!("`{reference}` is not `crate::binary::module::test`"));
    };
    let mut module =
        Module::root(root, package, binary).map_err(|error| format!("`{reference}`: {error}"))?;
    let own_harness =
        (package == &"sentrace-tests" && harness::is_own(root, binary)).then(|| module.text.clone());
    for name in modules {
        module = module.child(name).map_err(|error| format!("`{reference}`: {error}"))?;
    }
    let path = [modules, &[test]].concat().join("::");
    let checked = match own_harness {
        Some(main) => harness::check_test(&main, &path),
        None => check_test(&module.text, test),
    };
    checked.map_err(|error| format!("`{reference}`: in {}, {error}", module.file.display()))
}

struct Module {
    file: PathBuf,
    text: String,
    /// The folder of its modules.
    below: PathBuf,
}

impl Module {
    fn root(root: &Path, package: &str, binary: &str) -> Result<Self, String> {
        let package_at =
            if package == "sentrace-tests" { root.join("tests") } else { root.join("crates").join(package) };
        let files = match (package, binary) {
            (_, "lib") => vec![package_at.join("src/lib.rs")],
            ("sentrace-tests", _) => vec![package_at.join(binary).join("main.rs")],
            _ => {
                let tests = package_at.join("tests");
                vec![tests.join(binary).join("main.rs"), tests.join(format!("{binary}.rs"))]
            }
        };
        Self::first_of(&files, |file| file.parent().unwrap_or(file).to_owned())
    }

    fn child(&self, name: &str) -> Result<Self, String> {
        let declared = |with: char| {
            self.text.lines().map(str::trim).any(|line| {
                let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
                line.strip_prefix("mod ")
                    .and_then(|line| line.strip_prefix(name))
                    .map(str::trim)
                    .is_some_and(|rest| rest.starts_with(with))
            })
        };
        if declared('{') {
            return Ok(Self {
                file: self.file.clone(),
                text: self.text.clone(),
                below: self.below.join(name),
            });
        }
        if !declared(';') {
            return Err(format!("{} declares no module `{name}`", self.file.display()));
        }
        let files = [self.below.join(format!("{name}.rs")), self.below.join(name).join("mod.rs")];
        Self::first_of(&files, |_| self.below.join(name))
    }

    fn first_of(files: &[PathBuf], below: impl Fn(&Path) -> PathBuf) -> Result<Self, String> {
        let found = files.iter().find_map(|file| Some((file, fs::read_to_string(file).ok()?)));
        let Some((file, text)) = found else { return Err(format!("there is none of {files:?}")) };
        Ok(Self { file: file.clone(), text, below: below(file) })
    }
}

fn check_test(text: &str, name: &str) -> Result<(), String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_it = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|line| line.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(|line| is_it(line)) else {
        return Err(format!("there is no `fn {name}`"));
    };
    let attributes: Vec<&str> =
        lines[..at].iter().rev().copied().take_while(|line| line.starts_with(['#', '/'])).collect();
    if !attributes.iter().any(|line| *line == "#[test]" || line.starts_with("#[tokio::test")) {
        return Err(format!("`{name}` is no test"));
    }
    if attributes.iter().any(|line| line.starts_with("#[ignore")) {
        return Err(format!("`{name}` is ignored"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

    #[test]
    fn tests_are_found_by_their_full_name_only() {
        let found = [
            "sentrace-tests::spec::lookup::tests::tests_are_found_by_their_full_name_only",
            "sentrace-protocol::lib::propagation::sentry_trace::tests::the_grammar_is_read_as_specified",
            "sentrace-protocol::lib::propagation::baggage::tests::decoding_is_strict",
            "sentrace-protocol::lib::propagation::baggage::tests::decoding_undoes_encoding",
            "sentrace-core::propagation_log::a_debug_log_says_once_what_cannot_be_used",
            "sentrace-core::propagation::headers::continuing_opens_no_span",
            "sentrace-tests::queues::subprocess::a_program_that_was_started_in_a_trace_hands_it_on",
        ];
        for reference in found {
            find(Path::new(ROOT), reference).unwrap();
        }
        let not_found = [
            ("sentrace-core::propagation::headers::nobody_wrote_this", "there is no `fn nobody_wrote_this`"),
            ("sentrace-core::propagation::headers::continuing_opens", "there is no `fn continuing_opens`"),
            (
                "sentrace-core::propagation::continuing_opens_no_span",
                "there is no `fn continuing_opens_no_span`",
            ),
            ("sentrace-core::propagation::sample_rand::of", "`of` is no test"),
            ("sentrace-tests::queues::program::run", "`program::run` is not in `main`"),
            ("sentrace-tests::queues::cron::each_run", "`cron::each_run` is not in `main`"),
            ("sentrace-core::propagation::nowhere::a", "declares no module `nowhere`"),
            ("sentrace-core::nobinary::a", "there is none of"),
            ("sentrace-nowhere::lib::a", "there is none of"),
            ("sentrace-core", "is not `crate::binary::module::test`"),
        ];
        for (reference, expected) in not_found {
            let error = find(Path::new(ROOT), reference).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_function_must_be_a_test_that_runs() {
        let rows = [
            ("#[test]\nfn a() {}", Ok(())),
            ("  #[tokio::test(flavor = \"x\")]\n  /// why\n  async fn a() {", Ok(())),
            ("#[test]\n#[ignore = \"slow\"]\nfn a() {}", Err("`a` is ignored")),
            ("#[test]\nfn other() {}\nfn a() {}", Err("`a` is no test")),
            ("#[test]\nfn ab() {}\n// fn a() {}", Err("there is no `fn a`")),
        ];
        for (text, expected) in rows {
            assert_eq!(check_test(text, "a"), expected.map_err(str::to_owned), "{text}");
        }
    }
}
