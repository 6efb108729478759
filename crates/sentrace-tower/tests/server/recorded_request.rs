//! What of a request is recorded, and what never is.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Version};
use http_body_util::{BodyExt, Empty};
use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Collect, DataCollection};
use sentrace_tower::SentryTracingLayer;
use tower::{Layer, ServiceExt};

use crate::support::{Always, Server, captured_json, data, get, layer, number, only, recording};

/// What is hidden in requests, and must not be found in anything that is sent.
const SECRET: &str = "h1dd3n";

async fn recorded(request: Request<Empty<Bytes>>) -> CapturedTransaction {
    recorded_with(DataCollection::new(), request).await
}

async fn recorded_with(collection: DataCollection, request: Request<Empty<Bytes>>) -> CapturedTransaction {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client).data_collection(collection);
    layer.layer(Always::ok()).oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    only(capture.take())
}

fn with_header(name: &str, value: &str) -> Request<Empty<Bytes>> {
    let mut request = get("/x");
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    request
}

fn header<'a>(captured: &'a CapturedTransaction, name: &str) -> Option<&'a str> {
    let headers = &captured.transaction.request.as_ref().unwrap().headers;
    headers.iter().find(|(recorded, _)| recorded == name).map(|(_, value)| &**value)
}

#[tokio::test]
async fn a_request_is_described_by_the_names_of_the_conventions() {
    let (layer, capture) = layer();
    let server = Server::start(layer.layer(Always::ok())).await;
    let port = server.address().port();
    server
        .ask(&format!(
            "GET /users/7?tab=2&sort=up HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: wire/1\r\n\
             Accept: text/plain\r\nX-Twice: a\r\nX-Twice: b\r\n"
        ))
        .await;
    server.idle().await;
    let captured = only(capture.take());
    let url = format!("http://127.0.0.1:{port}/users/7");
    let full = format!("{url}?tab=2&sort=up");
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.path", "/users/7"),
        ("url.query", "tab=2&sort=up"),
        ("url.scheme", "http"),
        ("url.full", &full),
        ("server.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "wire/1"),
    ] {
        assert_eq!(data(&captured, key), Some(value), "{key}");
    }
    assert_eq!(number(&captured, "server.port"), Some(port.into()));
    let json = serde_json::to_value(&captured.transaction).unwrap();
    assert_eq!(json["request"]["method"], "GET");
    assert_eq!(json["request"]["url"], url);
    assert_eq!(json["request"]["query_string"], "tab=2&sort=up");
    assert_eq!(json["request"]["headers"]["accept"], "text/plain");
    assert_eq!(json["request"]["headers"]["x-twice"], "a, b");
    assert_eq!(json["contexts"]["response"]["status_code"], 200);
}

#[tokio::test]
async fn the_host_is_told_wherever_it_stands() {
    let off = DataCollection::new().request_headers(Collect::Off);
    let little = DataCollection::new().request_headers(Collect::allow(["accept"]));
    let many = 70;
    let rows = [
        (DataCollection::new(), "/x", 0, "http://shop.test:81/x", "in a header that is recorded"),
        (off, "/x", 0, "http://shop.test:81/x", "no header is recorded"),
        (little, "/x", 0, "http://shop.test:81/x", "its header hides its value"),
        (DataCollection::new(), "/x", many, "http://shop.test:81/x", "behind more headers than are recorded"),
        (DataCollection::new(), "https://api.test/x", 0, "https://api.test/x", "the target names another"),
    ];
    for (collection, target, others, url, reason) in rows {
        let mut request = get(target);
        for n in 0..others {
            let name = HeaderName::try_from(format!("x-other-{n}")).unwrap();
            request.headers_mut().append(name, HeaderValue::from_static("v"));
        }
        request.headers_mut().insert("host", HeaderValue::from_static("user:pw@shop.test:81"));
        let captured = recorded_with(collection, request).await;
        assert_eq!(data(&captured, "url.full"), Some(url), "{reason}");
        assert_eq!(captured.transaction.request.as_ref().unwrap().url, url, "{reason}");
    }
}

#[tokio::test]
async fn secrets_in_headers_never_appear() {
    let names = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-session-id",
        "x-amz-security-token",
        "x-forwarded-for",
        "x-real-ip",
        "via",
        "x-forwarded-user",
    ];
    for name in names {
        let captured = recorded(with_header(name, &format!("Bearer {SECRET}; sid={SECRET}"))).await;
        assert_eq!(
            header(&captured, name),
            Some("[Filtered]"),
            "{name}: the name is shown, the value is not"
        );
        assert!(!captured_json(&captured).contains(SECRET), "{name}");
    }
    // A name in capitals is the same name.
    let (layer, capture) = layer();
    let server = Server::start(layer.layer(Always::ok())).await;
    server.ask(&format!("GET /x HTTP/1.1\r\nHost: shop.test\r\nAUTHORIZATION: {SECRET}\r\n")).await;
    server.idle().await;
    assert!(!captured_json(&only(capture.take())).contains(SECRET));
}

