//! A URL taken apart for reporting.

use std::borrow::Cow;

use super::FILTERED;
use crate::request::url;
use crate::util::scan;

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
/// use sentrace_protocol::sensitive::fast_path::is_bare_url;
///
/// assert!(is_bare_url(b"https://example.com/a"));
/// assert!(!is_bare_url(b"https://example.com/a?b=c") && !is_bare_url(b"me:hush@example.com"));
/// ```
// Inlined, its constants would be made ready for every header field, of which few are URLs.
#[inline(never)]
pub fn is_bare_url(url: &[u8]) -> bool {
    !scan::contains_any([b'@', b'?', b'#'], url)
}
