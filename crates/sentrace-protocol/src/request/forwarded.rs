//! What proxies say about the request that they pass on: `Forwarded` (RFC 7239), `X-Forwarded-For`, `-Proto`, `-Host` and
//! `-Port`.
//!
//! Each proxy writes at the right end. Everything further left may be the client's own text, so all lists are read from the
//! right: a quote that a client leaves open, or a comma, reaches no further than its own words. Values come from outside;
//! what has not the form of an address, a scheme, a host or a port is as good as absent.
//!
//! ```
//! use sentrace_protocol::forwarded::{self, Element};
//!
//! let lines: [&[u8]; 2] = [b"for=6.6.6.6;proto=ftp", b"for=192.0.2.60;proto=https;host=shop.example, for=10.0.0.2"];
//! let mut elements = forwarded::elements(lines.into_iter().rev()).flatten();
//! assert_eq!(elements.next().and_then(Element::client), "10.0.0.2".parse().ok());
//! let outer = elements.next().unwrap();
//! assert_eq!((outer.client(), outer.scheme(), outer.host()), ("192.0.2.60".parse().ok(), Some("https"), Some("shop.example")));
//! ```

use std::net::IpAddr;

/// The longest host that is taken over, in bytes.
pub const MAX_HOST: usize = 256;

/// Returns the members of a list header (`X-Forwarded-For`), from the right. `lines` are its fields, the last first; a field
/// that is not text is one member, `None`.
pub fn members<'a, L: Iterator<Item = &'a [u8]>>(lines: L) -> Members<'a, L> {
    Members { lines, rest: None, quoting: false }
}

/// Returns the elements of `Forwarded`, from the right, as [`members`] does.
pub fn elements<'a, L: Iterator<Item = &'a [u8]>>(
    lines: L,
) -> impl Iterator<Item = Option<Element<'a>>> + use<'a, L> {
    Members { lines, rest: None, quoting: true }.map(|member| member.map(Element))
}

/// The members of a list header; see [`members`].
#[derive(Debug, Clone)]
pub struct Members<'a, L> {
    lines: L,
    /// What is left of the current field.
    rest: Option<&'a str>,
    quoting: bool,
}

impl<'a, L: Iterator<Item = &'a [u8]>> Iterator for Members<'a, L> {
    type Item = Option<&'a str>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = match self.rest.take() {
            Some(rest) => rest,
            None => match text(self.lines.next()?) {
                Some(line) => line,
                None => return Some(None),
            },
        };
        let (before, last) = split_last(rest, self.quoting);
        self.rest = before;
        Some(Some(last.trim_matches([' ', '\t'])))
    }
}

/// What fields are read that are text, as `HeaderValue::to_str` decides it.
fn text(line: &[u8]) -> Option<&str> {
    let is_text = line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    std::str::from_utf8(line).ok().filter(|_| is_text)
}

/// The text before the last comma, if there is one, and the text behind it. A comma in quotes is none.
fn split_last(text: &str, quoting: bool) -> (Option<&str>, &str) {
    let bytes = text.as_bytes();
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate().rev() {
        match byte {
            b'"' if quoting && !is_escaped(&bytes[..at]) => quoted = !quoted,
            b',' if !quoted => return (text.get(..at), text.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
    }
    (None, text)
}

/// Whether a byte behind these is escaped by a backslash.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// What one proxy has written into `Forwarded`: `for=192.0.2.60;proto=https;host=shop.example;by=10.0.0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a>(&'a str);

impl<'a> Element<'a> {
    /// The address of the proxy's client. `None` for `unknown` and obfuscated names, too.
    pub fn client(self) -> Option<IpAddr> {
        address(self.parameter("for")?)
    }

    /// The address at which the proxy got the request (`by`).
    pub fn proxy(self) -> Option<IpAddr> {
        address(self.parameter("by")?)
    }

    /// The scheme with which the proxy's client asked; see [`scheme`].
    pub fn scheme(self) -> Option<&'static str> {
        scheme(self.parameter("proto")?)
    }

    /// The host that the proxy's client asked for; see [`host`].
    pub fn host(self) -> Option<&'a str> {
        host(self.parameter("host")?)
    }

    /// The value of a parameter, without its quotes. `None` if there are two of them, which leaves open what is meant, or
    /// if the element is not well-formed up to its end. Values with escapes have none of the forms that are read.
    fn parameter(self, name: &str) -> Option<&'a str> {
        let mut found = None;
        let mut rest = self.0;
        loop {
            let (key, value, after) = pair(rest)?;
            if key.eq_ignore_ascii_case(name) && found.replace(value).is_some() {
                return None;
            }
            match after {
                Some(after) => rest = after,
                None => return found,
            }
        }
    }
}

