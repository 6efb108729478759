//! Texts, URLs and queries, which may be within each other.

use std::borrow::Cow;

use super::FILTERED;
use super::credentials::is_credential;
use super::names::is_sensitive_parameter;
use super::query_values::{decode, decode_name, filter};
use super::tokens::filter_tokens;
use super::url_parts::{UrlParts, split_url};
use crate::request::url;
use crate::util::scan;

/// How often a text is read at most until it stays as it is.
const MAX_ROUNDS: usize = 8;

/// Filters a text until there is nothing more to filter: what one value hid may have been a part of another one.
pub(super) fn until_it_stays(text: &str, filter: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    let mut shown = filter(text);
    if matches!(shown, Cow::Borrowed(_)) {
        return shown;
    }
    for _ in 1..MAX_ROUNDS {
        let Cow::Owned(again) = filter(&shown) else { break };
        shown = Cow::Owned(again);
    }
    shown
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
fn filter_absolute_urls(text: &str, depth: Depth) -> Cow<'_, str> {
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

pub(super) fn filter_query_within(query: &str, depth: Depth) -> Cow<'_, str> {
    let hides = |name: Option<&str>, value: &str| {
        name.is_some_and(|name| is_sensitive_parameter(&decode_name(name))) || is_secret(value, depth)
    };
    filter(query, &hides)
}

/// Whether a value of a query is a secret by its form, also when it is percent-encoded.
pub(super) fn is_secret(value: &str, depth: Depth) -> bool {
    if value == FILTERED {
        return false;
    }
    let filters = |value: &str| matches!(filter_within(value, depth.deeper()), Cow::Owned(_));
    if filters(value) {
        return true;
    }
    value.bytes().any(|byte| matches!(byte, b'%' | b'+')) && filters(&decode(value).replace('+', " "))
}
