use http::{HeaderName, HeaderValue};

use super::*;

/// The client by header lines that came from `peer`.
fn client(proxies: &TrustedProxies, peer: &str, name: &str, lines: &[&str]) -> Option<String> {
    let mut extensions = Extensions::new();
    if let Ok(peer) = peer.parse() {
        extensions.insert(PeerAddress(SocketAddr::new(peer, 443)));
    }
    let mut headers = HeaderMap::new();
    for line in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    proxies.client(&headers, &extensions).map(|address| address.to_string())
}

#[test]
fn the_client_is_the_first_from_the_right_that_is_no_trusted_proxy() {
    let proxies = TrustedProxies::new(["10.0.0.0/8", "2001:db8:7::/48"]).unwrap();
    type Row<'a> = (&'a str, &'a [&'a str], Option<&'a str>, &'a str);
    let rows: [Row<'_>; 21] = [
        ("203.0.113.7", &[], Some("203.0.113.7"), "no proxy at all"),
        ("203.0.113.7", &["198.51.100.1"], Some("203.0.113.7"), "who is not trusted is not believed"),
        ("10.0.0.1", &["203.0.113.7"], Some("203.0.113.7"), "one proxy"),
        ("10.0.0.1", &["203.0.113.7, 10.0.0.2"], Some("203.0.113.7"), "two proxies"),
        (
            "10.0.0.1",
            &["6.6.6.6, 203.0.113.7, 10.0.0.2"],
            Some("203.0.113.7"),
            "what the client wrote is left of it",
        ),
        ("10.0.0.1", &["6.6.6.6, 203.0.113.7", "10.0.0.2"], Some("203.0.113.7"), "lines are one list"),
        ("10.0.0.1", &["10.0.0.9, 10.0.0.2"], Some("10.0.0.9"), "inside alone: the furthest"),
        ("10.0.0.1", &[], Some("10.0.0.1"), "a trusted proxy that says nothing"),
        ("10.0.0.1", &["unknown"], None, "a proxy that does not know"),
        ("10.0.0.1", &["203.0.113.7, unknown"], None, "the nearest decides"),
        ("10.0.0.1", &["unknown, 203.0.113.7"], Some("203.0.113.7"), "what is further left is not looked at"),
        ("10.0.0.1", &["203.0.113.7:4711"], Some("203.0.113.7"), "with a port"),
        ("10.0.0.1", &["2001:db8::1"], Some("2001:db8::1"), "IPv6"),
        ("10.0.0.1", &["[2001:db8::1]:4711"], Some("2001:db8::1"), "IPv6 with a port"),
        ("10.0.0.1", &["203.0.113.7, 2001:db8:7::9"], Some("203.0.113.7"), "a trusted IPv6 proxy"),
        ("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], Some("203.0.113.7"), "IPv4 in IPv6 is IPv4"),
        ("10.0.0.1", &[""], None, "nothing between the commas"),
        ("10.0.0.1", &["203.0.113.7,"], None, "nothing behind the comma"),
        ("10.0.0.1", &["caf\u{e9}"], None, "no ASCII"),
        ("10.0.0.1", &["fe80::1%eth0"], None, "a zone is not of the internet"),
        ("", &["203.0.113.7"], None, "a connection of unknown address is not trusted"),
    ];
    for (peer, lines, expected, reason) in rows {
        let found = client(&proxies, peer, "x-forwarded-for", lines);
        assert_eq!(found.as_deref(), expected, "{peer} {lines:?}: {reason}");
    }
}

