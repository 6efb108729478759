//! What must not be reported: names that hide secrets, and URLs that carry them.
//!
//! Sentry SDK specification, *Data Collection* and *Data Handling*.

use std::borrow::Cow;

use self::terms::Terms;
use crate::{baggage, scan};

mod terms;
mod usual;

pub use self::usual::{UsualHeader, ValueKind, usual_header};

/// What stands in a report where a secret was.
pub const FILTERED: &str = "[Filtered]";

/// A name that contains one of these, in either case, has a value that is never reported.
pub const SENSITIVE_TERMS: [&str; 18] = [
    "auth",
    "bearer",
    "cookie",
    "credentials",
    "csrf",
    "identity",
    "jwt",
    "key",
    "passwd",
    "password",
    "pwd",
    "saml",
    "secret",
    "session",
    "sid",
    "sso",
    "token",
    "xsrf",
];

/// A name that contains one of these, in either case, has a value that may name a person.
pub const PERSONAL_TERMS: [&str; 5] = ["-ip", "-user", "forwarded", "remote-", "via"];

static SENSITIVE: Terms = Terms::new(&[&SENSITIVE_TERMS]);
static PERSONAL: Terms = Terms::new(&[&PERSONAL_TERMS]);
static EITHER: Terms = Terms::new(&[&SENSITIVE_TERMS, &PERSONAL_TERMS]);

/// Whether the value behind this name (of a header, a cookie, a query parameter) is a secret by the
/// [`SENSITIVE_TERMS`].
///
/// ```
/// use sentrace_protocol::sensitive::is_sensitive;
///
/// assert!(is_sensitive("X-Api-Key"));
/// assert!(!is_sensitive("accept-language"));
/// ```
#[inline]
pub fn is_sensitive(key: &str) -> bool {
    usual_header(key).map_or_else(|| SENSITIVE.are_in(key), |usual| usual.value == ValueKind::Sensitive)
}

/// Whether the value behind this name may name a person, by the [`PERSONAL_TERMS`].
///
/// ```
/// use sentrace_protocol::sensitive::is_personal;
///
/// assert!(is_personal("X-Real-IP"));
/// assert!(!is_personal("user-agent"));
/// ```
pub fn is_personal(key: &str) -> bool {
    usual_header(key).map_or_else(|| PERSONAL.are_in(key), |usual| usual.value == ValueKind::Personal)
}

/// Whether the value behind this name is a secret or may name a person, by both lists.
///
/// ```
/// use sentrace_protocol::sensitive::is_sensitive_or_personal;
///
/// assert!(is_sensitive_or_personal("X-Api-Key") && is_sensitive_or_personal("X-Real-IP"));
/// assert!(!is_sensitive_or_personal("accept"));
/// ```
#[inline]
pub fn is_sensitive_or_personal(key: &str) -> bool {
    usual_header(key).map_or_else(|| EITHER.are_in(key), |usual| usual.value.is_sensitive_or_personal())
}

/// Appends a query (without its `?`), the values of sensitive names replaced by [`FILTERED`].
///
/// Names are judged after percent-decoding, so that `t%6Fken=x` hides nothing. Some servers take `;` for a
/// separator and some for a part of a value, so what is a secret for either is replaced. Everything else stays
/// as it was.
///
/// ```
/// use sentrace_protocol::sensitive::{filter_query_into, is_sensitive};
///
/// let mut shown = String::new();
/// filter_query_into("page=2&token=abc", is_sensitive, &mut shown);
/// assert_eq!(shown, "page=2&token=[Filtered]");
/// ```
pub fn filter_query_into(query: &str, is_sensitive: impl Fn(&str) -> bool, into: &mut String) {
    for (pair, separator) in parts(query, b'&') {
        if !filter_pair(pair, &is_sensitive, into) {
            if scan::find(b';', pair.as_bytes()).is_some() {
                filter_parts(pair, &is_sensitive, into);
            } else {
                into.push_str(pair);
            }
        }
        into.push_str(separator);
    }
}

fn filter_parts(pair: &str, is_sensitive: impl Fn(&str) -> bool, into: &mut String) {
    for (part, separator) in parts(pair, b';') {
        if !filter_pair(part, &is_sensitive, into) {
            into.push_str(part);
        }
        into.push_str(separator);
    }
}

