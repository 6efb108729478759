//! A URL that a request goes to, prepared for matching.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use sentrace_protocol::url::{Host, UrlRef};

/// An absolute URL whose host is the same for all parsers.
pub(super) struct Target<'a> {
    url: UrlRef<'a>,
    whole: &'a str,
    host: &'a str,
    /// Computed on demand: most rules compare the host as written.
    canonical: OnceCell<Option<Host<'a>>>,
    text: OnceCell<Cow<'a, str>>,
}

impl<'a> Target<'a> {
    #[inline]
    pub(super) fn parse(whole: &'a str) -> Option<Self> {
        let url = UrlRef::parse(whole);
        let host = url.host().filter(|_| !url.scheme().is_empty())?;
        Some(Self { url, whole, host, canonical: OnceCell::new(), text: OnceCell::new() })
    }

    /// Returns the host as written.
    pub(super) fn host(&self) -> &'a str {
        self.host
    }

    pub(super) fn port_or_default(&self) -> Option<u16> {
        self.url.port_or_default()
    }

    /// Returns the address, if the host is one in any notation.
    pub(super) fn address(&self) -> Option<IpAddr> {
        if !may_be_address(self.host) {
            return None;
        }
        self.canonical()?.address()
    }

    /// Returns the ASCII form of a host that is not written in ASCII.
    pub(super) fn converted_name(&self) -> Option<&str> {
        match self.canonical()? {
            Host::Name(name) if !self.host.is_ascii() => Some(name),
            _ => None,
        }
    }

    /// Returns the URL without userinfo, query and fragment. Scheme and host are in lower case and
    /// in ASCII.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let rest = self.url.host_to_path();
            let authority = &rest[..rest.len() - self.url.path().len()];
            let scheme = self.url.scheme();
            let is_plain =
                |text: &str| text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
            if self.url.userinfo().is_none() && is_plain(scheme) && is_plain(authority) {
                return Cow::Borrowed(&self.whole[..scheme.len() + "://".len() + rest.len()]);
            }
            let host = self.converted_name().unwrap_or(self.host);
            let before = [scheme, "://", host, &authority[self.host.len()..]].concat().to_ascii_lowercase();
            Cow::Owned(before + self.url.path())
        })
    }

    fn canonical(&self) -> Option<&Host<'a>> {
        self.canonical.get_or_init(|| Host::parse(self.host)).as_ref()
    }
}

/// Nearly all hosts are names, and names do not end in a number.
fn may_be_address(host: &str) -> bool {
    let bytes = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let last = bytes.iter().rposition(|byte| *byte == b'.').map_or(bytes, |dot| &bytes[dot + 1..]);
    host.starts_with('[') || last.first().is_some_and(u8::is_ascii_digit) || !host.is_ascii()
}
