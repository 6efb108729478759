use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

#[test]
fn a_url_is_taken_apart() {
    let url = UrlRef::parse("HTTPS://me:p@ss@Example.com:8443/a/b?c=d?e#f?g#h");
    assert_eq!(url.scheme(), "HTTPS");
    assert_eq!(url.userinfo(), Some("me:p@ss"), "the last @ ends the userinfo");
    assert_eq!((url.host(), url.port()), (Some("Example.com"), Some(8443)));
    assert_eq!((url.path(), url.query(), url.fragment()), ("/a/b", Some("c=d?e"), Some("f?g#h")));
    assert_eq!(url.host_to_path(), "Example.com:8443/a/b");

    let relative = UrlRef::parse("/a?b#c");
    assert_eq!((relative.scheme(), relative.host(), relative.userinfo()), ("", None, None));
    assert_eq!((relative.path(), relative.query(), relative.fragment()), ("/a", Some("b"), Some("c")));
    assert!(!relative.is_ambiguous());

    let without_scheme = UrlRef::parse("//example.com/a");
    assert_eq!((without_scheme.scheme(), without_scheme.host()), ("", Some("example.com")));
}

#[test]
fn a_host_is_found_only_if_all_readers_find_the_same() {
    let rows: &[(&str, Option<&str>, &str)] = &[
        ("http://example.com", Some("example.com"), "nothing follows"),
        ("http://example.com:80/", Some("example.com"), "a port"),
        ("http://example.com:/", Some("example.com"), "an empty port"),
        ("http://example.com?a@b", Some("example.com"), "a query ends it"),
        ("http://example.com#a@b", Some("example.com"), "a fragment ends it"),
        ("http://a:b@c@example.com/", Some("example.com"), "userinfo with an @"),
        ("http://[a]:b@example.com/", Some("example.com"), "userinfo with brackets"),
        ("http://a%00b@example.com/", Some("example.com"), "userinfo with escapes"),
        ("http://[::1]:80/", Some("[::1]"), "IPv6"),
        ("http://b\u{fc}cher.example/", Some("b\u{fc}cher.example"), "an international name"),
        ("http://a_b!.example/", Some("a_b!.example"), "odd characters that everybody accepts"),
        ("http://evil.test:[::1].inside.test:8080/", None, "hyper connects to evil.test"),
        ("http://evil.test:[::1].localhost:8080/", None, "the same with a default origin"),
        ("http://[::1].inside.test/", None, "hyper connects to ::1"),
        ("http://[::1]inside.test/", None, "the same without a dot"),
        ("http://inside.test[::1]/", None, "brackets behind a name"),
        ("http://inside.test:80:80/", None, "two ports"),
        ("http://evil.test\\@inside.test/", None, "browsers connect to evil.test"),
        ("http://inside.test\\@evil.test/", None, "RFC 3986 would connect to evil.test"),
        ("http://inside.test\\.evil.test/", None, "a backslash in a name"),
        ("http://evil.test\t.inside.test/", None, "browsers drop tabs"),
        ("http://evil.test\n@inside.test/", None, "and line breaks"),
        ("http://inside.test /", None, "a blank"),
        ("http://in%73ide.test/", None, "browsers decode, hyper does not"),
        ("http://inside.test%00.evil.test/", None, "an escaped zero ends names in C"),
        ("http://inside.test\0.evil.test/", None, "so does a plain one"),
        ("http://inside.test:+80/", None, "a sign is not a digit"),
        ("http://inside.test:99999/", None, "a port that is too large"),
        ("http://inside.test:8o/", None, "a port that is not a number"),
        ("http://[fe80::1%25eth0]/", None, "a zone"),
        ("http://[fe80::1%eth0]/", None, "a zone that is not escaped"),
        ("http://[::1/", None, "no closing bracket"),
        ("http://[inside.test]/", None, "brackets without an address"),
        ("http://[v1.inside]/", None, "an address of the future"),
        ("http://[127.0.0.1]/", None, "IPv4 in brackets"),
        ("http://a[@b]/", None, "brackets across the @"),
        ("http:///inside.test/", None, "browsers drop the third slash"),
        ("http://@/", None, "nothing behind the @"),
        ("http://:80/", None, "only a port"),
        ("http:/inside.test/", None, "browsers need no second slash"),
        ("http:inside.test", None, "nor a first"),
        ("http:\\\\inside.test/", None, "nor slashes at all"),
        (" http://inside.test/", None, "browsers drop the blank"),
        ("h~ttp://inside.test/", None, "not a scheme"),
        ("://inside.test/", None, "an empty scheme"),
        ("1http://inside.test/", None, "a scheme begins with a letter"),
        ("a:b://inside.test/", None, "the first colon ends the scheme"),
        ("/x?http://inside.test/", None, "a URL in a query"),
        ("inside.test/x", None, "no scheme"),
        ("", None, "nothing"),
    ];
    for (url, host, reason) in rows {
        assert_eq!(UrlRef::parse(url).host(), *host, "{url:?}: {reason}");
    }
}

