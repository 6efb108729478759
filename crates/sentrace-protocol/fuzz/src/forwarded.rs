//! `Forwarded` and `X-Forwarded-*`: read from the right as a plain reading from the left finds it, and nothing that a client has
//! written changes what its proxy has.

use std::net::{IpAddr, SocketAddr};

use arbitrary::Unstructured;
use sentrace_protocol::forwarded::{self, Element};

use crate::input::fields;

/// Reads the lines of the input as both kinds of header, and the whole of it as a value; then builds what a proxy writes and
/// puts the input before it.
pub fn check(data: &[u8]) {
    let lines = fields(data);
    check_members(&lines);
    check_elements(&lines);
    if let Ok(text) = std::str::from_utf8(data) {
        check_value(text);
    }
    let _ = check_built(&mut Unstructured::new(data));
}

fn reversed(lines: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    lines.iter().rev().map(Vec::as_slice)
}

fn check_members(lines: &[Vec<u8>]) {
    let read: Vec<Option<&str>> = forwarded::members(reversed(lines)).collect();
    let mut plain = Vec::new();
    for line in lines {
        match text(line) {
            Some(line) => plain.extend(line.split(',').map(|member| Some(member.trim_matches([' ', '\t'])))),
            None => plain.push(None),
        }
    }
    plain.reverse();
    assert_eq!(read, plain);
    read.into_iter().flatten().for_each(check_value);
}

fn check_elements(lines: &[Vec<u8>]) {
    for line in lines {
        let read: Vec<_> =
            forwarded::elements(std::iter::once(line.as_slice())).map(|read| read.map(shown)).collect();
        let Some(line) = text(line) else {
            assert_eq!(read, [None]);
            continue;
        };
        if let Some(mut plain) = Reader(line).list() {
            plain.reverse();
            let plain: Vec<_> = plain.into_iter().map(Some).collect();
            assert_eq!(read, plain, "{line}");
        }
    }
    let count: usize =
        lines.iter().map(|line| forwarded::elements(std::iter::once(line.as_slice())).count()).sum();
    assert_eq!(forwarded::elements(reversed(lines)).count(), count, "fields are one list");
}

type Shown = (Option<IpAddr>, Option<IpAddr>, Option<&'static str>, Option<String>);

fn shown(element: Element<'_>) -> Shown {
    (element.client(), element.proxy(), element.scheme(), element.host().map(str::to_owned))
}

fn check_value(text: &str) {
    if let Some(host) = forwarded::host(text) {
        let authority: http::uri::Authority = host.parse().expect("a host is an authority");
        assert!(!host.contains('@') && host.len() <= forwarded::MAX_HOST && host == text);
        let port = host.strip_prefix(authority.host()).expect("a host begins with its name");
        assert!(port.is_empty() || authority.port_u16().is_some_and(|port| port != 0), "{host}");
    }
    if let Some(port) = forwarded::port(text) {
        assert_eq!(text.trim_start_matches('0'), port.to_string());
    }
    let plain = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    if let Some(plain) = plain
        && !text.contains('%')
        && text.rsplit(':').next().is_none_or(|port| port.len() <= 5)
    {
        assert_eq!(forwarded::address(text), Some(plain), "{text}");
    }
    if forwarded::scheme(text).is_some() {
        assert!(["http", "https", "ws", "wss"].contains(&&*text.to_ascii_lowercase()));
    }
}

fn check_built(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let address = IpAddr::from(input.arbitrary::<[u8; 16]>()?);
    let port: u16 = input.arbitrary()?;
    let element =
        format!("for=\"[{address}]:{port}\";proto=https;host=\"shop.example:{}\";by=_it", port.max(1));
    let noise = format!(";x=\"{}\"", if input.arbitrary()? { "a, b" } else { "\\\",\\\\" });
    let element = element + if input.arbitrary()? { &noise } else { "" };
    let expected = (Some(address), None, Some("https"), Some(format!("shop.example:{}", port.max(1))));
    let rest = input.bytes(input.len())?;
    let client: String =
        rest.iter().map(|byte| char::from(*byte)).filter(|c| matches!(c, ' '..='~' | '\t')).collect();
    let line = format!("{client}, {element}");
    let nearest = forwarded::elements(std::iter::once(line.as_bytes())).next().flatten();
    assert_eq!(nearest.map(shown), Some(expected), "{line}");
    let list = format!("{client}, {address}");
    let nearest = forwarded::members(std::iter::once(list.as_bytes())).next().flatten();
    assert_eq!(nearest.and_then(forwarded::address), Some(address), "{list}");
    Ok(())
}

fn text(line: &[u8]) -> Option<&str> {
    let is_text = line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    std::str::from_utf8(line).ok().filter(|_| is_text)
}

/// Exactly RFC 7239's grammar, from the left, with blanks around its signs and empty pairs. What does not follow it to its
/// end is not compared.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn list(mut self) -> Option<Vec<Shown>> {
        let mut elements = vec![self.element()?];
        while self.take(',') {
            elements.push(self.element()?);
        }
        self.0.is_empty().then_some(elements)
    }

    fn element(&mut self) -> Option<Shown> {
        let mut pairs = Vec::new();
        loop {
            self.blanks();
            let name = self.token();
            self.blanks();
            if !name.is_empty() && self.take('=') {
                self.blanks();
                let value = self.value()?;
                self.blanks();
                pairs.push((name.to_ascii_lowercase(), value));
            } else if !name.is_empty() {
                return None;
            }
            if !self.take(';') {
                break;
            }
        }
        let value = |name: &str| {
            let mut found = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
            let value = found.next()?;
            found.next().is_none().then_some(value)
        };
        Some((
            value("for").and_then(forwarded::address),
            value("by").and_then(forwarded::address),
            value("proto").and_then(forwarded::scheme),
            value("host").and_then(forwarded::host).map(str::to_owned),
        ))
    }

    /// A quoted value keeps its escapes, of which no form that is read has any.
    fn value(&mut self) -> Option<String> {
        if !self.take('"') {
            return Some(self.node().to_owned());
        }
        let mut value = String::new();
        loop {
            let next = self.0.chars().next()?;
            self.0 = &self.0[next.len_utf8()..];
            match next {
                '"' => return Some(value),
                '\\' => {
                    let escaped = self.0.chars().next()?;
                    self.0 = &self.0[escaped.len_utf8()..];
                    value.extend(['\\', escaped]);
                }
                other => value.push(other),
            }
        }
    }

    fn token(&mut self) -> &'a str {
        self.while_is(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    }

    /// As proxies write it: a token, or an address whose colons and brackets should have been quoted.
    fn node(&mut self) -> &'a str {
        self.while_is(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:[]".contains(c))
    }

    fn blanks(&mut self) {
        self.while_is(|c| matches!(c, ' ' | '\t'));
    }

    fn while_is(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn take(&mut self, sign: char) -> bool {
        let rest = self.0.strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}