/// The first `name=value` of an element, and what follows its semicolon. An empty pair is skipped with its semicolon.
fn pair(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let text = text.trim_start_matches([' ', '\t']);
    let at = text.find(['=', ';']);
    let (key, value) = match at.map(|at| (at, text.as_bytes()[at])) {
        Some((at, b'=')) => (&text[..at], text[at + 1..].trim_start_matches([' ', '\t'])),
        // A name without value, or nothing at all, says nothing.
        Some((at, _)) => return Some(("", "", text.get(at + 1..))),
        None => return Some(("", "", None)),
    };
    let key = key.trim_end_matches([' ', '\t']);
    if let Some(quoted) = value.strip_prefix('"') {
        let bytes = quoted.as_bytes();
        let end = (0..bytes.len()).find(|end| bytes[*end] == b'"' && !is_escaped(&bytes[..*end]))?;
        let after = quoted[end + 1..].trim_start_matches([' ', '\t']);
        let after = if after.is_empty() { None } else { Some(after.strip_prefix(';')?) };
        return Some((key, &quoted[..end], after));
    }
    let (value, after) = match value.split_once(';') {
        Some((value, after)) => (value, Some(after)),
        None => (value, None),
    };
    (!value.contains('"')).then(|| (key, value.trim_end_matches([' ', '\t']), after))
}

/// Reads an address as proxies write it: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
#[must_use]
pub fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let address = address.parse().ok().map(IpAddr::V6)?;
        return (port.is_empty() || is_node_port(port.strip_prefix(':')?)).then_some(address);
    }
    text.parse().ok().or_else(|| {
        let (address, port) = text.split_once(':')?;
        is_node_port(port).then(|| address.parse().ok().map(IpAddr::V4))?
    })
}

/// RFC 7239 lets a port be obfuscated: `_gazonk`.
fn is_node_port(text: &str) -> bool {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits || text.strip_prefix('_').is_some_and(|name| !name.is_empty())
}

/// Reads a scheme: `http` or `https`, in any case. Proxies say `ws` and `wss` for those of a WebSocket.
#[must_use]
pub fn scheme(text: &str) -> Option<&'static str> {
    let known = [("http", "http"), ("https", "https"), ("ws", "http"), ("wss", "https")];
    known.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, scheme)| scheme)
}