#[test]
fn hosts_have_one_canonical_form() {
    let rows: &[(&str, Option<&str>, &str)] = &[
        ("example.com", Some("example.com"), "as it is"),
        ("EXAMPLE.com.", Some("example.com"), "case and the root's dot do not matter"),
        ("b\u{fc}cher.example", Some("xn--bcher-kva.example"), "an international name"),
        ("BU\u{308}CHER.example", Some("xn--bcher-kva.example"), "decomposed and in upper case"),
        ("XN--BCHER-KVA.example", Some("xn--bcher-kva.example"), "the ASCII form of a name"),
        ("\u{65e5}\u{672c}\u{3002}jp", Some("xn--wgv71a.jp"), "an ideographic full stop"),
        ("inside\u{ff0f}.test", None, "a wide slash"),
        ("127.0.0.1", Some("127.0.0.1"), "IPv4"),
        ("127.0.0.1.", Some("127.0.0.1"), "with the root's dot"),
        ("127.1", Some("127.0.0.1"), "two parts"),
        ("127.0.1", Some("127.0.0.1"), "three parts"),
        ("2130706433", Some("127.0.0.1"), "one part"),
        ("0x7f.1", Some("127.0.0.1"), "hexadecimal"),
        ("0X7F000001", Some("127.0.0.1"), "all of it"),
        ("0177.0.0.01", Some("127.0.0.1"), "octal"),
        ("\u{ff11}27.0.0.1", Some("127.0.0.1"), "wide digits"),
        ("0x", Some("0.0.0.0"), "nothing is zero"),
        ("evil.127.0.0.1", None, "an address has no subdomains"),
        ("1.2.3.4.5", None, "five parts"),
        ("256.0.0.1", None, "a part that is too large"),
        ("127.0.65536", None, "a last part that is too large"),
        ("4294967296", None, "more than four bytes"),
        ("1.2.3.08", None, "not an octal number"),
        ("example.1", None, "a name cannot end in a number"),
        ("1..2", None, "an empty part"),
        ("[::1]", Some("::1"), "IPv6"),
        ("[0:0:0:0:0:0:0:1]", Some("::1"), "in its long form"),
        ("[0000::0001]", Some("::1"), "with zeros"),
        ("[2001:DB8::A]", Some("2001:db8::a"), "in upper case"),
        ("[::ffff:127.0.0.1]", Some("127.0.0.1"), "IPv4 inside IPv6"),
        ("[::ffff:7f00:1]", Some("127.0.0.1"), "the same in hexadecimal"),
        ("[::127.0.0.1]", Some("::7f00:1"), "the deprecated form is another address"),
        ("[fe80::1%eth0]", None, "a zone"),
        ("::1", None, "no brackets"),
        ("[::1", None, "half of them"),
        ("exa mple", None, "a blank"),
        ("a:b", None, "a colon"),
        ("a%41", None, "an escape"),
        ("", None, "nothing"),
        (".", None, "only the root"),
        ("127.0.0..", None, "two roots"),
        ("3com.example", Some("3com.example"), "a digit at the start"),
        ("a.0b", Some("a.0b"), "a digit at the start of the last label"),
    ];
    for (host, canonical, reason) in rows {
        let parsed = Host::parse(host).map(|host| match host {
            Host::Name(name) => name.into_owned(),
            Host::Address(address) => address.to_string(),
        });
        assert_eq!(parsed.as_deref(), *canonical, "{host:?}: {reason}");
    }
}

#[test]
fn credentials_are_found_by_any_reading() {
    let rows = [
        ("https://me:hush@example.com/a@b", Some("me:hush"), "name and password"),
        ("https://a@hush@example.com", Some("a@hush"), "an @ in the password"),
        ("postgres://me:hush@db", Some("me:hush"), "any scheme"),
        ("mongodb+srv://me:hush@db", Some("me:hush"), "a scheme with a plus"),
        ("jdbc:postgresql://me:hush@db", Some("me:hush"), "two schemes"),
        ("redis://:hush@cache", Some(":hush"), "only a password"),
        ("//me:hush@example.com", Some("me:hush"), "no scheme"),
        ("postgres://me:hu/sh@db/x", Some("me:hu/sh"), "a slash in the password"),
        ("postgres://me:hu?sh@db", Some("me:hu?sh"), "a question mark in the password"),
        ("postgres://me:hu#sh@db", Some("me:hu#sh"), "a hash in the password"),
        ("http://me\\:hush@example.com", Some("me\\:hush"), "a backslash"),
        ("http:/me:hush@example.com", Some("me:hush"), "browsers need one slash"),
        ("HTTP:me:hush@example.com/x", Some("me:hush"), "or none"),
        ("https:///me:hush@example.com", Some("me:hush"), "or take three"),
        ("http:\\\\me:hush@example.com", Some("me:hush"), "or backslashes"),
        ("http:/\n/me:hush@example.com", Some("me:hush"), "or drop line breaks"),
        ("ht\ttp:\t//\rme:hush@example.com", Some("me:hush"), "and tabs"),
        ("\0\u{1}http:///me:hush@example.com", Some("me:hush"), "and what stands in front"),
        ("redis:/\n/me:hush@example.com", Some("me:hush"), "of any scheme"),
        ("h~ttp://me:hush@example.com", Some("me:hush"), "the http crate takes this scheme"),
        ("://me:hush@example.com", Some("me:hush"), "and none"),
        (" https://me:hush@example.com", Some("me:hush"), "a blank before it"),
        ("https://example.com/@me", None, "a path"),
        ("https://example.com:8443/@me", None, "a path behind a port"),
        ("https://[::1]/@me", None, "a path behind an address"),
        ("https://example.com?m=a@b", None, "a query"),
        ("https://example.com#a@b", None, "a fragment"),
        ("mailto:me@example.com", None, "not an authority"),
        ("/a//me:hush@example.com", None, "a path with two slashes"),
        ("/a://me:hush@example.com", None, "a path with a colon"),
        ("?http://me:hush@example.com", None, "a query alone"),
        ("me@example.com", None, "not a URL"),
    ];
    for (url, expected, reason) in rows {
        assert_eq!(credentials(url).map(|range| &url[range]), expected, "{url}: {reason}");
    }
}

