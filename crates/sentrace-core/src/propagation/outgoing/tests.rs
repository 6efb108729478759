use super::*;

#[test]
fn origins_judge_the_url_by_host_text_and_pattern() {
    let regex = Origin::regex(r"^https://[a-z]+\.example\.com/v\d").unwrap();
    let host = |name: &str| Origin::host(name);
    let contains = |text: &str| Origin::contains(text);
    let rows: &[(Origin, &str, bool, &str)] = &[
        (host("example.com"), "https://example.com/", true, "the host itself"),
        (host("example.com"), "https://EXAMPLE.com./x", true, "case and the root dot do not matter"),
        (host("example.com"), "https://a.b.example.com:8443", true, "hosts below it, any port"),
        (host("example.com"), "https://badexample.com/", false, "a suffix without a dot is another host"),
        (host("example.com"), "https://example.com@evil.test/", false, "userinfo is not the host"),
        (host("example.com"), "https://evil.test\\@example.com/", false, "browsers go to evil.test"),
        (host("example.com"), "https://example.com\\@evil.test/", false, "by RFC 3986 it is evil.test"),
        (host("example.com"), "https://evil.test/?u=https://example.com/", false, "nor is the query"),
        (host("example.com"), "https://evil.test/#example.com", false, "nor is the fragment"),
        (host("inside.test"), "http://evil.test:[::1].inside.test:80/", false, "hyper connects to evil.test"),
        (host("localhost"), "http://evil.test:[::1].localhost:80/", false, "the same"),
        (contains("inside.test"), "http://evil.test:[::1].inside.test:80/", false, "by its text, too"),
        (Origin::regex("inside").unwrap(), "http://evil.test:[::1].inside.test/", false, "and by a pattern"),
        (host("inside.test"), "http://in%73ide.test/", false, "not all clients decode"),
        (host("inside.test"), "http://evil.test\t.inside.test/", false, "some clients drop tabs"),
        (host("*.example.com"), "https://api.example.com/", true, "a leading wildcard is understood"),
        (host("*.example.com"), "https://example.com/", true, "and means the host itself, too"),
        (host(".example.com"), "https://api.example.com/", true, "so is a leading dot"),
        (host("[::1]"), "http://[::1]:3000/", true, "IPv6 with brackets"),
        (host("::1"), "http://[::1]/", true, "IPv6 without brackets"),
        (contains("/internal/"), "https://a.test/internal/x", true, "text in the path"),
        (contains("/internal/"), "https://a.test/x?next=/internal/", false, "text in the query"),
        (contains("/internal/"), "https://a.test/x#/internal/", false, "text in the fragment"),
        (contains("internal"), "https://internal:pw@a.test/x", false, "text in the userinfo"),
        (contains("https://a"), "https://u:p@a.test/x", true, "text over the place of the userinfo"),
        (contains("https://api.test/V1"), "HTTPS://API.test/V1/x", true, "scheme and host have no case"),
        (contains("API.test/V1"), "https://api.test/V1/x", true, "in the text neither"),
        (contains("api.test/V1"), "https://api.test/v1/x", true, "nor has a path"),
        (contains("API.test/v1"), "https://api.test/V1/x", true, "in both directions"),
        (contains("api.test/v2"), "https://api.test/V1/x", false, "another path"),
        (Origin::regex("/Path").unwrap(), "http://h.test/pATH", true, "a pattern has no case"),
        (Origin::regex("(?-i:/Path)").unwrap(), "http://h.test/path", false, "unless it asks for it"),
        (contains("api.test:80"), "http://u@API.test:80/x", true, "a port"),
        (contains("b\u{fc}cher.example"), "https://xn--bcher-kva.example/x", true, "an international name"),
        (contains("xn--bcher"), "https://B\u{dc}CHER.example/x", true, "an international URL"),
        (regex.clone(), "https://api.example.com/v2/pay", true, "a pattern from the start"),
        (regex.clone(), "HTTPS://u:p@API.Example.COM/v2/pay", true, "scheme and host are in lower case"),
        (regex.clone(), "https://api.example.com/V2", true, "a path has no case either"),
        (regex, "http://evil.test/?https://api.example.com/v2", false, "a pattern in the query"),
        (Origin::regex(".*").unwrap(), "https://a.test/", true, "everywhere"),
        (Origin::regex(".*").unwrap(), "/x", false, "but to an unknown host"),
    ];
    for (origin, url, expected, reason) in rows {
        assert_eq!(origin.matches(url), *expected, "{origin:?} on {url}: {reason}");
    }
}

