//! The headers in which proxies name their client and the requested scheme and host.

use std::net::IpAddr;

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName, HeaderValue};
use sentrace_protocol::forwarded::{self, Element, address};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The header in which trusted proxies name the client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: one address per proxy, the nearest last.
    XForwardedFor,
    /// `Forwarded` (RFC 7239): the `for` of each element, the nearest last.
    Forwarded,
    /// `X-Real-IP`: one address, set by the nearest proxy.
    XRealIp,
    /// Another header with one address, such as `CF-Connecting-IP` or `Fly-Client-IP`.
    Other(HeaderName),
}

impl ForwardedHeader {
    /// Calls `read` with the client of each proxy, from the nearest on: an address, or `None` for anything else. At most `max`.
    pub(super) fn hops<R>(
        &self,
        headers: &HeaderMap,
        max: usize,
        read: impl FnOnce(&mut dyn Iterator<Item = Option<IpAddr>>) -> R,
    ) -> R {
        match self {
            Self::XForwardedFor => {
                let members = forwarded::members(lines(headers, &X_FORWARDED_FOR));
                read(&mut members.map(|member| address(member?)).take(max))
            }
            Self::Forwarded => {
                let elements = forwarded::elements(lines(headers, &FORWARDED));
                read(&mut elements.map(|element| element?.client()).take(max))
            }
            Self::XRealIp => read(&mut one(headers, &X_REAL_IP)),
            Self::Other(name) => read(&mut one(headers, name)),
        }
    }

    /// Returns what the client has requested from the proxy that is `hop` hops away, 0 being the nearest.
    pub(super) fn asked<'a>(&self, headers: &'a HeaderMap, hop: usize) -> Asked<'a> {
        let by_element = || Asked::in_forwarded(headers, hop);
        match self {
            Self::Forwarded => by_element(),
            // Some proxies that set none of these headers set the standard one instead.
            Self::XForwardedFor if !has_any(headers) => by_element(),
            _ => Asked::in_x_forwarded(headers, hop),
        }
    }
}

/// Scheme, host and port that a client has requested from a proxy, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    pub(crate) scheme: Option<&'static str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<u16>,
}

impl<'a> Asked<'a> {
    fn in_forwarded(headers: &'a HeaderMap, hop: usize) -> Self {
        let mut elements = forwarded::elements(lines(headers, &FORWARDED));
        let element = elements.nth(hop).flatten();
        Self { scheme: element.and_then(Element::scheme), host: element.and_then(Element::host), port: None }
    }

    fn in_x_forwarded(headers: &'a HeaderMap, hop: usize) -> Self {
        Self {
            scheme: member(headers, &X_FORWARDED_PROTO, hop).and_then(forwarded::scheme),
            host: member(headers, &X_FORWARDED_HOST, hop).and_then(forwarded::host),
            port: member(headers, &X_FORWARDED_PORT, hop).and_then(forwarded::port),
        }
    }
}

/// Returns the member that the proxy `hop` hops away has written. If a proxy replaces the header instead of extending it, there
/// are fewer members, and the last of them is returned.
fn member<'a>(headers: &'a HeaderMap, name: &HeaderName, hop: usize) -> Option<&'a str> {
    forwarded::members(lines(headers, name)).take(hop + 1).last()?
}

fn has_any(headers: &HeaderMap) -> bool {
    [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST, X_FORWARDED_PORT]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// Returns the address in the last field of a header.
fn one(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = Option<IpAddr>> {
    lines(headers, name).take(1).map(|line| address(std::str::from_utf8(line).ok()?))
}

/// Returns the fields of a header, the last one first.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    headers.get_all(name).into_iter().rev().map(HeaderValue::as_bytes)
}
