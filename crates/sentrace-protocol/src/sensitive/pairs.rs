//! Secrets that a name in the same text gives away, as in `Login { user: "eve", password: "hush" }`.

use std::borrow::Cow;

use super::FILTERED;
use super::names::{SENSITIVE, SENSITIVE_TERMS, is_sensitive_field};
use crate::util::scan;

/// Returns a text without the values of [sensitive names](is_sensitive_field) in it, each replaced by [`FILTERED`].
///
/// It reads what `Debug` writes of structs and maps, JSON, and pairs such as `name=value`, also within strings. A name
/// alone says nothing: `invalid token: unexpected end` stays. Of credentials with their scheme, as in `Some("Bearer hush")`, only
/// the scheme stays.
///
/// ```
/// use sentrace_protocol::sensitive::filter_pairs;
///
/// assert_eq!(filter_pairs(r#"{"host": "a.test", "x-api-key": "hush"}"#), r#"{"host": "a.test", "x-api-key": [Filtered]}"#);
/// assert_eq!(filter_pairs("Login { user: 7, password: Some(\"hush\") }"), "Login { user: 7, password: [Filtered] }");
/// assert_eq!(filter_pairs("user=eve password=hush"), "user=eve password=[Filtered]");
/// ```
pub fn filter_pairs(text: &str) -> Cow<'_, str> {
    // One pass over nearly all texts.
    if may_have_pairs(text) { filter(text) } else { Cow::Borrowed(text) }
}

/// Returns `false` only if there is neither a sensitive name before what may follow one, nor a scheme before a blank.
fn may_have_pairs(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_candidate = |before: u8, byte: u8| {
        let before = before | 0x20;
        (byte == b'=')
            | (byte == b':')
            | (byte == b'(')
            | (byte == b'"')
            | (byte == b'\'')
            | ((byte == b' ') & ((before == b'r') | (before == b'c')))
    };
    scan::any_candidate(bytes, is_candidate, |at| {
        let before = &bytes[..at];
        let before = match bytes[at] {
            b' ' => return ends_with_any(before, &["bearer", "basic"]),
            b'=' | b':' => {
                &before[..before.len() - before.iter().rev().take_while(|byte| is_blank(**byte)).count()]
            }
            b'"' => before.strip_suffix(b"\\").unwrap_or(before),
            _ => before,
        };
        let name = before.iter().rev().take_while(|byte| is_name(**byte)).count();
        SENSITIVE.are_in(&before[before.len() - name..])
    })
}

#[cold]
fn filter(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut shown = String::new();
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        if !is_name(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        at += bytes[at..].iter().take_while(|byte| is_name(**byte)).count();
        let Some(value) = value_of(text, start, at) else { continue };
        let end = end_of(bytes, value.start, value.ends);
        // The blank before the end of a struct.
        let end =
            end - bytes[value.start..end].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        // Filtered before, or nothing to filter.
        if end > value.start && !text[value.start..end].starts_with(FILTERED) {
            shown.push_str(&text[copied..value.start]);
            shown.push_str(FILTERED);
            copied = end;
        }
        at = at.max(end);
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[copied..]);
    Cow::Owned(shown)
}

struct Value {
    start: usize,
    ends: Ends,
}

/// What ends a value that is not in quotes or brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The next part of a struct, map or list.
    Structure,
    /// The next pair.
    Pair,
    /// The bracket that it begins with, alone.
    Bracket,
    /// Whatever is no part of a token.
    Word,
}

