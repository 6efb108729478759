//! Where the parts of a URL begin and end, decided in one place.
//!
//! The allowlist, the redactor and the recorder all ask this module, so they cannot disagree. Parsers of HTTP clients
//! do disagree about odd URLs: `http::Uri` (hyper, tonic) follows RFC 3986, the `url` crate (reqwest) follows the WHATWG
//! rules of browsers. A URL whose host depends on the reader has no [host](UrlRef::host) here, so nothing is sent to it
//! by mistake. `fuzz/src/url.rs` compares this module with both parsers.

use std::ops::Range;

pub use self::host::Host;
use self::host::is_ip_literal;

mod host;
#[cfg(test)]
mod tests;

/// A URL taken apart, without allocating.
///
/// Any text can be parsed. Parts that it does not have are empty or `None`.
///
/// ```
/// use sentrace_protocol::url::UrlRef;
///
/// let url = UrlRef::parse("https://me:hush@example.com:8443/pay?next=/#top");
/// assert_eq!((url.scheme(), url.userinfo()), ("https", Some("me:hush")));
/// assert_eq!((url.host(), url.port()), (Some("example.com"), Some(8443)));
/// assert_eq!((url.path(), url.query(), url.fragment()), ("/pay", Some("next=/"), Some("top")));
///
/// // hyper connects to `evil.test`, other readers to `inside.test`.
/// assert_eq!(UrlRef::parse("http://evil.test:[::1].inside.test/").host(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlRef<'a> {
    scheme: &'a str,
    userinfo: Option<&'a str>,
    host: Option<&'a str>,
    port: Option<u16>,
    has_authority: bool,
    /// What follows the userinfo, or the scheme's colon, or everything.
    behind_userinfo: &'a str,
    /// Path, query and fragment.
    tail: &'a str,
}

impl<'a> UrlRef<'a> {
    /// Takes `url` apart.
    #[inline]
    pub fn parse(url: &'a str) -> Self {
        let (scheme, rest) = split_scheme(url);
        let Some(rest) = rest.strip_prefix("//") else {
            return Self {
                scheme,
                userinfo: None,
                host: None,
                port: None,
                has_authority: false,
                behind_userinfo: rest,
                tail: rest,
            };
        };
        let Authority { start, end, host } = Authority::scan(rest);
        let (host, port) = host.map_or((None, None), |(host, port)| (Some(host), port));
        Self {
            scheme,
            userinfo: start.checked_sub(1).map(|at| &rest[..at]),
            host,
            port,
            has_authority: true,
            behind_userinfo: &rest[start..],
            tail: &rest[end..],
        }
    }

    /// What stands before `://`, as written (`HTTP` stays `HTTP`); empty if there is none.
    #[inline]
    pub fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// Name and password before the host's `@`, as written.
    pub fn userinfo(&self) -> Option<&'a str> {
        self.userinfo
    }

    /// The host as written, IPv6 in brackets; `None` if there is none or if readers disagree about it.
    ///
    /// See [`Host::parse`] for the form in which two hosts can be compared.
    #[inline]
    pub fn host(&self) -> Option<&'a str> {
        self.host
    }

    /// The port, if one is written.
    #[inline]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port, or the one that the scheme implies: 80 for `http` and `ws`, 443 for `https` and `wss`.
    #[inline]
    pub fn port_or_default(&self) -> Option<u16> {
        self.port.or_else(|| default_port(self.scheme))
    }

    /// `true` if there is an authority, but not one that all readers understand in the same way.
    pub fn is_ambiguous(&self) -> bool {
        self.has_authority && self.host.is_none()
    }

    /// The path as written, possibly empty.
    pub fn path(&self) -> &'a str {
        without_query(self.tail)
    }

    /// What follows the first `?`, up to the fragment.
    pub fn query(&self) -> Option<&'a str> {
        let url = self.tail.split_once('#').map_or(self.tail, |(url, _)| url);
        url.split_once('?').map(|(_, query)| query)
    }

    /// What follows the first `#`.
    pub fn fragment(&self) -> Option<&'a str> {
        self.tail.split_once('#').map(|(_, fragment)| fragment)
    }

    /// Host, port and path as they stand in the URL: what follows the userinfo, up to query and fragment.
    ///
    /// ```
    /// # use sentrace_protocol::url::UrlRef;
    /// assert_eq!(UrlRef::parse("http://me@example.com:80/a?b").host_to_path(), "example.com:80/a");
    /// ```
    pub fn host_to_path(&self) -> &'a str {
        without_query(self.behind_userinfo)
    }
}

