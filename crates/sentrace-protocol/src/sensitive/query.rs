//! Queries without the values that are secrets.

use std::borrow::Cow;

use super::text::{Depth, filter_within};
use super::{FILTERED, is_sensitive_parameter};
use crate::propagation::baggage;
use crate::util::scan;

/// How often a text is read at most until it stays as it is.
const MAX_ROUNDS: usize = 8;

/// Returns a query (without its `?`) in which secrets are replaced by [`FILTERED`]: the values of
/// [sensitive parameters](is_sensitive_parameter), and values that are secrets by their form.
///
/// ```
/// use sentrace_protocol::sensitive::filter_query;
///
/// assert_eq!(filter_query("page=2&sig=abc"), "page=2&sig=[Filtered]");
/// assert_eq!(filter_query("next=redis%3A%2F%2F:hush@cache"), "next=[Filtered]");
/// ```
pub fn filter_query(query: &str) -> Cow<'_, str> {
    until_it_stays(query, |query| filter_query_within(query, Depth::START))
}

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

pub(super) fn filter_query_within(query: &str, depth: Depth) -> Cow<'_, str> {
    let hides = |name: Option<&str>, value: &str| {
        name.is_some_and(|name| is_sensitive_parameter(&decode_name(name))) || is_secret(value, depth)
    };
    filter(query, &hides)
}

/// Returns a query (without its `?`) in which values that are secrets by their form are replaced by [`FILTERED`], whatever
/// their parameters are named: for what [`filter_query_into`] has written.
///
/// ```
/// use sentrace_protocol::sensitive::filter_query_values;
///
/// assert_eq!(filter_query_values("a=1&b=Bearer+abc"), "a=1&b=[Filtered]");
/// ```
pub fn filter_query_values(query: &str) -> Cow<'_, str> {
    filter(query, &|_, value| is_secret(value, Depth::START))
}

fn filter<'q>(query: &'q str, hides: &Hides<'_>) -> Cow<'q, str> {
    let mut shown = String::with_capacity(query.len());
    write(query, hides, &mut shown);
    if shown == query { Cow::Borrowed(query) } else { Cow::Owned(shown) }
}

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
type Hides<'a> = dyn Fn(Option<&str>, &str) -> bool + 'a;

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

/// Whether a value of a query is a secret by its form, also when it is percent-encoded.
fn is_secret(value: &str, depth: Depth) -> bool {
    if value == FILTERED {
        return false;
    }
    let filters = |value: &str| matches!(filter_within(value, depth.deeper()), Cow::Owned(_));
    if filters(value) {
        return true;
    }
    value.bytes().any(|byte| matches!(byte, b'%' | b'+')) && filters(&decode(value).replace('+', " "))
}

/// The name as the server reads it; what is not encoded properly is judged as it stands.
fn decode_name(key: &str) -> Cow<'_, str> {
    if scan::find(b'%', key.as_bytes()).is_none() {
        return Cow::Borrowed(key);
    }
    decode(key)
}

fn decode(text: &str) -> Cow<'_, str> {
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
