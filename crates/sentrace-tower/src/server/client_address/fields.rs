//! The headers in which proxies say whom they serve, and what was asked of them.

use std::net::IpAddr;

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName, HeaderValue};
use sentrace_protocol::forwarded::{self, Element, address};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
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

impl ForwardedHeader {
    /// What each proxy wrote of its client, from the nearest on: an address, or `None` for something else. At most `max`.
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

    /// What was asked of the proxy that is so many hops away, the nearest being 0: the one that the client has reached.
    pub(super) fn asked<'a>(&self, headers: &'a HeaderMap, hop: usize) -> Asked<'a> {
        let by_element = || Asked::in_forwarded(headers, hop);
        match self {
            Self::Forwarded => by_element(),
            // Of proxies that write nothing of the kind, some write the standard's header instead.
            Self::XForwardedFor if !says_anything(headers) => by_element(),
            _ => Asked::in_x_forwarded(headers, hop),
        }
    }
}

/// Scheme, host and port that a client has asked a proxy for, as far as it says.
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

/// The member that the proxy so many hops away has written. Proxies that replace a header instead of extending it leave fewer
/// members: then the furthest one is the outermost proxy's.
fn member<'a>(headers: &'a HeaderMap, name: &HeaderName, hop: usize) -> Option<&'a str> {
    forwarded::members(lines(headers, name)).take(hop + 1).last()?
}

fn says_anything(headers: &HeaderMap) -> bool {
    [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST, X_FORWARDED_PORT]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// The address in the last field of a header that has one.
fn one(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = Option<IpAddr>> {
    lines(headers, name).take(1).map(|line| address(std::str::from_utf8(line).ok()?))
}

/// The fields of a header, the last first.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    headers.get_all(name).into_iter().rev().map(HeaderValue::as_bytes)
}