#[test]
fn an_address_has_no_subdomains_and_many_spellings() {
    let rows = [
        ("127.0.0.1", "http://127.0.0.1:3000/", true, "the address"),
        ("127.0.0.1", "http://evil.127.0.0.1/", false, "a name that ends like it"),
        ("127.0.0.1", "http://127.0.0.1.evil.test/", false, "a name that begins like it"),
        ("127.0.0.1", "http://1127.0.0.1/", false, "a longer number"),
        ("0.0.1", "http://127.0.0.1/", false, "0.0.1 is 0.0.0.1"),
        ("1", "http://127.0.0.1/", false, "1 is 0.0.0.1"),
        ("127.0.0.1", "http://127.1/", true, "two parts"),
        ("127.0.0.1", "http://0x7f.1/", true, "hexadecimal"),
        ("127.0.0.1", "http://2130706433/", true, "one number"),
        ("127.0.0.1", "http://017700000001/", true, "octal"),
        ("127.0.0.1", "http://127.0.0.1./", true, "with the root's dot"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]/", true, "IPv4 inside IPv6"),
        ("127.0.0.1", "http://\u{ff11}27.0.0.1/", true, "wide digits"),
        ("127.1", "http://127.0.0.1/", true, "the rule in another spelling"),
        ("::ffff:127.0.0.1", "http://127.0.0.1/", true, "and this one"),
        ("127.0.0.1", "http://127.0.0.2/", false, "another address"),
        ("127.0.0.1", "http://[::1]/", false, "another family"),
        ("::1", "http://[0:0:0:0:0:0:0:1]/", true, "the long form"),
        ("0000:0000::0001", "http://[::1]/", true, "the rule in its long form"),
        ("2001:DB8::A", "http://[2001:db8::a]/", true, "in upper case"),
        ("::1", "http://evil.[::1]/", false, "no subdomains here either"),
        ("::1", "http://[::1].evil.test/", false, "nor anything behind it"),
        ("::1", "http://[::1%25lo]/", false, "a zone is read in different ways"),
        ("::1", "http://[::2]/", false, "another address"),
    ];
    for (origin, url, expected, reason) in rows {
        let origin = Origin::host(origin).validated().unwrap();
        assert_eq!(origin.matches(url), expected, "{origin:?} on {url}: {reason}");
    }
}

#[test]
fn what_people_write_for_a_host_is_understood() {
    let rows = [
        ("https://api.example.com", "https://api.example.com/x", "a scheme"),
        ("https://api.example.com/", "http://api.example.com/x", "and a slash, for every scheme"),
        ("HTTPS://API.Example.com", "https://api.example.com/", "in upper case"),
        ("//api.example.com", "https://api.example.com/", "no scheme but slashes"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000/x", "a port"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000/x", "all of it"),
        ("example.com:443", "https://api.example.com/", "the default port"),
        ("[::1]:3000", "http://[::1]:3000/", "IPv6 with a port"),
        ("http://[0::1]:3000", "http://[::1]:3000/", "and a scheme"),
        ("inside.test.", "http://inside.test/", "the root's dot"),
        ("  inside.test\n", "http://inside.test/", "blanks around it"),
        ("inside.test", "http://inside.test./", "the dot in the URL"),
        ("b\u{fc}cher.example", "https://xn--bcher-kva.example/", "an international name"),
        ("B\u{dc}CHER.example", "https://b\u{fc}cher.example/", "in both"),
        ("xn--bcher-kva.example", "https://shop.b\u{fc}cher.example/", "its ASCII form"),
        ("\u{65e5}\u{672c}\u{3002}jp", "https://xn--wgv71a.jp/", "another full stop"),
        ("my_service", "http://my_service:8080/", "a name of a container"),
    ];
    for (origin, url, reason) in rows {
        let origin = Origin::host(origin).validated().unwrap();
        assert!(origin.matches(url), "{origin:?} on {url}: {reason}");
    }
    let other_ports = [("127.0.0.1:3000", "http://127.0.0.1/"), ("example.com:443", "http://example.com/")];
    for (origin, url) in other_ports {
        assert!(!Origin::host(origin).matches(url), "{origin} names a port, and {url} has another");
    }
}

