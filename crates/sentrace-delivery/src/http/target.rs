//! The URL that is posted to.

use http::Uri;
use http::uri::Scheme;
use sentrace_protocol::url::{Host, UrlRef};

/// An absolute `http` or `https` URL, without user name and password.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    uri: Uri,
}

impl Target {
    /// # Errors
    /// Names the rule that `url` breaks.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "it has characters that cannot be in a URL")?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => {}
            _ => return Err("it does not begin with `http://` or `https://`"),
        }
        if !UrlRef::parse(url).host().is_some_and(is_host) {
            return Err("its host is neither a name nor an IP address");
        }
        let uri = without_userinfo(uri).ok_or("its host is neither a name nor an IP address")?;
        Ok(Self { uri })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }
}

/// An incomplete address is a mistake here, although resolvers accept it.
fn is_host(host: &str) -> bool {
    match Host::parse(host) {
        Some(Host::Address(_)) => host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok(),
        name => name.is_some(),
    }
}

fn without_userinfo(uri: Uri) -> Option<Uri> {
    let mut parts = uri.into_parts();
    let authority = parts.authority.take()?;
    let host = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host);
    parts.authority = Some(host.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_that_can_be_posted_to_are_accepted() {
        let rows = [
            ("https://o1.ingest.sentry.io/api/2/envelope/", true, "Sentry"),
            ("http://127.0.0.1:8969/stream", true, "IPv4"),
            ("http://[::1]:8969/stream", true, "IPv6"),
            ("http://sentry_relay/api/2/envelope/", true, "a name of a container"),
            ("http://256.256.256.256/", false, "no IP address"),
            ("http://1.2.3/", false, "half of one"),
            ("ftp://example.com/", false, "another scheme"),
            ("example.com", false, "no scheme"),
            ("http://exa mple/", false, "a blank"),
            ("http://[::1].inside.test/", false, "a host that depends on the reader"),
            ("http:///stream", false, "no host"),
            ("", false, "nothing"),
        ];
        for (url, expected, reason) in rows {
            assert_eq!(Target::parse(url).is_ok(), expected, "{reason}");
        }
    }

    #[test]
    fn a_password_is_left_out() {
        let target = Target::parse("http://me:hush@example.com/stream").unwrap();
        assert_eq!(target.uri(), "http://example.com/stream");
    }
}