/// The port that a scheme implies: 80 for `http` and `ws`, 443 for `https` and `wss`, in any case.
#[inline]
pub fn default_port(scheme: &str) -> Option<u16> {
    // Nearly always in lower case, which needs no more than one comparison.
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("ws") => Some(80),
        _ if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss") => Some(443),
        _ => None,
    }
}

/// Splits `host[:port]`, as it stands in a `Host` header; `None` if it is not that, or if readers disagree about it.
///
/// ```
/// use sentrace_protocol::url::split_host_port;
///
/// assert_eq!(split_host_port("example.com:8443"), Some(("example.com", Some(8443))));
/// assert_eq!(split_host_port("[::1]"), Some(("[::1]", None)));
/// assert_eq!(split_host_port("me@example.com"), None);
/// ```
pub fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let Authority { start, end, host } = Authority::scan(text);
    host.filter(|_| start == 0 && end == text.len())
}

/// Returns what the `Host` header says, if there is one that all readers understand in the same way; see [`split_host_port`].
///
/// ```
/// use sentrace_protocol::url::host_header;
///
/// let headers = http::HeaderMap::from_iter([(http::header::HOST, "example.com:8443".parse().unwrap())]);
/// assert_eq!(host_header(&headers), Some("example.com:8443"));
/// ```
#[cfg(feature = "http")]
pub fn host_header(headers: &http::HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(http::header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?.trim();
    // Two that differ are an attempt to be taken for another host.
    if hosts.any(|other| other.as_bytes() != host.as_bytes()) {
        return None;
    }
    split_host_port(host).map(|_| host)
}

/// Where credentials may stand in `url`, by any reading: before the last `@` of the authority.
///
/// A password that should have been percent-encoded can end the authority too early. It is found if what then stands in
/// the place of the port is not a number, as in `postgres://me:pa/ss@db`.
///
/// ```
/// use sentrace_protocol::url::credentials;
///
/// assert_eq!(credentials("redis://:hush@cache/0"), Some(8..13));
/// assert_eq!(credentials("https://example.com/@me"), None);
/// ```
pub fn credentials(url: &str) -> Option<Range<usize>> {
    let start = authority_start(url)?;
    let rest = &url[start..];
    // For RFC 3986 a backslash does not end the authority, for browsers it does: the longer reading hides more.
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let at = authority.rfind('@').or_else(|| {
        let (_, port) = authority.rsplit_once(':')?;
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) || port.ends_with(']');
        if is_port { None } else { rest.rfind('@') }
    })?;
    Some(start..start + at)
}

/// Where the authority begins for the most lenient reader.
pub(crate) fn authority_start(url: &str) -> Option<usize> {
    const SPECIAL: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];
    /// Browsers drop them wherever they are.
    const DROPPED: [char; 3] = ['\t', '\n', '\r'];

    let slash = url.find(['/', '\\']).unwrap_or(url.len());
    let before = url[..slash].trim_end_matches(DROPPED);
    let behind = url[slash..].trim_start_matches(['/', '\\', '\t', '\n', '\r']);
    let mut slashes =
        url[slash..url.len() - behind.len()].char_indices().filter(|(_, c)| !DROPPED.contains(c));
    let special = before.split_once(':').filter(|(scheme, _)| {
        let scheme = scheme.trim_start_matches(|c| c <= ' ').replace(DROPPED, "");
        SPECIAL.iter().any(|special| scheme.eq_ignore_ascii_case(special))
    });
    if let Some((scheme, rest)) = special {
        // Browsers accept any number of slashes here, even none.
        return Some(if rest.is_empty() { url.len() - behind.len() } else { scheme.len() + 1 });
    }
    let second = slashes.nth(1).map(|(at, _)| slash + at + 1)?;
    if before.is_empty() {
        return Some(url.len() - behind.len());
    }
    // It must not be stricter than any reader: the `http` crate takes `h~ttp`, and JDBC has two schemes.
    (before.ends_with(':') && !before.contains(['?', '#'])).then_some(second)
}