#[test]
fn an_origin_that_never_matches_is_an_error_that_says_what_to_do() {
    let rows: &[(Origin, &str, &str)] = &[
        (Origin::host(""), "is empty", "name a host"),
        (Origin::host("  "), "is empty", "name a host"),
        (Origin::host("h/api"), "has a path", "Origin::contains"),
        (Origin::host("https://h/api"), "has a path", "Origin::contains"),
        (Origin::host("h?x"), "has a path", "Origin::contains"),
        (Origin::host("10.0.0.0/8"), "has a path", "Origin::contains"),
        (Origin::host("*"), "is not a host", "Origin::regex"),
        (Origin::host("https://*"), "is not a host", "Origin::regex"),
        (Origin::host("api.*.com"), "has a wildcard", "Origin::regex"),
        (Origin::host("*example.com"), "has a wildcard", "hosts below"),
        (Origin::host("*.127.0.0.1"), "is an address", "write the address alone"),
        (Origin::host("me:SECRET@example.com"), "has a user name", "write the host alone"),
        (Origin::host("a, b"), "is neither a host name", "one origin for each host"),
        (Origin::host("a.test,b.test"), "is neither a host name", "one origin for each host"),
        (Origin::host("a..test"), "is neither a host name", "one origin for each host"),
        (Origin::host("a.test b.test"), "is neither a host name", "one origin for each host"),
        (Origin::host("256.0.0.1"), "is neither a host name", "one origin for each host"),
        (Origin::host("1.2.3.4.5"), "is neither a host name", "one origin for each host"),
        (Origin::host("example.1"), "is neither a host name", "one origin for each host"),
        (Origin::host("host:port"), "is neither a host name", "one origin for each host"),
        (Origin::host("host:99999"), "is neither a host name", "one origin for each host"),
        (Origin::host("[::1"), "is neither a host name", "one origin for each host"),
        (Origin::host("fe80::1%eth0"), "is neither a host name", "one origin for each host"),
        (Origin::host("ex%61mple.com"), "is neither a host name", "one origin for each host"),
        (Origin::host("ex\u{ff0f}ample.com"), "is neither a host name", "one origin for each host"),
        (Origin::host("."), "is neither a host name", "one origin for each host"),
        (Origin::contains(""), "is in every URL", "Origin::regex"),
        (Origin::from("*.example.com"), "has a wildcard", "Origin::host"),
        (Origin::from("*"), "has a wildcard", "Origin::host"),
        (Origin::contains("/a?b"), "has a query", "leave them out"),
        (Origin::contains("https://me:SECRET@h/"), "has a user name", "leave it out"),
        (Origin::contains("a b"), "has a character", "leave it out"),
        (Origin::contains("/caf\u{e9}/"), "is not in ASCII", "percent-encode"),
    ];
    for (origin, rule, remedy) in rows {
        assert!(
            !origin.matches("https://example.com/") && !origin.matches("http://127.0.0.1/"),
            "{origin:?}"
        );
        assert!(!format!("{origin:?}").contains("SECRET"), "{origin:?}");
        let error = origin.clone().validated().unwrap_err().to_string();
        assert!(error.contains(rule) && error.contains(remedy), "{error} should say: {rule}, {remedy}");
        assert!(!error.contains("SECRET"), "{error}");
    }
    let error = Origin::regex("(").unwrap_err().to_string();
    assert!(error.contains("\"(\"") && error.contains("Origin::contains"), "{error}");
}

