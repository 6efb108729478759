//! The host that a URL names, in the form in which clients connect to it.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;

/// A host in its one canonical form: two hosts are the same if and only if these are equal.
///
/// ```
/// use sentrace_protocol::url::Host;
///
/// assert_eq!(Host::parse("BÜCHER.example."), Host::parse("xn--bcher-kva.example"));
/// assert_eq!(Host::parse("0x7f.1"), Host::parse("127.0.0.1"));
/// assert_eq!(Host::parse("[0:0::1]"), Host::parse("[::1]"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name in ASCII and lower case, without the dot of the root; international names as `xn--…`.
    Name(Cow<'a, str>),
    /// An address, however it was written. IPv4 addresses inside IPv6 (`[::ffff:127.0.0.1]`) are IPv4 addresses, since
    /// that is what is connected to.
    Address(IpAddr),
}

impl<'a> Host<'a> {
    /// The host of a URL, without its port; an IPv6 address in brackets. `None` if no client can connect to that.
    ///
    /// As in browsers and resolvers, what ends in a number is an IPv4 address as a whole or nothing: `127.1` and
    /// `0x7f000001` are `127.0.0.1`, and `1.2.3.4.5` is not a host (WHATWG URL, *host parsing*). Names in other scripts are
    /// converted as the `url` crate does (UTS 46). Addresses with a zone (`[fe80::1%eth0]`) are not understood by all
    /// clients and refused.
    pub fn parse(host: &'a str) -> Option<Self> {
        if let Some(literal) = host.strip_prefix('[') {
            let address: Ipv6Addr = literal.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(address.to_canonical()));
        }
        if host.is_ascii() {
            return Self::from_ascii(Cow::Borrowed(host));
        }
        Self::from_ascii(to_ascii(host)?)
    }

    fn from_ascii(host: Cow<'a, str>) -> Option<Self> {
        let trimmed = host.strip_suffix('.').unwrap_or(&host);
        if trimmed.is_empty() || trimmed.ends_with('.') || trimmed.bytes().any(|byte| !is_name(byte)) {
            return None;
        }
        if ends_in_number(trimmed) {
            return parse_ipv4(trimmed).map(|address| Self::Address(IpAddr::V4(address)));
        }
        let is_canonical = trimmed.len() == host.len() && !host.bytes().any(|byte| byte.is_ascii_uppercase());
        Some(Self::Name(if is_canonical { host } else { Cow::Owned(trimmed.to_ascii_lowercase()) }))
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Name(_) => None,
        }
    }
}

/// Names in other scripts are rare, and the tables for them large.
#[cold]
#[inline(never)]
fn to_ascii(host: &str) -> Option<Cow<'_, str>> {
    idna::domain_to_ascii_cow(host.as_bytes(), AsciiDenyList::URL).ok()
}

pub(super) fn is_ip_literal(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|literal| literal.strip_suffix(']'));
    address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// Whether a name can have this character, by the rules of browsers; DNS itself allows more.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'#'
                | b'%'
                | b'/'
                | b':'
                | b'<'
                | b'>'
                | b'?'
                | b'@'
                | b'['
                | b'\\'
                | b']'
                | b'^'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
        )
}

fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    // Nearly all names end in a letter.
    last.starts_with(|first: char| first.is_ascii_digit())
        && (last.bytes().all(|byte| byte.is_ascii_digit()) || parse_number(last).is_some())
}

/// One to four numbers, the last of which fills the bytes that are left.
fn parse_ipv4(host: &str) -> Option<Ipv4Addr> {
    let parts = host.split('.').count();
    let mut address = 0_u32;
    for (index, part) in host.split('.').enumerate() {
        let number = parse_number(part)?;
        if index + 1 == parts {
            let bytes = 4_u32.checked_sub(u32::try_from(index).ok()?)?;
            let fits = u64::from(number) < 1_u64 << (8 * bytes);
            return fits.then(|| Ipv4Addr::from_bits(address | number));
        }
        let shift = 24_u32.checked_sub(8 * u32::try_from(index).ok()?)?;
        address |= u32::from(u8::try_from(number).ok()?) << shift;
    }
    None
}

/// Decimal, octal after `0`, hexadecimal after `0x`, where nothing stands for zero.
fn parse_number(part: &str) -> Option<u32> {
    let (digits, radix) = match part.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&part[2..], 16),
        [b'0', _, ..] => (&part[1..], 8),
        _ => (part, 10),
    };
    if digits.is_empty() {
        return (radix == 16).then_some(0);
    }
    // `from_str_radix` takes a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}
