//! A text or a regular expression, as used by origins and rules for ignored spans.

use std::borrow::Cow;
use std::fmt;

use regex_lite::{Regex, RegexBuilder};
use sentrace_protocol::sensitive;

#[derive(Clone)]
pub(crate) enum Pattern {
    Contains(String),
    Regex(Regex),
}

impl Pattern {
    /// Parses a regular expression. `subject` and `type_name` appear in errors.
    pub(crate) fn regex(subject: &'static str, type_name: &str, pattern: &str) -> Result<Self, PatternError> {
        Self::parse(subject, type_name, pattern, false)
    }

    /// The same, for an expression that ignores case.
    pub(crate) fn regex_in_any_case(
        subject: &'static str,
        type_name: &str,
        pattern: &str,
    ) -> Result<Self, PatternError> {
        Self::parse(subject, type_name, pattern, true)
    }

    fn parse(
        subject: &'static str,
        type_name: &str,
        pattern: &str,
        any_case: bool,
    ) -> Result<Self, PatternError> {
        RegexBuilder::new(pattern).case_insensitive(any_case).build().map(Self::Regex).map_err(|error| {
            let rule =
                format!("is not a regular expression ({error}); use {type_name}::contains for plain text");
            PatternError::new(subject, pattern, rule)
        })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// Returns `true` if there can be no text that it does not match.
    pub(crate) fn matches_everything(&self) -> bool {
        match self {
            Self::Contains(text) => text.is_empty(),
            // A text that does not occur, and none.
            Self::Regex(regex) => regex.is_match("") && regex.is_match("\u{1}"),
        }
    }

    /// Formats the call that creates this pattern.
    pub(crate) fn fmt_as(&self, type_name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, "{type_name}::contains({:?})", sensitive::filter_text(text)),
            Self::Regex(regex) => write!(f, "{type_name}::regex({:?})", regex.as_str()),
        }
    }
}

/// An invalid pattern of an [`Origin`](crate::Origin) or [`IgnoreSpan`](crate::IgnoreSpan).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    subject: &'static str,
    /// Without what could be a secret.
    pub(crate) value: String,
    rule: Cow<'static, str>,
}

impl PatternError {
    pub(crate) fn new(subject: &'static str, value: &str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { subject, value: sensitive::filter_option(value).into_owned(), rule: rule.into() }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, value, rule } = self;
        write!(f, "{subject} {value:?} {rule}")
    }
}

impl std::error::Error for PatternError {}
