//! URLs without credentials and other secrets.

use std::borrow::Cow;

use super::FILTERED;
use super::query::{filter_query_within, until_it_stays};
use super::text::{Depth, filter_absolute_urls, filter_tokens};
use crate::request::url;
use crate::util::scan;

/// Returns a URL without its secrets, each replaced by [`FILTERED`]: credentials before the host, values of
/// [sensitive parameters](super::is_sensitive_parameter) in query and fragment, and what [`filter_text`](super::filter_text) finds.
///
/// ```
/// use sentrace_protocol::sensitive::filter_url;
///
/// let url = filter_url("https://me:hush@example.com/a?page=2&sig=abc#access_token=def");
/// assert_eq!(url, "https://[Filtered]:[Filtered]@example.com/a?page=2&sig=[Filtered]#access_token=[Filtered]");
/// ```
pub fn filter_url(url: &str) -> Cow<'_, str> {
    until_it_stays(url, |url| filter_url_within(url, Depth::START))
}

pub(super) fn filter_url_within(url: &str, depth: Depth) -> Cow<'_, str> {
    let UrlParts { without_query, query, fragment } = split_url(url);
    let mut shown = filter_path(&without_query, depth);
    if let Some(query) = query {
        shown.push('?');
        shown.push_str(&filter_query_within(query, depth));
    }
    if let Some(fragment) = fragment {
        // OAuth's implicit flow passes tokens there.
        shown.push('#');
        shown.push_str(&filter_query_within(fragment, depth));
    }
    if shown == url { Cow::Borrowed(url) } else { Cow::Owned(shown) }
}

/// A path may hold a token, or a URL as those of proxies do.
fn filter_path(url: &str, depth: Depth) -> String {
    let authority = url::authority_start(url).unwrap_or_default();
    let path = url[authority..].find('/').map_or(url.len(), |length| authority + length);
    let (before, path) = url.split_at(path);
    let path = filter_absolute_urls(path, depth.deeper());
    [before, &filter_tokens(&path)].concat()
}

/// Returns the value of an option for an error message, without what could be a secret: everything before the last `@`,
/// however broken the value is, and what [`filter_url`] replaces.
///
/// ```
/// use sentrace_protocol::sensitive::filter_option;
///
/// assert_eq!(filter_option("me:hu/sh@proxy:3128"), "[Filtered]@proxy:3128");
/// assert_eq!(filter_option("http://me:hush@pro xy"), "http://[Filtered]@pro xy");
/// ```
pub fn filter_option(value: &str) -> Cow<'_, str> {
    let Some(at) = value.rfind('@') else { return filter_url(value) };
    let scheme = value.find("://").map(|at| at + 3).filter(|end| *end <= at && is_scheme(&value[..*end - 3]));
    let scheme = &value[..scheme.unwrap_or_default()];
    Cow::Owned(format!("{scheme}{FILTERED}{}", filter_url(&value[at..])))
}

fn is_scheme(text: &str) -> bool {
    text.trim_start().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
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
    match url::credentials(url) {
        Some(range) => {
            Cow::Owned(format!("{}{FILTERED}:{FILTERED}{}", &url[..range.start], &url[range.end..]))
        }
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
    // Credentials with a raw `?` or `#` come first.
    let credentials = url::credentials(url);
    let behind = credentials.as_ref().map_or(0, |range| range.end);
    let (before, fragment) = split_at_mark(url, behind, '#');
    let (before, query) = split_at_mark(before, behind, '?');
    let without_query = match credentials {
        Some(range) => {
            Cow::Owned(format!("{}{FILTERED}:{FILTERED}{}", &before[..range.start], &before[range.end..]))
        }
        None => Cow::Borrowed(before),
    };
    UrlParts { without_query, query, fragment }
}

fn split_at_mark(url: &str, from: usize, mark: char) -> (&str, Option<&str>) {
    match url[from..].split_once(mark) {
        Some((before, behind)) => (&url[..from + before.len()], Some(behind)),
        None => (url, None),
    }
}