#[test]
fn a_host_header_is_a_host_and_a_port() {
    let rows = [
        ("example.com", Some(("example.com", None)), "a name"),
        ("example.com:8080", Some(("example.com", Some(8080))), "with a port"),
        ("[::1]:80", Some(("[::1]", Some(80))), "IPv6"),
        ("me@example.com", None, "userinfo"),
        ("example.com/a", None, "a path"),
        ("example.com?", None, "a query"),
        ("example.com:port", None, "not a port"),
        ("a b", None, "a blank"),
        ("", None, "nothing"),
    ];
    for (text, expected, reason) in rows {
        assert_eq!(split_host_port(text), expected, "{text}: {reason}");
    }
}

#[cfg(feature = "http")]
#[test]
fn a_request_has_one_host() {
    let rows: [(&[&str], _, _); 6] = [
        (&["example.com:80"], Some("example.com:80"), "one"),
        (&["a.test", "a.test"], Some("a.test"), "the same twice"),
        (&["a.test", "b.test"], None, "two"),
        (&["me@a.test"], None, "not a host"),
        (&[""], None, "an empty one"),
        (&[], None, "none"),
    ];
    for (hosts, expected, reason) in rows {
        let mut headers = http::HeaderMap::new();
        for host in hosts {
            headers.append(http::header::HOST, host.parse().unwrap());
        }
        assert_eq!(host_header(&headers), expected, "{reason}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whoever_reads_a_url_connects_to_the_same_host(
        url in "(https?|ws)://([a-c]{0,2}[:@\\[\\]]?){0,3}(\\[::1\\]|127\\.1|a\\.b|\u{e9})?[a-c.:@\\[\\]\\\\%0-9 \t\u{ff0e}]{0,8}[/?#\\\\]?[a@:.]{0,6}"
    ) {
        check_agreement(&url)?;
    }

    #[test]
    fn any_text_can_be_taken_apart(url in "\\PC{0,40}", near in "[a-z:/?#@\\[\\]\\\\%.0-9\u{e9}]{0,40}") {
        for url in [url, near] {
            check_agreement(&url)?;
            let _ = credentials(&url).map(|range| url[range].len());
        }
    }
}

/// What one reader finds, `UrlRef` either finds as well or says nothing about.
fn check_agreement(text: &str) -> Result<(), TestCaseError> {
    let ours = UrlRef::parse(text);
    let Some(host) = ours.host() else { return Ok(()) };
    let canonical = Host::parse(host);
    if let Ok(theirs) = text.parse::<http::Uri>()
        && theirs.scheme().is_some()
    {
        prop_assert_eq!(theirs.host(), Some(host), "http::Uri on {:?}", text);
        prop_assert_eq!(theirs.port_u16(), ours.port(), "http::Uri on {:?}", text);
    }
    if let Ok(theirs) = url::Url::parse(text)
        && default_port(ours.scheme()).is_some()
    {
        let address = |address: IpAddr| Some(Host::Address(address.to_canonical()));
        let theirs_host = match theirs.host() {
            Some(url::Host::Domain(name)) => Host::parse(name).map(|host| match host {
                Host::Name(name) => Host::Name(name.into_owned().into()),
                Host::Address(ip) => Host::Address(ip),
            }),
            Some(url::Host::Ipv4(ip)) => address(ip.into()),
            Some(url::Host::Ipv6(ip)) => address(ip.into()),
            None => None,
        };
        prop_assert_eq!(theirs_host, canonical, "url on {:?}", text);
        prop_assert_eq!(
            theirs.port_or_known_default(),
            ours.port_or_default().or(theirs.port()),
            "url on {:?}",
            text
        );
    }
    Ok(())
}
