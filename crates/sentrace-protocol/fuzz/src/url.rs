//! Which host a URL names: never another one than the parsers of HTTP clients find.

use std::net::IpAddr;

use ::url::Url;
use http::Uri;
use sentrace_protocol::sensitive::{FILTERED, filter_userinfo};
use sentrace_protocol::url::{Host, UrlRef, credentials, default_port, split_host_port};

/// Reads the input as a URL, and as the authority of one.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_url(&text);
    for scheme in ["http", "https", "ws"] {
        check_url(&format!("{scheme}://{text}"));
    }
    check_host_header(&text);
}

fn check_url(text: &str) {
    let ours = UrlRef::parse(text);
    check_parts(text, &ours);

    let uri = text.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some() && uri.authority().is_some());
    let url = Url::parse(text).ok().filter(|url| url.has_host() && default_port(url.scheme()).is_some());
    let uri_host = uri.as_ref().and_then(Uri::host);
    let url_host = url.as_ref().and_then(canonical);

    match ours.host() {
        Some(host) => {
            if let (Some(uri), Some(theirs)) = (&uri, uri_host) {
                assert_eq!(theirs, host, "hyper connects elsewhere");
                assert_eq!(uri.port_u16(), ours.port(), "hyper connects elsewhere");
            }
            if let (Some(url), false) = (&url, ours.scheme().is_empty()) {
                assert_eq!(url_host, Host::parse(host), "reqwest connects elsewhere");
                assert_eq!(url.port_or_known_default(), ours.port_or_default(), "reqwest connects elsewhere");
            }
        }
        None => {
            // Nothing is refused that both understand in the same way.
            if let (Some(uri), Some(_)) = (&uri, &url_host) {
                let same_host = uri_host.and_then(Host::parse) == url_host;
                let same_port = uri.port_u16().or(default_port(uri.scheme_str().unwrap_or_default()))
                    == url.as_ref().and_then(Url::port_or_known_default);
                let has_odd_port = uri
                    .authority()
                    .is_some_and(|authority| authority.port().is_none() && authority.as_str().contains(':'));
                assert!(!same_host || !same_port || has_odd_port, "{text:?} names a host");
            }
        }
    }
    // Credentials that either finds are filtered.
    let range = credentials(text);
    let found =
        uri.as_ref().and_then(Uri::authority).is_some_and(|authority| authority.as_str().contains('@'))
            || url.as_ref().is_some_and(|url| !url.username().is_empty() || url.password().is_some());
    assert!(range.is_some() || !found, "{text:?} has credentials");
    if let Some(range) = range {
        let filtered = filter_userinfo(text);
        assert_eq!(filtered, format!("{}{FILTERED}:{FILTERED}{}", &text[..range.start], &text[range.end..]));
    }
}

fn check_parts(text: &str, url: &UrlRef<'_>) {
    assert!(text.starts_with(url.scheme()));
    let mut tail = url.path().to_owned();
    for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
        if let Some(part) = part {
            tail.push(mark);
            tail.push_str(part);
        }
    }
    assert!(text.ends_with(&tail), "{text:?} ends with {tail:?}");
    assert!(url.host_to_path().ends_with(url.path()));
    if let Some(host) = url.host() {
        assert!(!url.is_ambiguous() && !host.is_empty() && url.host_to_path().starts_with(host));
        assert!(!host.contains(['@', '/', '\\', '?', '#', '%', ' ']));
        // The canonical form is canonical.
        if let Some(Host::Name(name)) = Host::parse(host) {
            assert_eq!(Host::parse(&name), Some(Host::Name(name.clone())));
        }
    }
    if let Some(userinfo) = url.userinfo() {
        // Browsers drop slashes, tabs and line breaks before it.
        let found = credentials(text).map(|range| &text[range]);
        assert!(
            found.is_some_and(|found| userinfo.trim_start_matches(['/', '\\', '\t', '\n', '\r']) == found
                || userinfo == found)
        );
    }
}

fn check_host_header(text: &str) {
    let url = format!("http://{text}");
    let url = UrlRef::parse(&url);
    let expected = url.host().filter(|_| url.userinfo().is_none() && url.path().is_empty());
    let expected = expected.filter(|_| url.query().is_none() && url.fragment().is_none());
    assert_eq!(split_host_port(text), expected.map(|host| (host, url.port())));
}

fn canonical(url: &Url) -> Option<Host<'static>> {
    let address = |address: IpAddr| Some(Host::Address(address.to_canonical()));
    match url.host()? {
        // Nobody has a name with two roots.
        ::url::Host::Domain(name) if name.ends_with("..") => None,
        ::url::Host::Domain(name) => Host::parse(name).map(|host| match host {
            Host::Name(name) => Host::Name(name.into_owned().into()),
            Host::Address(address) => Host::Address(address),
        }),
        ::url::Host::Ipv4(ip) => address(ip.into()),
        ::url::Host::Ipv6(ip) => address(ip.into()),
    }
}