#[tokio::test]
async fn secrets_in_urls_never_appear() {
    let rows = [
        (format!("/x?token={SECRET}"), "a query value"),
        (format!("/x?page=1&api_key={SECRET}&sort=up"), "among others"),
        (format!("/x?t%6Fken={SECRET}"), "an escaped name"),
        (format!("/x?TOKEN={SECRET}"), "in capitals"),
        (format!("/x?user[password]={SECRET}"), "a part of a name"),
        (format!("/x?a=1;session={SECRET}"), "behind a semicolon"),
        (format!("/x?token={SECRET}&token={SECRET}"), "twice"),
        (format!("http://user:{SECRET}@shop.test/x"), "the URL's userinfo"),
        (format!("http://{SECRET}@shop.test:8080/x?token={SECRET}"), "a user alone"),
    ];
    for (uri, reason) in rows {
        let captured = recorded(get(&uri)).await;
        let json = captured_json(&captured);
        assert!(!json.contains(SECRET), "{reason}: {json}");
    }
}

#[tokio::test]
async fn secrets_in_urls_inside_headers_never_appear() {
    let rows = [
        ("referer", format!("https://shop.test/reset?token={SECRET}&page=1"), "the page before"),
        ("referer", format!("https://user:{SECRET}@shop.test/reset"), "its userinfo"),
        ("referer", format!("https://user:{SECRET}@shop.test/reset?page=1#key={SECRET}"), "its fragment"),
        ("host", format!("user:{SECRET}@shop.test"), "userinfo where none belongs"),
        ("x-original-url", format!("/reset?token={SECRET}"), "what a proxy rewrote"),
        ("x-rewrite-url", format!("https://a:{SECRET}@shop.test/"), "what a proxy rewrote"),
        ("origin", format!("https://user:{SECRET}@shop.test"), "an origin with userinfo"),
    ];
    for (name, value, reason) in rows {
        let captured = recorded(with_header(name, &value)).await;
        let json = captured_json(&captured);
        assert!(!json.contains(SECRET), "{name}: {reason}: {json}");
        assert!(json.contains("shop.test") || json.contains("/reset"), "{name}: the rest is shown: {json}");
    }
}

#[tokio::test]
async fn secrets_are_recognised_by_their_form_under_harmless_names() {
    let jwt = format!("eyJhbGciOiJub25lIn0.{SECRET}.c2ln");
    let values = [
        (format!("Bearer {SECRET}"), "a token"),
        (format!("bASIC {SECRET}"), "name and password"),
        (format!("Digest username=\"{SECRET}\""), "another scheme"),
        (format!("AWS4-HMAC-SHA256 Credential={SECRET}"), "Amazon's scheme"),
        (jwt.clone(), "a JSON Web Token"),
        (format!("postgres://me:{SECRET}@db/shop"), "a database"),
        (format!("redis://:{SECRET}@cache"), "a cache"),
        (format!("amqps://me:{SECRET}@mq"), "a broker"),
        (format!("mongodb+srv://me:{SECRET}@db"), "a scheme with a plus"),
        (format!("https://shop.test/a?X-Amz-Signature={SECRET}"), "a presigned URL"),
    ];
    for (value, reason) in values {
        for name in ["x-upstream", "x-request-id", "user-agent", "referer", "link"] {
            let captured = recorded(with_header(name, &value)).await;
            assert!(!captured_json(&captured).contains(SECRET), "{name}: {reason}");
        }
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let captured = recorded(get(&format!("/x?page=2&a={encoded}"))).await;
        let json = captured_json(&captured);
        assert!(!json.contains(SECRET) && !json.contains(&encoded), "in a query: {reason}: {json}");
        assert!(json.contains("page=2"), "the rest is shown: {json}");
    }
    let captured = recorded(get(&format!("/verify/{jwt}?state=open"))).await;
    let json = captured_json(&captured);
    assert!(!json.contains(SECRET) && json.contains("/verify/[Filtered]"), "in a path: {json}");
}

#[tokio::test]
async fn what_grants_access_is_hidden_in_a_query_and_the_same_word_elsewhere_is_not() {
    let parameters = [
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "AWSAccessKeyId",
        "Signature",
        "sig",
        "X-Goog-Signature",
        "X-Goog-Credential",
        "GoogleAccessId",
        "Key-Pair-Id",
        "Policy",
        "code",
        "%63ode",
        "SIG",
    ];
    for parameter in parameters {
        let captured = recorded(get(&format!("/x?page=2&{parameter}={SECRET}"))).await;
        let query = Some(format!("page=2&{parameter}=[Filtered]"));
        assert_eq!(data(&captured, "url.query"), query.as_deref());
        assert!(!captured_json(&captured).contains(SECRET), "{parameter}");
        let referer = with_header("referer", &format!("https://shop.test/x?{parameter}={SECRET}"));
        assert!(!captured_json(&recorded(referer).await).contains(SECRET), "{parameter} in a header");
    }
    let captured = recorded(with_header("x-country-code", "de")).await;
    assert_eq!(header(&captured, "x-country-code"), Some("de"));
    let captured = recorded(get("/x?zip_code=1&design=2&state=open")).await;
    assert_eq!(data(&captured, "url.query"), Some("zip_code=1&design=2&state=open"));
}

