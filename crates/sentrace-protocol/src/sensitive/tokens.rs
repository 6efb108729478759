//! JSON Web Tokens, recognised by their form.

use std::borrow::Cow;

use super::FILTERED;
use crate::util::scan;

/// Replaces JSON Web Tokens: base64url of a JSON object, a dot, and more.
pub(super) fn filter_tokens(text: &str) -> Cow<'_, str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let mut shown = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(start) = find_json(text, from) {
        let end = start + text[start..].bytes().take_while(|byte| is_token(*byte)).count();
        let begins = start == 0 || !is_token(text.as_bytes()[start - 1]);
        let header = text[start..end].find('.').unwrap_or_default();
        if begins && header > 3 && start + header + 1 < end {
            shown.push_str(&text[copied..start]);
            shown.push_str(FILTERED);
            copied = end;
        }
        from = end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[copied..]);
    Cow::Owned(shown)
}

/// Where the base64url of a JSON object may begin, `from` here or further on: at `eyJ`, of which the last letter is the rarest.
fn find_json(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += scan::find(b'J', bytes.get(at..)?)?;
        if bytes[from..at].ends_with(b"ey") {
            return Some(at - 2);
        }
        at += 1;
    }
}
