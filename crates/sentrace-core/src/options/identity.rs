//! Release, environment and server name by Sentry's rules. Sentry drops values that violate them,
//! so they are adjusted before.

use std::borrow::Cow;

use sentrace_protocol::sensitive;

use crate::diagnostics;

/// Longest release that Sentry accepts, in bytes.
const MAX_RELEASE: usize = 200;
/// Longest environment.
const MAX_ENVIRONMENT: usize = 64;
/// Longest server name, which becomes a tag.
const MAX_SERVER_NAME: usize = 200;
/// Longest organization id. They are numbers.
const MAX_ORG_ID: usize = 64;

/// Sentry's rules for one of the options.
struct Rules {
    option: &'static str,
    max_bytes: usize,
    slashes: bool,
    /// In lower case.
    reserved: &'static [&'static str],
    rule: &'static str,
}

pub(crate) fn release(text: Option<&str>) -> Option<String> {
    let rules = Rules {
        option: "release",
        max_bytes: MAX_RELEASE,
        slashes: false,
        reserved: &[".", "..", "latest"],
        rule: "a release has at most 200 bytes, no line breaks and no slashes, and is not `.`, `..` or `latest`",
    };
    text.and_then(|text| rules.made_to_fit(text))
}

pub(crate) fn environment(text: Option<&str>) -> Option<String> {
    let rules = Rules {
        option: "environment",
        max_bytes: MAX_ENVIRONMENT,
        slashes: false,
        reserved: &[".", "..", "none"],
        rule: "an environment has at most 64 bytes, no line breaks and no slashes, and is not `.`, `..` or `none`",
    };
    text.and_then(|text| rules.made_to_fit(text))
}

pub(crate) fn server_name(text: Option<&str>) -> Option<String> {
    let rules = Rules {
        option: "server_name",
        max_bytes: MAX_SERVER_NAME,
        slashes: true,
        reserved: &[],
        rule: "a server's name has at most 200 bytes and no line breaks",
    };
    text.and_then(|text| rules.made_to_fit(text))
}

/// A longer id would leave no room in `baggage`.
pub(crate) fn org_id(text: Option<&str>) -> Option<String> {
    let rules = Rules {
        option: "org_id",
        max_bytes: MAX_ORG_ID,
        slashes: true,
        reserved: &[],
        rule: "an organisation's id has at most 64 bytes and no line breaks",
    };
    text.and_then(|text| rules.made_to_fit(text))
}

impl Rules {
    /// Adjusts a value. Returns `None` if nothing is left, which counts as unset.
    fn made_to_fit(&self, text: &str) -> Option<String> {
        let trimmed =
            text.trim_matches(|character: char| character.is_whitespace() || character.is_control());
        if trimmed.is_empty() {
            return None;
        }
        let is_reserved = |text: &str| self.reserved.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is_reserved(trimmed) {
            let Self { option, rule, .. } = self;
            diagnostics::warn(format_args!("{option} {trimmed:?} is ignored, as Sentry would do: {rule}"));
            return None;
        }
        let cut = crate::util::text::cut(trimmed, self.max_bytes);
        let sent = if cut.contains(|character| self.forbids(character)) {
            Cow::Owned(cut.replace(|character| self.forbids(character), "-"))
        } else {
            Cow::Borrowed(cut)
        };
        if sent != trimmed {
            let (option, rule) = (self.option, self.rule);
            let set = sensitive::filter_text(shown(trimmed));
            let sent = sensitive::filter_text(&sent);
            diagnostics::warn(format_args!("{option} {set:?} is sent as {sent:?}: {rule}"));
        }
        Some(sent.into_owned())
    }

    fn forbids(&self, character: char) -> bool {
        character.is_control() || (!self.slashes && matches!(character, '/' | '\\'))
    }
}

/// Returns enough of a value to identify it.
fn shown(text: &str) -> &str {
    crate::util::text::cut_chars(text, MAX_RELEASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sentry_would_drop_is_made_to_fit_or_unset() {
        let long = "x".repeat(100_000);
        let umlauts = "ü".repeat(150);
        type Row<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>, &'static str);
        let rows: [Row<'_>; 22] = [
            ("shop@1.4.0", Some("shop@1.4.0"), Some("shop@1.4.0"), Some("shop@1.4.0"), "usual"),
            ("my shop 1", Some("my shop 1"), Some("my shop 1"), Some("my shop 1"), "blanks inside"),
            ("", None, None, None, "empty"),
            (" ", None, None, None, "a blank"),
            ("\t \r\n", None, None, None, "blanks of any kind"),
            ("\u{a0}", None, None, None, "of Unicode, too"),
            ("\0", None, None, None, "control characters alone"),
            ("shop@1\n", Some("shop@1"), Some("shop@1"), Some("shop@1"), "as read from a file"),
            ("  shop@1 ", Some("shop@1"), Some("shop@1"), Some("shop@1"), "blanks around it"),
            ("a\nb", Some("a-b"), Some("a-b"), Some("a-b"), "a line break inside"),
            ("a\tb", Some("a-b"), Some("a-b"), Some("a-b"), "a tab inside"),
            ("a\u{7f}b", Some("a-b"), Some("a-b"), Some("a-b"), "another control character"),
            ("a/b", Some("a-b"), Some("a-b"), Some("a/b"), "a slash"),
            (r"a\b", Some("a-b"), Some("a-b"), Some(r"a\b"), "a backslash"),
            (".", None, None, Some("."), "a reserved word"),
            ("..", None, None, Some(".."), "another"),
            ("latest", None, Some("latest"), Some("latest"), "of releases"),
            ("None", Some("None"), None, Some("None"), "of environments, in any case"),
            (&long, Some(&long[..200]), Some(&long[..64]), Some(&long[..200]), "too long"),
            (&long[..64], Some(&long[..64]), Some(&long[..64]), Some(&long[..64]), "just fits"),
            (&long[..65], Some(&long[..65]), Some(&long[..64]), Some(&long[..65]), "a byte more"),
            (&umlauts, Some(&umlauts[..200]), Some(&umlauts[..64]), Some(&umlauts[..200]), "bytes count"),
        ];
        for (text, expected_release, expected_environment, expected_server, reason) in rows {
            assert_eq!(release(Some(text)).as_deref(), expected_release, "release: {reason}");
            assert_eq!(environment(Some(text)).as_deref(), expected_environment, "environment: {reason}");
            assert_eq!(server_name(Some(text)).as_deref(), expected_server, "server name: {reason}");
        }
        assert_eq!((release(None), environment(None), server_name(None)), (None, None, None));
    }
}