#[tokio::test]
async fn what_is_collected_can_be_chosen_and_the_denylist_always_holds() {
    let request = || {
        let mut request = get(&format!("/x?page=2&plan=gold&token={SECRET}"));
        for (name, value) in [("accept", "text/plain"), ("x-plan", "gold"), ("authorization", SECRET)] {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        request
    };
    type Row<'a> = (DataCollection, Option<&'a str>, Option<&'a str>, Option<&'a str>, &'a str);
    let filtered = Some("[Filtered]");
    let rows: [Row<'_>; 5] = [
        (
            DataCollection::new(),
            Some("gold"),
            filtered,
            Some("page=2&plan=gold&token=[Filtered]"),
            "by default only the denylist hides",
        ),
        (
            DataCollection::new().request_headers(Collect::deny(["PLAN"])).url_query(Collect::deny(["plan"])),
            filtered,
            filtered,
            Some("page=2&plan=[Filtered]&token=[Filtered]"),
            "more may be denied",
        ),
        (
            DataCollection::new()
                .request_headers(Collect::allow(["plan", "authorization"]))
                .url_query(Collect::allow(["page", "token"])),
            Some("gold"),
            filtered,
            Some("page=2&plan=[Filtered]&token=[Filtered]"),
            "little may be allowed, and never what the denylist names",
        ),
        (
            DataCollection::new().request_headers(Collect::Off).url_query(Collect::Off),
            None,
            None,
            None,
            "or nothing",
        ),
        (
            DataCollection::new().user_info(true),
            Some("gold"),
            filtered,
            Some("page=2&plan=gold&token=[Filtered]"),
            "who asks is no secret, how they prove it is",
        ),
    ];
    for (collection, plan, authorization, query, reason) in rows {
        let captured = recorded_with(collection, request()).await;
        assert_eq!(header(&captured, "x-plan"), plan, "{reason}");
        assert_eq!(header(&captured, "authorization"), authorization, "{reason}");
        assert_eq!(data(&captured, "url.query"), query, "{reason}");
        let recorded = captured.transaction.request.as_ref().unwrap();
        assert_eq!(recorded.query_string.as_deref(), query, "{reason}");
        assert!(!captured_json(&captured).contains(SECRET), "{reason}");
    }
}

#[tokio::test]
async fn personal_headers_are_shown_where_they_are_asked_for() {
    let request = || with_header("x-forwarded-for", "203.0.113.7");
    let hidden = recorded(request()).await;
    assert!(!captured_json(&hidden).contains("203.0.113.7"));
    let shown = recorded_with(DataCollection::new().user_info(true), request()).await;
    assert_eq!(header(&shown, "x-forwarded-for"), Some("203.0.113.7"));
}

#[tokio::test]
async fn trace_headers_are_not_recorded_a_second_time() {
    let captured = recorded(with_header("baggage", "vendor=h1dd3n,sentry-release=a")).await;
    assert_eq!(header(&captured, "baggage"), None);
    assert!(!captured_json(&captured).contains(SECRET), "other vendors' members are theirs");
}

#[tokio::test]
async fn huge_and_odd_requests_are_cut() {
    let mut request = get(&format!("/{}?q={}", "p".repeat(30_000), "q".repeat(30_000)));
    for n in 0..500 {
        let name = HeaderName::from_bytes(format!("x-{n}").as_bytes()).unwrap();
        request.headers_mut().insert(name, HeaderValue::from_str(&"v".repeat(2_000)).unwrap());
    }
    request.headers_mut().insert("x-latin", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    let captured = recorded(request).await;
    let json = captured_json(&captured);
    assert!(json.len() < 128 * 1024, "{} bytes", json.len());

    let mut request = get("/x");
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().insert("x-latin", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    let captured = recorded(request).await;
    assert_eq!(data(&captured, "network.protocol.version"), Some("2"));
    assert_eq!(header(&captured, "x-latin"), Some("caf"), "what is no UTF-8 is cut where it begins");
}

#[tokio::test]
async fn headers_of_the_response_are_recorded_if_the_layer_asks_for_them() {
    for (collect, expected) in [(Collect::Off, None), (Collect::deny_list(), Some(vec!["7"]))] {
        let (client, capture) = recording();
        let collection = DataCollection::new().response_headers(collect);
        let layer = SentryTracingLayer::new().client(client).data_collection(collection);
        let service = tower::service_fn(|_: Request<Empty<Bytes>>| async {
            let response = http::Response::builder().header("x-cart", "7").body(Empty::<Bytes>::new());
            Ok::<_, std::convert::Infallible>(response.unwrap())
        });
        let response = layer.layer(service).oneshot(get("/x")).await.unwrap();
        response.into_body().collect().await.unwrap();
        let data = only(capture.take()).transaction.trace.data;
        let recorded = data.get("http.response.header.x-cart").cloned();
        assert_eq!(recorded, expected.map(sentrace_protocol::Value::from));
    }
}