/// Appends the pair without its value, if that is a secret.
fn filter_pair(pair: &str, is_sensitive: impl Fn(&str) -> bool, into: &mut String) -> bool {
    match scan::find(b'=', pair.as_bytes()).map(|at| &pair[..at]) {
        Some(key) if is_sensitive(&decode_name(key)) => {
            into.push_str(key);
            into.push('=');
            into.push_str(FILTERED);
            true
        }
        _ => false,
    }
}

/// What stands before, between and after separators (ASCII), each with the one that ends it.
fn parts(list: &str, separator: u8) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = scan::find(separator, rest.as_bytes()).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        let (separator, behind) = behind.split_at(behind.len().min(1));
        rest = behind;
        Some((part, separator))
    })
}

/// The URL with credentials in its authority replaced: `https://[Filtered]:[Filtered]@host/`.
///
/// ```
/// use sentrace_protocol::sensitive::filter_userinfo;
///
/// let url = filter_userinfo("https://me:hush@example.com/?a=@");
/// assert_eq!(url, "https://[Filtered]:[Filtered]@example.com/?a=@");
/// ```
pub fn filter_userinfo(url: &str) -> Cow<'_, str> {
    // Most URLs have no credentials, and those that have need this.
    if scan::find(b'@', url.as_bytes()).is_none() {
        return Cow::Borrowed(url);
    }
    let Some(start) = authority_start(url) else {
        return Cow::Borrowed(url);
    };
    let end = url[start..].find(['/', '?', '#', '\\']).map_or(url.len(), |length| start + length);
    match url[start..end].rfind('@') {
        Some(at) => Cow::Owned(format!("{}{FILTERED}:{FILTERED}{}", &url[..start], &url[start + at..])),
        None => Cow::Borrowed(url),
    }
}

/// Whether a URL is without credentials, query and fragment, so that all of it can be shown: found without taking it
/// apart.
///
/// ```
/// use sentrace_protocol::sensitive::is_bare_url;
///
/// assert!(is_bare_url(b"https://example.com/a"));
/// assert!(!is_bare_url(b"https://example.com/a?b=c") && !is_bare_url(b"me:hush@example.com"));
/// ```
// Inlined, its constants would be made ready for every header field, of which few are URLs.
#[inline(never)]
pub fn is_bare_url(url: &[u8]) -> bool {
    !scan::contains_any([b'@', b'?', b'#'], url)
}

/// A URL taken apart for reporting; see [`split_url`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlParts<'a> {
    /// Everything before query and fragment, credentials replaced.
    pub without_query: Cow<'a, str>,
    /// What follows `?`.
    pub query: Option<&'a str>,
    /// What follows `#`.
    pub fragment: Option<&'a str>,
}

/// Splits a URL so that a description can show it without query, fragment and credentials.
///
/// ```
/// let parts = sentrace_protocol::sensitive::split_url("https://me:hush@example.com/a?b=c#d");
/// assert_eq!(parts.without_query, "https://[Filtered]:[Filtered]@example.com/a");
/// assert_eq!((parts.query, parts.fragment), (Some("b=c"), Some("d")));
/// ```
pub fn split_url(url: &str) -> UrlParts<'_> {
    let (url, fragment) = match url.split_once('#') {
        Some((url, fragment)) => (url, Some(fragment)),
        None => (url, None),
    };
    let (url, query) = match url.split_once('?') {
        Some((url, query)) => (url, Some(query)),
        None => (url, None),
    };
    UrlParts { without_query: filter_userinfo(url), query, fragment }
}

/// Where the authority begins: behind `scheme://`, or behind a leading `//`.
fn authority_start(url: &str) -> Option<usize> {
    let at = url.find("//")?;
    let is_scheme = match url[..at].strip_suffix(':') {
        // Stricter than any reader it must not be: the `http` crate takes `h~ttp` and even nothing.
        Some(scheme) => !scheme.contains(['/', '?', '#', '\\']),
        None => at == 0,
    };
    is_scheme.then_some(at + 2)
}

/// The name as the server reads it; what is not encoded properly is judged as it stands.
fn decode_name(key: &str) -> Cow<'_, str> {
    if scan::find(b'%', key.as_bytes()).is_none() {
        return Cow::Borrowed(key);
    }
    if let Some(decoded) = baggage::decode(key) {
        return decoded;
    }
    // One broken escape must not hide the others, as in `%zz&t%6Fken`.
    let mut decoded = String::with_capacity(key.len());
    let mut rest = key;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let escape = rest.get(at..at + 3).and_then(baggage::decode);
        match escape {
            Some(character) => {
                decoded.push_str(&character);
                rest = &rest[at + 3..];
            }
            None => {
                decoded.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests;
