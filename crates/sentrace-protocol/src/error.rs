//! What the parsers and writers of this crate can complain about.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// Longest part of a refused value that an error repeats, in characters.
const SHOWN: usize = 64;

/// A text that does not follow its grammar.
///
/// The message names the value (escaped, cut at 64 characters), the rule it broke and what to do. Secrets of
/// a DSN are not repeated.
///
/// ```
/// let error = sentrace_protocol::SentryTrace::parse(b"abc").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "invalid sentry-trace `abc`: it has 3 bytes, not 49 or 51; \
///      send `<32 hex digits>-<16 hex digits>`, then optionally `-1` or `-0`",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    what: &'static str,
    value: Box<str>,
    rule: Cow<'static, str>,
    advice: &'static str,
}

impl ParseError {
    pub(crate) fn new(
        what: &'static str,
        value: &[u8],
        rule: impl Into<Cow<'static, str>>,
        advice: &'static str,
    ) -> Self {
        Self { what, value: excerpt(value), rule: rule.into(), advice }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {} `{}`: {}; {}", self.what, self.value, self.rule, self.advice)
    }
}

impl Error for ParseError {}

/// A value that could not be written as JSON.
///
/// This crate's own payloads always can; it is for payloads of other types.
#[derive(Debug)]
pub struct EncodeError {
    item: Box<str>,
    source: serde_json::Error,
}

impl EncodeError {
    pub(crate) fn new(item: &str, source: serde_json::Error) -> Self {
        Self { item: excerpt(item.as_bytes()), source }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, source } = self;
        write!(
            f,
            "the envelope's `{item}` cannot be written as JSON: {source}; use string keys and finite depth"
        )
    }
}

impl Error for EncodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Cuts before escaping, so that a huge header costs nothing.
fn excerpt(value: &[u8]) -> Box<str> {
    // A character has at most four bytes; the one that the cut may split is not among the first 64.
    let head = &value[..value.len().min(SHOWN * 4 + 4)];
    let text = String::from_utf8_lossy(head);
    let mut shown = String::new();
    let mut rest = text.chars();
    for c in rest.by_ref().take(SHOWN) {
        match c {
            '`' => shown.push_str("\\u{60}"),
            c if c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic() => shown.push(c),
            c => shown.extend(c.escape_default()),
        }
    }
    if rest.next().is_some() {
        shown.push_str("...");
    }
    shown.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_value_rule_and_remedy() {
        let error = ParseError::new("colour", b"plaid", "it is a pattern", "name a colour");
        assert_eq!(error.to_string(), "invalid colour `plaid`: it is a pattern; name a colour");
    }

    #[test]
    fn a_refused_value_is_cut_and_escaped() {
        let rows: [(&[u8], &str, &str); 6] = [
            (b"", "", "nothing to show"),
            (b"a\nb\x1b[0m", "a\\nb\\u{1b}[0m", "control characters must not reach a terminal"),
            (b"a`b", "a\\u{60}b", "a backtick would end the quotation"),
            (b"caf\xff", "caf\\u{fffd}", "bytes that are not UTF-8"),
            ("\u{202e}x".as_bytes(), "\\u{202e}x", "direction overrides would disguise the log line"),
            ("é".as_bytes(), "é", "letters are readable"),
        ];
        for (value, shown, reason) in rows {
            assert_eq!(&*excerpt(value), shown, "{reason}");
        }
        assert_eq!(&*excerpt(&[b'x'; 64]), "x".repeat(64), "64 characters fit");
        assert_eq!(&*excerpt(&[b'x'; 100_000]), format!("{}...", "x".repeat(64)), "longer is cut");
        assert_eq!(
            &*excerpt("é".repeat(70).as_bytes()),
            format!("{}...", "é".repeat(64)),
            "cut by characters"
        );
    }
}
