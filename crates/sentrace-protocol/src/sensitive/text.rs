//! Secrets that are recognised by their form, wherever they are.

use std::borrow::Cow;

use super::query::{filter_query, until_it_stays};
use super::url::{filter_url, filter_url_within};
use super::{FILTERED, is_sensitive_field};
use crate::request::url;
use crate::util::scan;

/// Returns a text without the secrets that can be recognised by their form, each replaced by [`FILTERED`]:
///
/// - all of a text that is the value of an `Authorization` header (see [`is_credential`]),
/// - JSON Web Tokens,
/// - in URLs of any scheme, what [`filter_url`] replaces: credentials before the host, sensitive parameters.
///
/// ```
/// use sentrace_protocol::sensitive::filter_text;
///
/// assert_eq!(filter_text("Bearer abc"), "[Filtered]");
/// assert_eq!(filter_text("lost redis://:hush@cache/0"), "lost redis://[Filtered]:[Filtered]@cache/0");
/// assert_eq!(filter_text("SELECT 1"), "SELECT 1");
/// ```
pub fn filter_text(text: &str) -> Cow<'_, str> {
    until_it_stays(text, |text| filter_within(text, Depth::START))
}

/// Returns the value of an attribute without its secrets: [`FILTERED`] if the name [is sensitive](is_sensitive_field), else
/// what [`filter_value`] leaves.
///
/// ```
/// use sentrace_protocol::sensitive::filter_field;
///
/// assert_eq!(filter_field("api_key", "abc"), "[Filtered]");
/// assert_eq!(filter_field("url.query", "page=2&sig=abc"), "page=2&sig=[Filtered]");
/// ```
pub fn filter_field<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if is_sensitive_field(name) { Cow::Borrowed(FILTERED) } else { filter_value(name, value) }
}

/// Returns the value of an attribute that an application chose to record, without the secrets that can be recognised in it:
/// what [`filter_url`] or [`filter_query`] leaves if the name says that the value is one, else what [`filter_text`] leaves.
///
/// ```
/// use sentrace_protocol::sensitive::filter_value;
///
/// assert_eq!(filter_value("db.url", "redis://:hush@cache"), "redis://[Filtered]:[Filtered]@cache");
/// assert_eq!(filter_value("cart.key", "abc"), "abc");
/// ```
pub fn filter_value<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if is_query(name) {
        filter_query(value.strip_prefix(['?', '#']).unwrap_or(value))
    } else if is_url(name) {
        filter_url(value)
    } else {
        filter_text(value)
    }
}

fn is_url(name: &str) -> bool {
    let last = name.rsplit(['.', '_']).next().unwrap_or_default();
    ["url", "uri", "location", "referer"].iter().any(|word| last.eq_ignore_ascii_case(word))
        || name == "url.full"
        || name == "http.target"
}

fn is_query(name: &str) -> bool {
    // Not `db.query`, which is SQL.
    ["url.query", "http.query", "url.fragment", "http.fragment", "query_string", "querystring"]
        .iter()
        .any(|query| name.eq_ignore_ascii_case(query))
}

/// How deep values of queries are URLs with queries. A stranger could nest them without end.
#[derive(Clone, Copy)]
pub(super) struct Depth(u8);

impl Depth {
    pub(super) const START: Self = Self(0);

    pub(super) fn deeper(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    fn is_exhausted(self) -> bool {
        self.0 > 4
    }
}

pub(super) fn filter_within(text: &str, depth: Depth) -> Cow<'_, str> {
    if is_credential(text) {
        return Cow::Owned(FILTERED.to_owned());
    }
    // One pass over nearly all texts.
    if !text.starts_with('/') && !scan::contains_any([b':', b'J'], text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let shown = filter_urls(text, depth);
    match filter_tokens(&shown) {
        Cow::Owned(filtered) => Cow::Owned(filtered),
        Cow::Borrowed(_) => shown,
    }
}

/// Filters each URL of a text.
fn filter_urls(text: &str, depth: Depth) -> Cow<'_, str> {
    if !(text.starts_with('/') && text.contains(['?', '@'])) || depth.is_exhausted() {
        return filter_absolute_urls(text, depth);
    }
    // Without a scheme, as in `Location: /login?token=abc`.
    let (url, behind) = text.split_at(url_end(text, 0));
    match (filter_url_within(url, depth), filter_absolute_urls(behind, depth)) {
        (Cow::Borrowed(_), Cow::Borrowed(_)) => Cow::Borrowed(text),
        (url, behind) => Cow::Owned([url, behind].concat()),
    }
}

