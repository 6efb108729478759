//! The header in which proxies say whom they serve, read from the right.

use std::iter::{Rev, Take};
use std::net::IpAddr;

use http::header::{FORWARDED, ValueIter};
use http::{HeaderMap, HeaderName, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The header in which trusted proxies say who the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses, one for each proxy, the nearest last.
    XForwardedFor,
    /// `Forwarded` (RFC 7239): the `for` of each element, the nearest last.
    Forwarded,
    /// `X-Real-IP`: one address, which the nearest proxy has set.
    XRealIp,
    /// Another header with one address, as `CF-Connecting-IP` and `Fly-Client-IP` are.
    Other(HeaderName),
}

/// What each proxy wrote, from the nearest on: an address, or `None` for something else.
pub(super) struct Hops<'a> {
    /// Lines of the header, the last first.
    lines: Take<Rev<ValueIter<'a, HeaderValue>>>,
    /// What is left of the current line.
    rest: Option<&'a str>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    List,
    Forwarded,
    One,
}

impl<'a> Hops<'a> {
    pub(super) fn of(headers: &'a HeaderMap, header: &ForwardedHeader) -> Self {
        let (name, kind) = match header {
            ForwardedHeader::XForwardedFor => (&X_FORWARDED_FOR, Kind::List),
            ForwardedHeader::Forwarded => (&FORWARDED, Kind::Forwarded),
            ForwardedHeader::XRealIp => (&X_REAL_IP, Kind::One),
            ForwardedHeader::Other(name) => (name, Kind::One),
        };
        let lines = headers.get_all(name).into_iter().rev();
        let taken = if matches!(kind, Kind::One) { 1 } else { usize::MAX };
        Self { lines: lines.take(taken), rest: None, kind }
    }
}

impl Iterator for Hops<'_> {
    type Item = Option<IpAddr>;

    fn next(&mut self) -> Option<Option<IpAddr>> {
        let rest = match self.rest.take() {
            Some(rest) => rest,
            // What is no text holds no address.
            None => match self.lines.next()?.to_str() {
                Ok(line) => line,
                Err(_) => return Some(None),
            },
        };
        Some(match self.kind {
            Kind::One => address(rest),
            Kind::List => {
                let (before, last) = split_last(rest, |_| false);
                self.rest = before;
                address(last)
            }
            Kind::Forwarded => {
                // From the right, so that a quote which a client left open reaches no further than its own words.
                let (before, last) = split_last(rest, |byte| byte == b'"');
                self.rest = before;
                forwarded_for(last)
            }
        })
    }
}

/// The text before the last comma, if there is one, and the text behind it. A comma between two bytes that `quotes` is
/// none.
fn split_last(text: &str, quotes: impl Fn(u8) -> bool) -> (Option<&str>, &str) {
    let mut quoted = false;
    for (at, byte) in text.bytes().enumerate().rev() {
        quoted ^= quotes(byte);
        if byte == b',' && !quoted {
            return (text.get(..at), text.get(at + 1..).unwrap_or_default());
        }
    }
    (None, text)
}

/// The `for` of one element: `for=192.0.2.60;proto=http`, `For="[2001:db8::17]:4711"`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let value = found.next()?;
    // Two of them leave open whom the proxy meant.
    if found.next().is_some() {
        return None;
    }
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    address(unquoted.unwrap_or(value))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let address = address.parse().ok().map(IpAddr::V6)?;
        return (port.is_empty() || is_port(port.strip_prefix(':')?)).then_some(address);
    }
    text.parse().ok().or_else(|| {
        let (address, port) = text.split_once(':')?;
        is_port(port).then(|| address.parse().ok().map(IpAddr::V4))?
    })
}

/// RFC 7239 lets a port be obfuscated: `_gazonk`.
fn is_port(text: &str) -> bool {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits || text.strip_prefix('_').is_some_and(|name| !name.is_empty())
}
