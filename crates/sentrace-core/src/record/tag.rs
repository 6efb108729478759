//! Tags by Sentry's rules. Sentry drops tags that violate them, so they are adjusted before.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use sentrace_protocol::transaction::MAX_TAG_CHARS;

use crate::diagnostics::warn_once;
use crate::util::text::cut_chars;

/// Returns a key and a value that Sentry accepts, or `None` if one of them is blank. This may call
/// the handler of diagnostics, so no record may be locked.
pub(crate) fn acceptable_tag<'a>(
    key: Cow<'static, str>,
    value: &'a str,
) -> Option<(Cow<'static, str>, Cow<'a, str>)> {
    let fits = |text: &str| text.len() <= MAX_TAG_CHARS;
    let is_plain = fits(&key) && is_key(&key) && fits(value) && is_value(value);
    if is_plain { Some((key, Cow::Borrowed(value))) } else { made_to_fit(&key, value) }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(is_key_byte)
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-')
}

/// Returns `true` if this is one line of text. Sentry keeps spaces around it.
fn is_value(value: &str) -> bool {
    !value.is_empty() && !value.bytes().all(|byte| byte == b' ') && !value.contains(is_break)
}

fn is_break(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cold]
fn made_to_fit<'a>(key: &str, value: &'a str) -> Option<(Cow<'static, str>, Cow<'a, str>)> {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let key_fits = |character: char| u8::try_from(character).is_ok_and(is_key_byte);
    let sent_key: String = cut_chars(key.trim(), MAX_TAG_CHARS)
        .chars()
        .map(|character| if key_fits(character) { character } else { '-' })
        .collect();
    let cut = cut_chars(value.trim(), MAX_TAG_CHARS);
    let sent_value: Cow<'a, str> = match cut.contains(is_break) {
        true => Cow::Owned(cut.replace(is_break, " ").trim().to_owned()),
        false => Cow::Borrowed(cut),
    };
    if sent_key.is_empty() || sent_value.is_empty() {
        // A blank value sets nothing, like an empty field of a form.
        return None;
    }
    if sent_key != key || sent_value != value {
        // The value may be a secret, so only the key is shown.
        warn_once(
            &WARNED,
            format_args!(
                "the tag {:?} is sent as {sent_key:?}, with a value of {} characters: keys are at most {MAX_TAG_CHARS} \
                 letters, digits and _.:-, values one line of at most {MAX_TAG_CHARS} characters; put longer texts into \
                 data",
                cut_chars(key, MAX_TAG_CHARS),
                sent_value.chars().count(),
            ),
        );
    }
    Some((Cow::Owned(sent_key), sent_value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sentry_would_drop_is_made_to_fit() {
        let long = "x".repeat(201);
        let cut = &long[..200];
        let umlauts = "ü".repeat(201);
        type Row<'a> = (&'a str, &'a str, Option<(&'a str, &'a str)>, &'static str);
        let rows: [Row<'_>; 23] = [
            ("plan", "gold", Some(("plan", "gold")), "nothing to do"),
            ("a.b_c:d-e9", "v", Some(("a.b_c:d-e9", "v")), "all that a key may have"),
            ("my tag", "v", Some(("my-tag", "v")), "a blank in a key, as Sentry does it itself"),
            (" plan ", "v", Some(("plan", "v")), "blanks around a key"),
            ("größe", "v", Some(("gr--e", "v")), "other letters"),
            ("a/b", "v", Some(("a-b", "v")), "a slash"),
            ("a\nb", "v", Some(("a-b", "v")), "a line break in a key"),
            ("", "v", None, "no key"),
            (" \t", "v", None, "a key of blanks"),
            (&long, "v", Some((cut, "v")), "a long key"),
            ("k", "a\nb", Some(("k", "a b")), "a line break"),
            ("k", "a\r\nb", Some(("k", "a  b")), "of another system"),
            ("k", "a\u{2028}b", Some(("k", "a b")), "of Unicode"),
            ("k", "a\tb\0c", Some(("k", "a b c")), "other control characters"),
            ("k", "\na\n", Some(("k", "a")), "around the value"),
            ("k", "", None, "no value"),
            ("k", " ", None, "a value of blanks"),
            ("k", "\n\t", None, "of line breaks"),
            ("k", "\0\n\0", None, "of other control characters"),
            ("k", &long, Some(("k", cut)), "a long value"),
            ("k", &umlauts, Some(("k", &umlauts[..400])), "characters count, not bytes"),
            ("k", &umlauts[..400], Some(("k", &umlauts[..400])), "200 of them fit"),
            ("k", "größe", Some(("k", "größe")), "a value of any letters"),
        ];
        for (key, value, expected, reason) in rows {
            let sent = acceptable_tag(Cow::Owned(key.to_owned()), value);
            let sent = sent.as_ref().map(|(key, value)| (&**key, &**value));
            assert_eq!(sent, expected, "{reason}");
            // Adjusted keys and values are valid.
            if let Some((key, value)) = sent {
                assert!(is_key(key) && is_value(value), "{reason}");
                assert!(key.chars().count() <= 200 && value.chars().count() <= 200, "{reason}");
            }
        }
    }
}