/// Filters each URL that has a scheme.
pub(super) fn filter_absolute_urls(text: &str, depth: Depth) -> Cow<'_, str> {
    let mut shown = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(at) = scan::find_text("://", text, from) {
        if depth.is_exhausted() {
            return Cow::Owned(FILTERED.to_owned());
        }
        let scheme = text[from..at].bytes().rev().take_while(|byte| is_scheme(*byte)).count();
        let start = at - scheme;
        let mut end = url_end(text, at + 3);
        if start == 0
            && let Some(credentials) = url::credentials(text)
            && credentials.end > end
        {
            // A password with a blank.
            end = url_end(text, credentials.end);
        }
        if let Cow::Owned(filtered) = filter_url_within(&text[start..end], depth) {
            shown.push_str(&text[copied..start]);
            shown.push_str(&filtered);
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

const fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Where a URL in a text ends, `from` here or further on.
fn url_end(text: &str, from: usize) -> usize {
    let end = text[from..]
        .find(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '`'));
    end.map_or(text.len(), |length| from + length)
}

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

/// Returns `true` if all of a text is the value of an `Authorization` header: it begins with `Bearer ` or `Basic `, or with
/// another scheme and what looks like its parameters. In any case, also in quotes or behind the header's name.
///
/// ```
/// use sentrace_protocol::sensitive::is_credential;
///
/// assert!(is_credential("Bearer abc") && is_credential("Digest username=\"me\""));
/// assert!(!is_credential("Digest of the day"));
/// ```
pub fn is_credential(text: &str) -> bool {
    const LONGEST: usize = 24;

    if !begins_like_a_scheme(text.as_bytes()) {
        return false;
    }
    let text = text.trim_start_matches([' ', '\t', '"', '\'']);
    let Some(end) = text.bytes().take(LONGEST).position(|byte| matches!(byte, b' ' | b'\t')) else {
        return false;
    };
    let (scheme, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let is_one_of = |schemes: &[&str]| schemes.iter().any(|other| scheme.eq_ignore_ascii_case(other));
    if rest.is_empty() {
        false
    } else if is_one_of(&["bearer", "basic", "authorization:", "proxy-authorization:"]) {
        true
    } else if is_one_of(&SCHEMES) || starts_with(scheme, "aws4-") || starts_with(scheme, "scram-") {
        has_parameters(rest)
    } else {
        false
    }
}

/// Nearly no text does.
#[inline]
fn begins_like_a_scheme(text: &[u8]) -> bool {
    let [first, second, ..] = text else { return false };
    match first.to_ascii_lowercase() {
        b' ' | b'\t' | b'"' | b'\'' => true,
        first => matches!(
            &[first, second.to_ascii_lowercase()],
            b"ap"
                | b"au"
                | b"aw"
                | b"ba"
                | b"be"
                | b"co"
                | b"di"
                | b"dp"
                | b"gn"
                | b"ha"
                | b"hm"
                | b"ho"
                | b"ke"
                | b"ma"
                | b"mu"
                | b"ne"
                | b"nt"
                | b"oa"
                | b"pr"
                | b"sc"
                | b"sh"
                | b"si"
                | b"ss"
                | b"to"
                | b"va"
        ),
    }
}

/// Schemes of HTTP authentication besides Bearer and Basic, registered or usual. Some are words that texts begin with.
const SCHEMES: [&str; 20] = [
    "apikey",
    "concealed",
    "digest",
    "dpop",
    "gnap",
    "hawk",
    "hmac",
    "hoba",
    "key",
    "mac",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "privatetoken",
    "sharedaccesssignature",
    "signature",
    "ssws",
    "token",
    "vapid",
];

/// `name=value`, or one word that is too long to be English.
fn has_parameters(text: &str) -> bool {
    const LONG: usize = 16;

    let is_token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let word = text.split([' ', '\t']).next().unwrap_or_default();
    let is_all = word.len() == text.trim_end_matches([' ', '\t', '"', '\'']).len();
    word.contains('=') || (is_all && word.len() >= LONG && word.bytes().all(is_token68))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}