#[test]
fn by_default_only_this_machine_gets_headers() {
    let outgoing = PropagationTargets::new(None, None);
    for url in ["http://localhost:3000/x", "http://127.0.0.1/", "https://[::1]:8/"] {
        assert!(outgoing.allows(url), "{url}");
    }
    for url in ["https://example.com/", "http://localhost.evil.test/", "/relative", "", "http://"] {
        assert!(!outgoing.allows(url), "{url}");
    }
}

#[test]
fn an_empty_list_allows_nothing() {
    assert!(!PropagationTargets::new(Some(Vec::new()), None).allows("http://localhost/"));
}

#[test]
fn sentry_itself_gets_no_headers_even_where_a_rule_matches() {
    let everywhere = || Some(vec![Origin::regex(".*").unwrap()]);
    let rows = [
        ("ingest.test", 443, "https://ingest.test/api/1/envelope/", true, "where envelopes go"),
        ("ingest.test", 443, "https://INGEST.test:443/", true, "in another spelling"),
        ("ingest.test", 443, "https://ingest.test./", true, "with the root's dot"),
        ("ingest.test", 443, "http://ingest.test/", true, "over http, which is redirected"),
        ("ingest.test", 443, "http://u:p@Ingest.Test.:80/", true, "all of it"),
        ("ingest.test", 80, "https://ingest.test/", true, "over https"),
        ("ingest.test", 443, "https://ingest.test:8443/", false, "another port is another service"),
        ("ingest.test", 8080, "http://ingest.test:8080/", true, "a port of its own"),
        ("ingest.test", 8080, "http://ingest.test/", false, "the web beside it"),
        ("ingest.test", 443, "https://a.ingest.test/", false, "a host below it"),
        ("ingest.test", 443, "https://ingest.test.evil.test/", false, "another host"),
        ("ingest.test", 443, "ftp://ingest.test/", false, "another protocol"),
        ("127.0.0.1", 8969, "http://127.1:8969/", true, "an address in another spelling"),
        ("[::1]", 8969, "http://[0::1]:8969/", true, "IPv6 in another spelling"),
        ("127.0.0.1", 8969, "http://127.0.0.1:3000/", false, "a service beside the collector"),
    ];
    for (host, port, url, own, reason) in rows {
        let outgoing = PropagationTargets::new(everywhere(), Some((host, port)));
        assert_eq!(outgoing.is_dsn_host(url), own, "{url}: {reason}");
        assert_eq!(outgoing.allows(url), !own, "{url}: {reason}");
    }
}

#[test]
fn options_take_strings_and_report_the_first_origin_that_never_matches() {
    use crate::{Options, OptionsError};

    let allows = |options: Options, url: &str| {
        PropagationTargets::new(options.validated().unwrap().tracing_origins, None).allows(url)
    };
    let owned = vec!["api.example.com".to_owned()];
    for options in [
        Options::new().tracing_origins(["api.example.com"]),
        Options::new().tracing_origins(&owned),
        Options::new().tracing_origins(owned.clone()),
        Options::new().tracing_origins([Origin::host("api.example.com")]),
        Options::new().tracing_origins([Origin::from("api.example.com"), Origin::regex("^x").unwrap()]),
        Options::new().tracing_origins("a.test api.example.com".split(' ').map(Origin::host)),
    ] {
        assert!(allows(options.clone(), "https://api.example.com/x"), "{options:?}");
        assert!(!allows(options.clone(), "https://example.com/x"), "{options:?}");
    }
    assert!(!allows(Options::new().tracing_origins(Vec::<Origin>::new()), "http://localhost/"));

    let error =
        |options: Options| options.validated().map(|_| ()).map_err(|error: OptionsError| error.to_string());
    let wrong = [Origin::host("example.com"), Origin::host("https://me:SECRET@h"), Origin::host("*")];
    let first = error(Options::new().tracing_origins(wrong)).unwrap_err();
    assert!(first.contains("option tracing_origins") && first.contains("user name"), "{first}");
    assert!(!first.contains("SECRET"), "{first}");
    let debug = format!("{:?}", Options::new().tracing_origins([Origin::contains("a://b:SECRET@c")]));
    assert!(!debug.contains("SECRET"), "{debug}");
}