#[test]
fn elements_of_forwarded_are_read_with_their_quotes() {
    let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap().header(ForwardedHeader::Forwarded);
    let rows: [(&str, Option<&str>, &str); 20] = [
        ("for=203.0.113.7", Some("203.0.113.7"), "alone"),
        ("For=203.0.113.7;proto=https;by=10.0.0.1", Some("203.0.113.7"), "with others, in capitals"),
        ("proto=https; for=203.0.113.7", Some("203.0.113.7"), "behind others"),
        ("for=\"203.0.113.7:4711\"", Some("203.0.113.7"), "quoted, with a port"),
        ("for=\"[2001:db8::17]:4711\"", Some("2001:db8::17"), "IPv6 with a port"),
        ("for=\"[2001:db8::17]:_hidden\"", Some("2001:db8::17"), "an obfuscated port"),
        ("for=6.6.6.6, for=203.0.113.7", Some("203.0.113.7"), "the last is the nearest"),
        ("for=203.0.113.7, for=10.0.0.2", Some("203.0.113.7"), "past a trusted one"),
        ("for=6.6.6.6;x=\", for=203.0.113.7", Some("203.0.113.7"), "a quote that the client left open"),
        ("for=6.6.6.6;x=\", for=\"203.0.113.7\"", Some("203.0.113.7"), "the same before a quoted one"),
        ("for=203.0.113.7;x=\"a, for=6.6.6.6\"", Some("203.0.113.7"), "a comma inside quotes"),
        ("for=_hidden", None, "an obfuscated name"),
        ("for=unknown", None, "not known"),
        ("for=", None, "nothing"),
        ("for", None, "no value"),
        ("proto=https", None, "no for"),
        ("for=203.0.113.7;for=6.6.6.6", None, "two of them"),
        ("for=\"203.0.113.7", None, "half a quote"),
        ("for=2001:db8::17", Some("2001:db8::17"), "brackets forgotten"),
        (",,,,", None, "commas alone"),
    ];
    for (line, expected, reason) in rows {
        let found = client(&proxies, "10.0.0.1", "forwarded", &[line]);
        assert_eq!(found.as_deref(), expected, "{line}: {reason}");
    }
}

#[test]
fn headers_of_one_address_are_taken_from_their_last_line() {
    let cloud = ForwardedHeader::Other(HeaderName::from_static("cf-connecting-ip"));
    let rows = [
        (ForwardedHeader::XRealIp, "x-real-ip", &["203.0.113.7"][..], Some("203.0.113.7"), "one line"),
        (
            ForwardedHeader::XRealIp,
            "x-real-ip",
            &["6.6.6.6", "203.0.113.7"],
            Some("203.0.113.7"),
            "the proxy's is last",
        ),
        (ForwardedHeader::XRealIp, "x-real-ip", &["6.6.6.6, 203.0.113.7"], None, "no list"),
        (
            ForwardedHeader::XRealIp,
            "x-forwarded-for",
            &["6.6.6.6"],
            Some("10.0.0.1"),
            "another header is not read",
        ),
        (cloud, "cf-connecting-ip", &["203.0.113.7"], Some("203.0.113.7"), "a header of one's own choice"),
    ];
    for (header, name, lines, expected, reason) in rows {
        let proxies = TrustedProxies::private().header(header);
        assert_eq!(client(&proxies, "10.0.0.1", name, lines).as_deref(), expected, "{lines:?}: {reason}");
    }
}

#[test]
fn a_connection_that_nobody_but_the_proxy_reaches_needs_no_address() {
    let proxies = TrustedProxies::none().peer_is_proxy();
    let found = client(&proxies, "", "x-forwarded-for", &["6.6.6.6, 203.0.113.7"]);
    assert_eq!(found.as_deref(), Some("203.0.113.7"));
    assert_eq!(client(&proxies, "", "x-forwarded-for", &[]), None);
}

#[test]
fn a_hundred_thousand_proxies_are_not_looked_through() {
    let proxies = TrustedProxies::private();
    let line = "10.0.0.1,".repeat(100_000) + "10.0.0.2";
    assert!(client(&proxies, "10.0.0.1", "x-forwarded-for", &[&line]).is_some());
    let quotes = "\",".repeat(100_000);
    let proxies = proxies.header(ForwardedHeader::Forwarded);
    assert_eq!(client(&proxies, "10.0.0.1", "forwarded", &[&quotes]), None);
}