/// The authority at the start of a text.
struct Authority<'a> {
    /// Behind the userinfo's `@`.
    start: usize,
    end: usize,
    /// Host and port, if all readers agree on them.
    host: Option<(&'a str, Option<u16>)>,
}

impl<'a> Authority<'a> {
    #[inline]
    fn scan(text: &'a str) -> Self {
        let (mut start, mut colon, mut end) = (0, None, text.len());
        // What stands in the host and cannot be there, and what no part of the authority can have.
        let (mut odd, mut broken) = (false, false);
        for (index, byte) in text.bytes().enumerate() {
            match CLASS[usize::from(byte)] {
                Class::Ordinary => {}
                Class::At => (start, colon, odd) = (index + 1, None, false),
                Class::Colon => odd |= colon.replace(index).is_some(),
                Class::End => {
                    end = index;
                    break;
                }
                Class::Odd => odd = true,
                Class::Broken => broken = true,
            }
        }
        let authority = &text[start..end];
        let host = if broken {
            None
        } else if odd {
            split_ip_literal(authority)
        } else {
            split_name(authority, colon.map(|colon| colon - start))
        };
        Self { start, end, host }
    }
}

#[derive(Clone, Copy)]
enum Class {
    Ordinary,
    At,
    Colon,
    End,
    /// Not in a name: delimiters, brackets, percent-encoding.
    Odd,
    /// Read in different ways wherever it is: browsers drop tabs and line breaks and take a backslash for a slash.
    Broken,
}

const CLASS: [Class; 256] = {
    let mut class = [Class::Ordinary; 256];
    let mut byte = 0;
    while byte < 128 {
        class[byte] = match byte as u8 {
            b'@' => Class::At,
            b':' => Class::Colon,
            b'/' | b'?' | b'#' => Class::End,
            0..=b' ' | b'\\' | 0x7f => Class::Broken,
            b'"' | b'%' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}' => Class::Odd,
            _ => Class::Ordinary,
        };
        byte += 1;
    }
    class
};

#[inline]
fn split_name(authority: &str, colon: Option<usize>) -> Option<(&str, Option<u16>)> {
    let (host, port) = match colon {
        Some(colon) => (&authority[..colon], parse_port(&authority[colon + 1..])?),
        None => (authority, None),
    };
    (!host.is_empty()).then_some((host, port))
}

#[cold]
fn split_ip_literal(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, behind) = authority.split_at(authority.find(']')? + 1);
    let port = match behind.strip_prefix(':') {
        Some(port) => parse_port(port)?,
        None if behind.is_empty() => None,
        None => return None,
    };
    is_ip_literal(host).then_some((host, port))
}

/// `Some(None)` for an empty port; `None` for what is not a port, which readers treat differently.
#[inline]
fn parse_port(digits: &str) -> Option<Option<u16>> {
    if digits.is_empty() {
        return Some(None);
    }
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok().map(Some) } else { None }
}

/// `scheme:` and what follows the colon, or nothing and everything.
#[inline]
fn split_scheme(url: &str) -> (&str, &str) {
    // Nearly all URLs begin so, and there is no call that is not judged.
    for scheme in ["http", "https"] {
        if let Some(rest) = url.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(':')) {
            return (&url[..scheme.len()], rest);
        }
    }
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let end = url.as_bytes().iter().take_while(|byte| is_scheme(byte)).count();
    let begins_with_letter = url.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    match url[end..].strip_prefix(':') {
        Some(rest) if begins_with_letter => (&url[..end], rest),
        _ => ("", url),
    }
}

fn without_query(url: &str) -> &str {
    let end = url.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    end.map_or(url, |end| &url[..end])
}
