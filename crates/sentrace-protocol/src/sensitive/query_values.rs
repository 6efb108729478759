//! Queries without some of their values.

use std::borrow::Cow;

use super::FILTERED;
use crate::propagation::baggage;
use crate::util::scan;

/// Appends a query (without its `?`), the values of sensitive names replaced by [`FILTERED`].
///
/// Names are judged after percent-decoding, so that `t%6Fken=x` hides nothing. Some servers take `;` for a
/// separator and some for a part of a value, so what is a secret for either is replaced. Everything else stays
/// as it was.
///
/// ```
/// use sentrace_protocol::sensitive::{filter_query_into, is_sensitive_parameter};
///
/// let mut shown = String::new();
/// filter_query_into("page=2&token=abc", is_sensitive_parameter, &mut shown);
/// assert_eq!(shown, "page=2&token=[Filtered]");
/// ```
pub fn filter_query_into(query: &str, is_sensitive: impl Fn(&str) -> bool, into: &mut String) {
    write(
        query,
        &|name: Option<&str>, _: &str| name.is_some_and(|name| is_sensitive(&decode_name(name))),
        into,
    );
}

/// Judges a parameter by its name, if it has one, and its value, both as written.
pub(super) type Hides<'a> = dyn Fn(Option<&str>, &str) -> bool + 'a;

pub(super) fn filter<'q>(query: &'q str, hides: &Hides<'_>) -> Cow<'q, str> {
    let mut shown = String::with_capacity(query.len());
    write(query, hides, &mut shown);
    if shown == query { Cow::Borrowed(query) } else { Cow::Owned(shown) }
}

fn write(query: &str, hides: &Hides<'_>, into: &mut String) {
    for (pair, separator) in parts(query, b'&') {
        if !filter_pair(pair, hides, into) {
            if scan::find(b';', pair.as_bytes()).is_some() {
                filter_parts(pair, hides, into);
            } else {
                into.push_str(pair);
            }
        }
        into.push_str(separator);
    }
}

fn filter_parts(pair: &str, hides: &Hides<'_>, into: &mut String) {
    for (part, separator) in parts(pair, b';') {
        if !filter_pair(part, hides, into) {
            into.push_str(part);
        }
        into.push_str(separator);
    }
}

/// Appends the pair without its value, if that is a secret.
fn filter_pair(pair: &str, hides: &Hides<'_>, into: &mut String) -> bool {
    let (key, value) = match scan::find(b'=', pair.as_bytes()) {
        Some(at) => (Some(&pair[..at]), &pair[at + 1..]),
        None => (None, pair),
    };
    if !hides(key, value) {
        return false;
    }
    if let Some(key) = key {
        into.push_str(key);
        into.push('=');
    }
    into.push_str(FILTERED);
    true
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

/// The name as the server reads it; what is not encoded properly is judged as it stands.
pub(super) fn decode_name(key: &str) -> Cow<'_, str> {
    if scan::find(b'%', key.as_bytes()).is_none() {
        return Cow::Borrowed(key);
    }
    decode(key)
}

pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if let Some(decoded) = baggage::decode(text) {
        return decoded;
    }
    // One broken escape must not hide the others, as in `%zz&t%6Fken`.
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
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