/// Where the secret begins that belongs to the name from `start` to `end`, if it is the name of one.
fn value_of(text: &str, start: usize, end: usize) -> Option<Value> {
    let bytes = text.as_bytes();
    let name = text.get(start..end)?;
    if is_before_credentials(text, start, end) {
        return Some(Value { start: end + 1, ends: Ends::Word });
    }
    if !is_sensitive_field(name) {
        return None;
    }
    // `Password("hush")`, but not `SessionExpired("yesterday")`.
    if matches!(bytes.get(end), Some(b'(')) && names_a_secret(name) {
        return Some(Value { start: end, ends: Ends::Bracket });
    }
    let (behind, quoted) = match bytes.get(end..)? {
        [b'\\', b'"', ..] => (end + 2, true),
        [b'"' | b'\'', ..] => (end + 1, true),
        _ => (end, false),
    };
    let separator = behind + blanks(&bytes[behind..]);
    let mut start_of_value = separator + 1 + blanks(bytes.get(separator + 1..)?);
    if quoted && matches!(bytes.get(start_of_value), Some(b'\n')) {
        // As `{:#?}` writes it.
        start_of_value +=
            bytes[start_of_value..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }
    match bytes.get(separator..)? {
        // A URL's scheme, a path, a comparison, an arm.
        [b':', b':' | b'/', ..] | [b'=', b'=' | b'>' | b'~', ..] => None,
        [b':', ..] => {
            let is_member = quoted || {
                let before = text[..start].trim_end_matches([' ', '\t']);
                before.is_empty() || before.ends_with(['{', ',', '(', '[', '\n', ';'])
            };
            let value = &bytes[start_of_value..];
            let word = value.iter().take(MAX_SCHEME + 1).position(|byte| *byte == b' ').unwrap_or_default();
            let is_told = matches!(value, [b'"' | b'\'' | b'\\', ..]) || is_scheme(&value[..word]);
            (is_member || is_told).then_some(Value { start: start_of_value, ends: Ends::Structure })
        }
        // `("x-api-key", "hush")`
        [b',', ..]
            if quoted && text[..start].trim_end_matches(['"', '\'', '\\']).trim_end().ends_with('(') =>
        {
            Some(Value { start: start_of_value, ends: Ends::Structure })
        }
        [b'=', ..] => Some(Value { start: start_of_value, ends: Ends::Pair }),
        _ => None,
    }
}

/// Whether the word from `start` to `end` is a scheme with its credentials behind it: at the beginning of a string, or
/// before what is no word of English.
fn is_before_credentials(text: &str, start: usize, end: usize) -> bool {
    let (name, bytes) = (&text[start..end], text.as_bytes());
    let bearer = name.eq_ignore_ascii_case("bearer");
    if bytes.get(end) != Some(&b' ') || !(bearer || name.eq_ignore_ascii_case("basic")) {
        return false;
    }
    let token = &bytes[end + 1..end_of(bytes, end + 1, Ends::Word)];
    let begins = start > 0 && matches!(bytes[start - 1], b'"' | b'\'');
    match begins {
        true => token.len() >= if bearer { 1 } else { 8 },
        false => bearer && (token.len() >= 20 || (token.len() >= 6 && token.iter().any(u8::is_ascii_digit))),
    }
}

/// Whether a type of this name holds a secret: its last word is one.
fn names_a_secret(name: &str) -> bool {
    ends_with_any(name.as_bytes(), SENSITIVE_TERMS)
}

fn ends_with_any(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| {
        let start = text.len().checked_sub(word.len());
        start.is_some_and(|start| text[start..].eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// Where the value ends that begins at `start`.
fn end_of(bytes: &[u8], start: usize, ends: Ends) -> usize {
    if ends == Ends::Word {
        return start + bytes[start..].iter().take_while(|byte| is_token68(**byte)).count();
    }
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            // Perhaps with a prefix, as in `b"hush"`. Otherwise it is the end of a string that all this is in.
            b'"' if depth > 0 || at <= start + 2 => at = string_end(bytes, at),
            b'"' => return at,
            // A string within a string.
            b'\\' if bytes.get(at + 1) == Some(&b'"') && (depth > 0 || at == start) => {
                at = escaped_string_end(bytes, at);
            }
            b'\\' if bytes.get(at + 1) == Some(&b'"') => return at,
            b'(' | b'[' | b'{' => {
                depth += 1;
                at += 1;
            }
            b')' | b']' | b'}' if depth > 0 => {
                depth -= 1;
                at += 1;
                if depth == 0 && ends == Ends::Bracket {
                    return at;
                }
            }
            b')' | b']' | b'}' => return at,
            _ if depth > 0 => at += 1,
            b',' | b'\n' | b';' => return at,
            b' ' | b'\t' | b'&' | b'\r' if ends == Ends::Pair && !is_scheme(&bytes[start..at]) => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What credentials behind their scheme consist of.
fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// The longest name of a scheme of [`is_scheme`].
const MAX_SCHEME: usize = 6;

/// `Bearer abc` is one value.
fn is_scheme(value: &[u8]) -> bool {
    [&b"bearer"[..], b"basic", b"digest", b"token"].iter().any(|scheme| value.eq_ignore_ascii_case(scheme))
}

/// Behind the string that begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The same with quotes that are escaped.
fn escaped_string_end(bytes: &[u8], mut at: usize) -> usize {
    at += 2;
    while at < bytes.len() {
        match bytes[at..] {
            [b'\\', b'\\', ..] => at += 2,
            [b'\\', b'"', ..] => return at + 2,
            // The string around it ends, too.
            [b'"', ..] => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_blank(**byte)).count()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What texts are made of that have something to hide, or nearly.
    const PARTS: [&str; 24] = [
        "key",
        "Token",
        "pass",
        "word",
        "Basic",
        "BEARER",
        "abc12345",
        "dXNlcjpodXNo",
        " ",
        "  ",
        "\t",
        "=",
        ":",
        "(",
        ")",
        "\"",
        "'",
        "\\",
        ",",
        "{",
        "}",
        "\n",
        "-",
        "ä",
    ];

    proptest! {
        #[test]
        fn the_quick_look_overlooks_nothing(parts in proptest::collection::vec(proptest::sample::select(&PARTS[..]), 0..24)) {
            let text = parts.concat();
            prop_assert!(may_have_pairs(&text) || matches!(filter(&text), Cow::Borrowed(_)), "{:?}", text);
        }
    }
}
