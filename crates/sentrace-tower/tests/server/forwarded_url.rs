//! Behind a proxy the recorded URL is the one that the client has asked for, as far as a trusted proxy says it.

use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Empty};
use sentrace_core::testing::CapturedTransaction;
use sentrace_tower::{ForwardedHeader, PeerAddress, TrustedProxies};
use tower::{Layer, ServiceExt};

use crate::support::{Always, data, layer, number, only};

/// One request from `peer` with these fields, besides `host: internal:8080`.
async fn captured_of(
    proxies: TrustedProxies,
    peer: &str,
    fields: &[(&'static str, &str)],
) -> CapturedTransaction {
    let (layer, capture) = layer();
    let mut request =
        Request::get("/x?tab=2").header("host", "internal:8080").body(Empty::<&[u8]>::new()).unwrap();
    request.extensions_mut().insert(PeerAddress::new(format!("{peer}:443").parse().unwrap()));
    for (name, value) in fields {
        request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let response = layer.trusted_proxies(proxies).layer(Always::ok()).oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    only(capture.take())
}

fn url(captured: &CapturedTransaction) -> String {
    captured.transaction.request.as_ref().unwrap().url.clone().into_owned()
}

const FOR: (&str, &str) = ("x-forwarded-for", "203.0.113.7");
const PROTO: (&str, &str) = ("x-forwarded-proto", "https");
const HOST: (&str, &str) = ("x-forwarded-host", "shop.example");

#[tokio::test]
async fn what_a_trusted_proxy_says_is_the_recorded_url() {
    type Row<'a> = (&'a [(&'static str, &'a str)], &'a str, &'a str);
    let rows: [Row<'_>; 25] = [
        (&[], "http://internal:8080/x", "nothing is said"),
        (&[FOR, PROTO], "https://internal:8080/x", "the scheme alone"),
        (&[FOR, HOST], "http://shop.example/x", "the host alone"),
        (&[FOR, PROTO, HOST], "https://shop.example/x", "both"),
        (&[PROTO, HOST], "https://shop.example/x", "without the client"),
        (&[("x-forwarded-proto", "HTTPS"), HOST], "https://shop.example/x", "in capitals"),
        (
            &[("x-forwarded-proto", "wss"), HOST],
            "https://shop.example/x",
            "as some proxies say of WebSockets",
        ),
        (&[("x-forwarded-proto", "gopher"), HOST], "http://shop.example/x", "no scheme of HTTP"),
        (
            &[PROTO, ("x-forwarded-host", "shop.example:8443")],
            "https://shop.example:8443/x",
            "a host with its port",
        ),
        (&[PROTO, HOST, ("x-forwarded-port", "443")], "https://shop.example/x", "the scheme's own port"),
        (&[PROTO, HOST, ("x-forwarded-port", "8443")], "https://shop.example:8443/x", "another port"),
        (&[PROTO, HOST, ("x-forwarded-port", "0")], "https://shop.example/x", "no port"),
        (
            &[("x-forwarded-host", "shop.example:9"), ("x-forwarded-port", "8443")],
            "http://shop.example:9/x",
            "the host's own port is nearer",
        ),
        (
            &[("x-forwarded-host", "[2001:db8::1]"), ("x-forwarded-port", "8080")],
            "http://[2001:db8::1]:8080/x",
            "an IPv6 address and a port",
        ),
        (
            &[("x-forwarded-host", "user:pw@shop.example")],
            "http://internal:8080/x",
            "a host with credentials is none",
        ),
        (&[("x-forwarded-host", "shop.example/evil?")], "http://internal:8080/x", "nor one with a path"),
        (&[("x-forwarded-host", "")], "http://internal:8080/x", "nor an empty one"),
        (
            &[("x-forwarded-for", "6.6.6.6, 203.0.113.7"), ("x-forwarded-proto", "gopher, https"), HOST],
            "https://shop.example/x",
            "what the client wrote itself stands further left",
        ),
        (
            &[("x-forwarded-for", "203.0.113.7, 10.0.0.2"), ("x-forwarded-proto", "https, http"), HOST],
            "https://shop.example/x",
            "of two proxies the outer one counts",
        ),
        (
            &[("x-forwarded-for", "203.0.113.7, 10.0.0.2"), PROTO, HOST],
            "https://shop.example/x",
            "two proxies, of which the inner one replaces what the outer one said",
        ),
        (
            &[("x-forwarded-for", "unknown"), PROTO, HOST],
            "https://shop.example/x",
            "the client may be unknown",
        ),
        (
            &[("forwarded", "for=203.0.113.7;proto=https;host=\"shop.example:8443\";by=10.0.0.1")],
            "https://shop.example:8443/x",
            "the standard's header, where the others say nothing",
        ),
        (
            &[FOR, ("forwarded", "proto=https;host=evil.test")],
            "http://internal:8080/x",
            "and not where they do",
        ),
        (
            &[("forwarded", "proto=gopher;host=evil.test, for=203.0.113.7;proto=https;host=shop.example")],
            "https://shop.example/x",
            "in the standard's header, too, the client stands further left",
        ),
        (&[("forwarded", "for=203.0.113.7")], "http://internal:8080/x", "the standard's header says neither"),
    ];
    for (fields, expected, reason) in rows {
        let captured = captured_of(TrustedProxies::private(), "10.0.0.1", fields).await;
        assert_eq!(url(&captured), expected, "{reason}");
        assert_eq!(data(&captured, "url.scheme"), expected.split("://").next(), "{reason}");
        assert_eq!(data(&captured, "url.full"), Some(&*format!("{expected}?tab=2")), "{reason}");
        for proxies in [TrustedProxies::private(), TrustedProxies::none()] {
            let captured = captured_of(proxies, "203.0.113.9", fields).await;
            assert_eq!(url(&captured), "http://internal:8080/x", "not from somebody else: {reason}");
        }
    }
}

#[tokio::test]
async fn each_header_of_a_client_goes_with_headers_of_its_proxies() {
    let other = || ForwardedHeader::Other(HeaderName::from_static("cf-connecting-ip"));
    let both: &[(&str, &str)] = &[
        PROTO,
        HOST,
        ("forwarded", "for=203.0.113.7;proto=http;host=standard.example"),
        ("x-real-ip", "203.0.113.7"),
    ];
    let rows = [
        (ForwardedHeader::XForwardedFor, "https://shop.example/x"),
        (ForwardedHeader::XRealIp, "https://shop.example/x"),
        (other(), "https://shop.example/x"),
        (ForwardedHeader::Forwarded, "http://standard.example/x"),
    ];
    for (header, expected) in rows {
        let proxies = TrustedProxies::none().peer_is_proxy().header(header.clone());
        assert_eq!(url(&captured_of(proxies, "203.0.113.9", both).await), expected, "{header:?}");
    }
    let proxies = TrustedProxies::private().header(ForwardedHeader::Forwarded);
    let captured = captured_of(proxies, "10.0.0.1", &[PROTO, HOST]).await;
    assert_eq!(url(&captured), "http://internal:8080/x", "what these proxies do not write they may pass on");
}

#[tokio::test]
async fn server_address_and_port_are_those_of_the_url() {
    let fields = [PROTO, HOST, ("x-forwarded-port", "8443")];
    let captured = captured_of(TrustedProxies::private(), "10.0.0.1", &fields).await;
    assert_eq!(data(&captured, "server.address"), Some("shop.example"));
    assert_eq!(number(&captured, "server.port"), Some(8443));
    let host = captured.transaction.request.unwrap().headers.iter().find(|(name, _)| name == "host").cloned();
    assert_eq!(
        host.map(|(_, value)| value.into_owned()).as_deref(),
        Some("internal:8080"),
        "the header stays"
    );
}