/// Reads a host with or without a port: a name, an IPv4 address, or an IPv6 address in brackets. At most [`MAX_HOST`] bytes.
#[must_use]
pub fn host(text: &str) -> Option<&str> {
    let (name, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, after) = bracketed.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (address, after)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_name = !name.is_empty()
        && (text.starts_with('[')
            || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')));
    let has_port = |port: &str| port.strip_prefix(':').is_some_and(|port| self::port(port).is_some());
    (is_name && text.len() <= MAX_HOST && (port.is_empty() || has_port(port))).then_some(text)
}

/// Reads a port, from 1 to 65535.
#[must_use]
pub fn port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_from_the_right() {
        type Row<'a> = (&'a [&'a str], &'a [Option<&'a str>], &'a str);
        let rows: [Row<'_>; 7] = [
            (&["a, b", "c"], &[Some("c"), Some("b"), Some("a")], "fields are one list"),
            (&[" a\t,\tb "], &[Some("b"), Some("a")], "blanks do not count"),
            (&[""], &[Some("")], "an empty field is an empty member"),
            (&["a,"], &[Some(""), Some("a")], "an empty member"),
            (&["a, \u{e9}"], &[None], "what is not text is one member"),
            (&["\u{e9}", "a"], &[Some("a"), None], "and does not hide the others"),
            (&[], &[], "no field"),
        ];
        for (lines, expected, reason) in rows {
            let lines = lines.iter().rev().map(|line| line.as_bytes());
            assert_eq!(members(lines).collect::<Vec<_>>(), expected, "{reason}");
        }
    }

    #[test]
    fn parameters_of_an_element_are_what_the_grammar_says() {
        let rows = [
            (
                "for=192.0.2.1;proto=https;host=shop.example;by=10.0.0.1",
                "192.0.2.1 https shop.example 10.0.0.1",
            ),
            ("HOST=shop.example ; Proto=HTTP", "- http shop.example -"),
            ("host=\"shop.example:8443\";for=\"[2001:db8::1]:80\"", "2001:db8::1 - shop.example:8443 -"),
            ("x=\"a;host=evil.test\";host=shop.example", "- - shop.example -"),
            ("x=\"a\\\";host=evil.test\";host=shop.example", "- - shop.example -"),
            ("host=\"shop\\.example\"", "- - - -"),
            ("host=a;host=b;proto=https", "- https - -"),
            ("host=\"shop.example", "- - - -"),
            ("host=\"a\"b;proto=https", "- - - -"),
            ("host;proto=https;;", "- https - -"),
            ("host=user@shop.example;proto=ftp", "- - - -"),
            ("for=unknown;by=_proxy;proto=wss", "- https - -"),
            ("", "- - - -"),
        ];
        for (text, expected) in rows {
            let element = Element(text);
            let shown = |value: Option<String>| value.unwrap_or_else(|| "-".into());
            let [client, proxy] =
                [element.client(), element.proxy()].map(|ip| shown(ip.map(|ip| ip.to_string())));
            let [scheme, host] =
                [element.scheme(), element.host()].map(|text| shown(text.map(str::to_owned)));
            assert_eq!(format!("{client} {scheme} {host} {proxy}"), expected, "{text}");
        }
    }

    #[test]
    fn hosts_and_ports_have_their_forms() {
        for good in
            ["shop.example", "shop.example:8443", "127.0.0.1", "[::1]", "[::1]:80", "a_b", "localhost", "a."]
        {
            assert_eq!(host(good), Some(good));
        }
        let long = "a".repeat(MAX_HOST + 1);
        for bad in [
            "",
            ":80",
            "shop.example:",
            "shop.example:0",
            "shop.example:65536",
            "shop.example:+1",
            "a b",
            "a/b",
            "user@shop.example",
            "a?b",
            "a#b",
            "a\\b",
            "::1",
            "[::1",
            "[::1]80",
            "[x]",
            "[]",
            "a,b",
            "<a>",
            &long,
        ] {
            assert_eq!(host(bad), None, "{bad:?}");
        }
        assert_eq!(
            (port("443"), port("0"), port("+443"), port("65536"), port("")),
            (Some(443), None, None, None, None)
        );
    }

    #[test]
    fn a_field_of_quotes_and_backslashes_is_read_in_linear_time() {
        for text in
            ["\",".repeat(100_000), "\\\"".repeat(100_000), ";".repeat(100_000), "a=\"\\".repeat(100_000)]
        {
            for element in elements(std::iter::once(text.as_bytes())).take(16).flatten() {
                assert_eq!(element.host(), None);
            }
        }
    }
}
