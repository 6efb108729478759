//! Collects problems while an envelope is read.

use std::fmt;

use crate::model::{Problem, Severity};

/// The maximum number of problems that are kept. Further ones are only counted, since input is not
/// trusted.
const MAX: usize = 100;
const MAX_QUOTED: usize = 64;

/// The problems of one envelope or item.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Problem>,
    more: usize,
    errors: usize,
}

impl Findings {
    /// Notes that Sentry drops the item.
    pub(crate) fn error(&mut self, path: impl fmt::Display, message: impl Into<String>) {
        self.errors += 1;
        self.push(Severity::Error, path, message.into());
    }

    /// Notes that Sentry accepts the item, but not as intended.
    pub(crate) fn warning(&mut self, path: impl fmt::Display, message: impl Into<String>) {
        self.push(Severity::Warning, path, message.into());
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Returns the first errors in one line, for the answer.
    pub(crate) fn summary(&self) -> String {
        let errors = self.kept.iter().filter(|problem| problem.severity == Severity::Error);
        let lines: Vec<_> =
            errors.take(3).map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        lines.join("; ")
    }

    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let message = format!("{} more problems were found and left out", self.more);
            self.kept.push(Problem { severity: Severity::Warning, path: "envelope".into(), message });
        }
        self.kept
    }

    fn push(&mut self, severity: Severity, path: impl fmt::Display, message: String) {
        let room = self.kept.len() < MAX;
        // The first error determines the answer, so it is kept even if warnings have filled the
        // list.
        if room || (severity == Severity::Error && self.errors == 1) {
            self.kept.push(Problem { severity, path: path.to_string(), message });
        } else {
            self.more += 1;
        }
    }
}

/// Quotes a value for a message. It is escaped, and truncated if it is long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_of_rubbish_keeps_a_bounded_list_and_its_first_error() {
        let mut findings = Findings::default();
        for index in 0..10_000 {
            findings.warning(format_args!("spans[{index}]"), "odd");
        }
        assert!(!findings.has_errors());
        findings.error("type", "missing");
        assert!(findings.has_errors());
        assert_eq!(findings.summary(), "type: missing");
        let problems = findings.into_problems();
        assert_eq!(problems.len(), MAX + 2);
        assert!(problems.last().is_some_and(|last| last.message.starts_with("9900 more")));
    }

    #[test]
    fn quoted_values_are_escaped_and_cut() {
        assert_eq!(quoted("a\u{1b}[31m"), "\"a\\u{1b}[31m\"");
        assert_eq!(quoted(&"é".repeat(100)), format!("\"{}\"…", "é".repeat(64)));
    }
}
