//! The `baggage` header: Sentry's members in it, and everybody else's.
//!
//! Other tools' members of an incoming header are never passed on. Those that the application itself has put
//! on an outgoing request are kept (Sentry SDK specification, *Trace Propagation* 1.9).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::util::scan::{self, trim};

/// The header's name, in lower case.
pub const HEADER: &str = "baggage";

/// Most bytes of one header (W3C Baggage, *Limits*).
pub const MAX_BYTES: usize = 8192;

/// Most members of one header (W3C Baggage, *Limits*).
pub const MAX_MEMBERS: usize = 64;

/// What the keys of Sentry's members begin with, always in lower case.
pub const PREFIX: &str = "sentry-";

/// Appends Sentry's members of all `fields` (one `baggage` header each) to `into`, byte for byte and joined
/// by commas. Returns how many of Sentry's members could not be used.
///
/// Left out are: members of other tools (which do not count), members without `=` or with anything but printable ASCII and
/// tabs, and members with which `into` would pass [`MAX_BYTES`] or [`MAX_MEMBERS`], those that it already has included.
/// So the headers of one message may come in one call or in several. Nothing is decoded and nothing allocated
/// but `into`'s own growth, so that this can run on every request.
///
/// ```
/// use sentrace_protocol::baggage::copy_sentry_members;
///
/// let mut ours = String::new();
/// copy_sentry_members([&b"other=1, sentry-sampled=true"[..], b"sentry-org_id=1"].into_iter(), &mut ours);
/// assert_eq!(ours, "sentry-sampled=true,sentry-org_id=1");
/// ```
pub fn copy_sentry_members<'a>(fields: impl Iterator<Item = &'a [u8]>, into: &mut String) -> usize {
    let mut unusable = 0;
    let mut room = match into.as_str() {
        "" => MAX_MEMBERS,
        earlier => MAX_MEMBERS.saturating_sub(scan::members(earlier).count()),
    };
    for field in fields {
        if let Some(field) = plain(field, into.len()) {
            let (copied, not_copied) = copy_runs(field, room, into);
            room -= copied;
            unusable += not_copied;
            continue;
        }
        each_member(field, |member| {
            let separator = usize::from(!into.is_empty());
            let fits = into.len() + separator + member.len() <= MAX_BYTES;
            if room > 0 && fits && is_sentry(member) && is_readable(member) {
                room -= 1;
                push_member(into, member);
            } else if member.starts_with(PREFIX) {
                unusable += 1;
            }
        });
    }
    unusable
}

/// The value of Sentry's member `key` (given without its prefix), as it stands there: percent-encoded, without
/// properties. Of two the last wins, as in a [`DynamicSamplingContext`](crate::DynamicSamplingContext).
///
/// ```
/// use sentrace_protocol::baggage;
///
/// let header = "other=1,sentry-release=shop%401.4.0;p=1";
/// assert_eq!(baggage::member(header, "release"), Some("shop%401.4.0"));
/// ```
pub fn member<'a>(baggage: &'a str, key: &str) -> Option<&'a str> {
    let values = scan::members(baggage).filter_map(|member| {
        let rest = trim(member.strip_prefix(PREFIX)?.strip_prefix(key)?);
        rest.strip_prefix('=').map(without_properties)
    });
    values.last()
}

/// The value of Sentry's member `key` (given without its prefix), decoded, exactly as a
/// [`DynamicSamplingContext`](crate::DynamicSamplingContext) has it: keys may be percent-encoded as well, of two values the
/// last wins, and those that cannot be decoded are passed over.
///
/// ```
/// use sentrace_protocol::baggage::decoded_member;
///
/// let header = "other=1,sentry-rel%65ase=shop%401.4.0;p=1";
/// assert_eq!(decoded_member(header, "release").as_deref(), Some("shop@1.4.0"));
/// ```
pub fn decoded_member<'a>(baggage: &'a str, key: &str) -> Option<Cow<'a, str>> {
    // Such a key can be compared as it stands, but for members that encode it though they need not.
    let is_plain = key.bytes().all(is_unreserved);
    let first = key.bytes().next().filter(|_| is_plain);
    // Most other keys differ in the first letter.
    let may_be = |member: &[u8]| match (first, member) {
        (Some(first), [b's', _, _, _, _, _, _, begins, ..]) => *begins == first || *begins == b'%',
        _ => true,
    };
    let values = scan::members_if(baggage, may_be).filter_map(|member| {
        let member = member.strip_prefix(PREFIX)?;
        let value = match member.strip_prefix(key) {
            Some(rest) if is_plain => trim_start(rest).strip_prefix('=')?,
            _ if !is_plain || differs_by_encoding(member, key) => {
                let (encoded, value) = split_key(member)?;
                (decode(encoded)? == key).then_some(value)?
            }
            _ => return None,
        };
        decode(without_properties(value))
    });
    values.last()
}

/// Whether the first letter in which `member` is not `key` begins a percent-encoding.
fn differs_by_encoding(member: &str, key: &str) -> bool {
    let differing = member.bytes().zip(key.bytes()).find(|(theirs, ours)| theirs != ours);
    differing.is_some_and(|(theirs, _)| theirs == b'%')
}

/// Sentry's members without those called one of `keys`; the others stay as they are and in order.
///
/// ```
/// use sentrace_protocol::baggage::without;
///
/// let context = "sentry-transaction=GET%20%2F,sentry-sampled=true";
/// assert_eq!(without(context, &["transaction"]), "sentry-sampled=true");
/// ```
pub fn without(members: &str, keys: &[&str]) -> String {
    let mut kept = String::with_capacity(members.len());
    for member in scan::members(members).filter(|member| !member.is_empty() && !is_called(member, keys)) {
        push_member(&mut kept, member);
    }
    kept
}

