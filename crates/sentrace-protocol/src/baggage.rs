//! The `baggage` header: Sentry's members in it, and everybody else's.
//!
//! Other tools' members of an incoming header are never passed on. Those that the application itself has put
//! on an outgoing request are kept (Sentry SDK specification, *Trace Propagation* 1.9).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::scan::{self, trim};

/// The header's name, in lower case.
pub const HEADER: &str = "baggage";

/// Most bytes of one header (W3C Baggage, *Limits*).
pub const MAX_BYTES: usize = 8192;

/// Most members of one header (W3C Baggage, *Limits*).
pub const MAX_MEMBERS: usize = 64;

/// What the keys of Sentry's members begin with, always in lower case.
pub const PREFIX: &str = "sentry-";

/// Appends Sentry's members of all `fields` (one `baggage` header each) to `into`, byte for byte and joined
/// by commas.
///
/// Left out are: members of other tools, members without `=` or with anything but printable ASCII, and
/// members with which `into` would pass [`MAX_BYTES`] or the appended ones [`MAX_MEMBERS`]. Nothing is
/// decoded and nothing allocated but `into`'s own growth, so that this can run on every request.
///
/// ```
/// use sentrace_protocol::baggage::copy_sentry_members;
///
/// let mut ours = String::new();
/// copy_sentry_members([&b"other=1, sentry-sampled=true"[..], b"sentry-org_id=1"].into_iter(), &mut ours);
/// assert_eq!(ours, "sentry-sampled=true,sentry-org_id=1");
/// ```
pub fn copy_sentry_members<'a>(fields: impl Iterator<Item = &'a [u8]>, into: &mut String) {
    let mut room = MAX_MEMBERS;
    for field in fields {
        if into.is_empty()
            && let Some((members, count)) = only_sentry(field)
        {
            into.push_str(members);
            room -= count;
            continue;
        }
        each_member(field, |member| {
            let separator = usize::from(!into.is_empty());
            let fits = into.len() + separator + member.len() <= MAX_BYTES;
            if room > 0 && fits && is_sentry(member) && all_within(member.as_bytes(), b' '..=b'~') {
                room -= 1;
                push_member(into, member);
            }
        });
    }
}

/// The value of Sentry's first member `key` (given without its prefix), as it stands there: percent-encoded,
/// without properties.
///
/// ```
/// use sentrace_protocol::baggage;
///
/// let header = "other=1,sentry-release=shop%401.4.0;p=1";
/// assert_eq!(baggage::member(header, "release"), Some("shop%401.4.0"));
/// ```
pub fn member<'a>(baggage: &'a str, key: &str) -> Option<&'a str> {
    scan::members(baggage).find_map(|member| {
        let rest = trim(member.strip_prefix(PREFIX)?.strip_prefix(key)?);
        rest.strip_prefix('=').map(without_properties)
    })
}

/// Sentry's members: keys without their prefix, and values without properties, both still percent-encoded.
pub(crate) fn sentry_members(baggage: &str) -> impl Iterator<Item = (&str, &str)> {
    scan::members(baggage).filter_map(|member| {
        let member = member.strip_prefix(PREFIX)?;
        let (key, value) = member.split_at_checked(scan::find(b'=', member.as_bytes())?)?;
        Some((trim(key), without_properties(&value[1..])))
    })
}

fn without_properties(value: &str) -> &str {
    trim(scan::find(b';', value.as_bytes()).map_or(value, |end| &value[..end]))
}