/// Whether it is a member of Sentry's with one of these keys, given without their prefix.
pub fn is_called(member: &str, keys: &[&str]) -> bool {
    let key = trim(member).strip_prefix(PREFIX).and_then(split_key).and_then(|(key, _)| decode(key));
    key.is_some_and(|key| keys.contains(&&*key))
}

/// What a context may do without, and goes first where there is little room.
const OPTIONAL: [&[&str]; 2] = [&["transaction"], &["transaction", "release"]];

/// Sentry's members within these limits: all of them, or else without `transaction`, or else without `release`, too.
/// `None` where even that is too much: half of a sampling context is worse than none.
///
/// ```
/// use sentrace_protocol::baggage::fit;
///
/// let context = "sentry-release=a,sentry-transaction=b,sentry-sampled=true";
/// assert_eq!(fit(context, 40, 64).as_deref(), Some("sentry-release=a,sentry-sampled=true"));
/// assert_eq!(fit(context, 20, 64).as_deref(), Some("sentry-sampled=true"));
/// assert_eq!(fit(context, 10, 64), None);
/// ```
pub fn fit(members: &str, max_bytes: usize, max_members: usize) -> Option<Cow<'_, str>> {
    let fits = |members: &str| {
        let count = || scan::members(members).count();
        members.is_empty() || (members.len() <= max_bytes && count() <= max_members)
    };
    if fits(members) {
        return Some(Cow::Borrowed(members));
    }
    OPTIONAL.iter().map(|keys| without(members, keys)).find(|fewer| fits(fewer)).map(Cow::Owned)
}

/// [`copy_sentry_members`], leaving out what a context may do without where the limits would cost it something else:
/// `transaction` first, then `release`. Returns how many of the others could not be used.
pub fn copy_sentry_members_within_limits<'a>(
    fields: impl Iterator<Item = &'a [u8]> + Clone,
    into: &mut String,
) -> usize {
    let before = into.len();
    let mut unusable = copy_sentry_members(fields.clone(), into);
    for keys in OPTIONAL {
        if unusable == 0 {
            break;
        }
        let mut fewer = String::new();
        for field in fields.clone() {
            each_member(field, |member| {
                if member.starts_with(PREFIX) && !is_called(member, keys) {
                    push_member(&mut fewer, member);
                }
            });
        }
        let mut needed = into[..before].to_owned();
        let others = copy_sentry_members(std::iter::once(fewer.as_bytes()), &mut needed);
        if others < unusable {
            unusable = others;
            *into = needed;
        }
    }
    unusable
}

/// Sentry's members: keys without their prefix, and values without properties, both still percent-encoded.
pub(crate) fn sentry_members(baggage: &str) -> impl Iterator<Item = (&str, &str)> {
    scan::members(baggage).filter_map(|member| {
        let (key, value) = split_key(member.strip_prefix(PREFIX)?)?;
        Some((key, without_properties(value)))
    })
}

/// Key and the rest of a member without its prefix. As in [`member`]: blanks may stand before the `=`, and those behind the
/// prefix belong to the key.
fn split_key(member: &str) -> Option<(&str, &str)> {
    let (key, value) = member.split_at_checked(scan::find(b'=', member.as_bytes())?)?;
    Some((key.trim_end_matches([' ', '\t']), &value[1..]))
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
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
/// [`MAX_MEMBERS`], `ours` goes without what it can do without, or is left out as a whole ([`fit`]): what the
/// application has set itself goes first. Members that are not UTF-8, which no `baggage` may have, are
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
    let bytes = merged.len() + usize::from(!merged.is_empty());
    let ours = fit(ours, MAX_BYTES.saturating_sub(bytes), MAX_MEMBERS.saturating_sub(members));
    if let Some(ours) = ours.filter(|ours| !ours.is_empty()) {
        push_member(&mut merged, &ours);
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

/// The field as text, where it is printable without blanks and leaves room for all of it. Nearly every field is so,
/// and then its members need not be looked at one by one.
fn plain(field: &[u8], bytes_before: usize) -> Option<&str> {
    let fits = bytes_before + 1 + field.len() <= MAX_BYTES;
    if fits && all_within(field, b'!'..=b'~') { std::str::from_utf8(field).ok() } else { None }
}

/// Copies up to `room` of Sentry's members of a plain field, those side by side at once. Returns how many, and how
/// many could not be used.
fn copy_runs(field: &str, room: usize, into: &mut String) -> (usize, usize) {
    let bytes = field.as_bytes();
    let (mut copied, mut unusable) = (0, 0);
    let mut run = 0..0;
    let mut rest = bytes;
    loop {
        let start = bytes.len() - rest.len();
        let (member, behind) = match scan::find(b',', rest) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        if member.starts_with(PREFIX.as_bytes()) {
            if copied < room && scan::find(b'=', &member[PREFIX.len()..]).is_some() {
                copied += 1;
                if run.is_empty() || run.end + 1 != start {
                    push_run(into, &field[run]);
                    run = start..start;
                }
                run.end = start + member.len();
            } else {
                unusable += 1;
            }
        }
        match behind {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    push_run(into, &field[run]);
    (copied, unusable)
}

fn push_run(into: &mut String, run: &str) {
    if !run.is_empty() {
        push_member(into, run);
    }
}

fn is_sentry(member: &str) -> bool {
    member.starts_with(PREFIX) && scan::find(b'=', member.as_bytes()).is_some()
}

/// Whether there is nothing but printable ASCII, blanks and tabs: both of the latter may stand around `=` and `;` (W3C
/// Baggage, *Header Content*).
fn is_readable(member: &str) -> bool {
    member.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
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