/// Undoes percent-encoding. `None` when a `%` is not followed by two hexadecimal digits, or the result is not
/// UTF-8.
///
/// ```
/// use sentrace_protocol::baggage::decode;
///
/// assert_eq!(decode("shop%401.4.0").as_deref(), Some("shop@1.4.0"));
/// assert_eq!(decode("100%"), None);
/// ```
pub fn decode(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('%') {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?
        } else {
            byte
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// Appends `value` percent-encoded: ASCII letters, digits and `-._~` stay, every other byte becomes `%XX`.
///
/// ```
/// let mut member = String::from("sentry-transaction=");
/// sentrace_protocol::baggage::encode_into("GET /orders/{id}", &mut member);
/// assert_eq!(member, "sentry-transaction=GET%20%2Forders%2F%7Bid%7D");
/// ```
pub fn encode_into(value: &str, into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = value;
    while let Some(at) = rest.bytes().position(|byte| !is_unreserved(byte)) {
        // Every byte before `at` is ASCII, so `at` is the start of a character.
        let (plain, tail) = rest.split_at(at);
        into.push_str(plain);
        let mut tail = tail.chars();
        if let Some(character) = tail.next() {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                into.push('%');
                into.push(char::from(DIGITS[usize::from(byte >> 4)]));
                into.push(char::from(DIGITS[usize::from(byte & 0x0f)]));
            }
        }
        rest = tail.as_str();
    }
    into.push_str(rest);
}

/// The `baggage` header of an outgoing request: what is there already, and `ours`.
///
/// Other tools' members of `existing` (one header each) stay as they are, in order and with their properties;
/// older members of Sentry's are replaced by `ours`. Where all together would pass [`MAX_BYTES`] or
/// [`MAX_MEMBERS`], `ours` is left out as a whole: what the application has set itself goes first, and half
/// of a sampling context is worse than none. Members that are not UTF-8, which no `baggage` may have, are
/// dropped.
///
/// ```
/// use sentrace_protocol::baggage::merge;
///
/// let existing = [&b"tenant=7;ttl=1, sentry-sampled=false"[..]];
/// assert_eq!(merge(existing.into_iter(), "sentry-sampled=true"), "tenant=7;ttl=1,sentry-sampled=true");
/// ```
pub fn merge<'a>(existing: impl Iterator<Item = &'a [u8]>, ours: &str) -> String {
    let mut merged = String::new();
    let mut members = 0;
    for field in existing {
        each_member(field, |member| {
            if !member.starts_with(PREFIX) {
                members += 1;
                push_member(&mut merged, member);
            }
        });
    }
    let bytes = merged.len() + usize::from(!merged.is_empty()) + ours.len();
    if !ours.is_empty() && bytes <= MAX_BYTES && members + ours.split(',').count() <= MAX_MEMBERS {
        push_member(&mut merged, ours);
    }
    merged
}

/// Every member that is UTF-8, without the blanks around it; empty ones are passed over.
fn each_member<'a>(field: &'a [u8], mut each: impl FnMut(&'a str)) {
    let mut each_filled = |member: &'a str| {
        if !member.is_empty() {
            each(member);
        }
    };
    match std::str::from_utf8(field) {
        Ok(field) => scan::members(field).for_each(each_filled),
        // One broken member must not take the others with it.
        Err(_) => {
            let members = field.split(|byte| *byte == b',').flat_map(std::str::from_utf8);
            members.for_each(|member| each_filled(trim(member)));
        }
    }
}

fn push_member(into: &mut String, member: &str) {
    if !into.is_empty() {
        into.push(',');
    }
    into.push_str(member);
}

/// A field that can be copied as it is, and how many members it has. It is what Sentry's other SDKs send.
fn only_sentry(field: &[u8]) -> Option<(&str, usize)> {
    if field.len() > MAX_BYTES || !all_within(field, b'!'..=b'~') {
        return None;
    }
    let field = std::str::from_utf8(field).ok()?;
    let mut count = 0;
    for member in scan::members(field) {
        if !is_sentry(member) {
            return None;
        }
        count += 1;
    }
    (count <= MAX_MEMBERS).then_some((field, count))
}

fn is_sentry(member: &str) -> bool {
    member.starts_with(PREFIX) && scan::find(b'=', member.as_bytes()).is_some()
}

fn all_within(bytes: &[u8], range: RangeInclusive<u8>) -> bool {
    // Without an early exit the compiler turns this into vector instructions.
    bytes.iter().fold(true, |all, byte| all & range.contains(byte))
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
