//! hyper-util's client behind the layer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use sentrace_core::{Options, Origin, testing::Capture};
use sentrace_protocol::{SentryTrace, SpanStatus};
use sentrace_tower::SentryClientLayer;
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};

use crate::support::{echo, get, hyper, in_time, lines, only, only_span, recording, recording_to, value};

#[tokio::test]
async fn a_call_is_a_child_span_and_the_server_finds_it_as_parent() {
    let (client, capture) = recording();
    let address = echo().await;
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let transaction = client.start_transaction("test", "task");
    let call = http.oneshot(get(format!("http://{address}/users/7?page=2&token=abc")));
    let sent = lines(transaction.scope(in_time(call)).await.unwrap()).await;
    transaction.finish();

    let captured = only(&capture).await;
    let span = only_span(&captured);
    assert_eq!(span.op, "http.client");
    assert_eq!(span.origin, "auto.http.tower");
    assert_eq!(span.description.as_deref(), Some(&*format!("GET http://{address}/users/7")));
    assert_eq!(span.status, Some(SpanStatus::Ok));
    assert_eq!(span.parent_span_id, Some(captured.transaction.trace.span_id));
    let full = format!("http://{address}/users/7?page=2&token=[Filtered]");
    let rows = [
        ("http.request.method", "GET".into()),
        ("server.address", "127.0.0.1".into()),
        ("server.port", address.port().into()),
        ("url.path", "/users/7".into()),
        ("url.query", "page=2&token=[Filtered]".into()),
        ("url.full", full.as_str().into()),
        ("http.response.status_code", 200.into()),
    ];
    for (key, expected) in rows {
        assert_eq!(value(&span.data, key), Some(&expected), "{key}");
    }
    let trace: SentryTrace = sent[0].parse().unwrap();
    assert_eq!(trace.trace_id, captured.transaction.trace.trace_id);
    assert_eq!(trace.span_id, span.span_id);
    assert_eq!(trace.sampled, Some(true));
    assert!(sent[1].contains(&format!("sentry-trace_id={}", trace.trace_id)), "{sent:?}");
    assert_eq!(sent[2], "none", "traceparent only where it was asked for");
}

#[tokio::test]
async fn statuses_follow_the_answer() {
    let address = echo().await;
    for (code, status) in [(204, SpanStatus::Ok), (404, SpanStatus::NotFound), (503, SpanStatus::Unavailable)]
    {
        let (client, capture) = recording();
        let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
        let transaction = client.start_transaction("test", "task");
        let call = http.oneshot(get(format!("http://{address}/status/{code}")));
        transaction.scope(in_time(call)).await.map(drop).unwrap();
        transaction.finish();
        let captured = only(&capture).await;
        assert_eq!(only_span(&captured).status, Some(status), "{code}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_allowed_gets_a_span_and_no_headers() {
    let (client, capture) = recording_to(Origin::host("elsewhere.test"));
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let transaction = client.start_transaction("test", "task");
    let call = http.oneshot(get(format!("http://{}/", echo().await)));
    let sent = lines(transaction.scope(in_time(call)).await.unwrap()).await;
    transaction.finish();
    assert_eq!(sent, ["none", "none", "none"]);
    only_span(&only(&capture).await);
}

/// Resolves every name to one address, as whoever owns a name can.
fn resolving_to(
    address: SocketAddr,
) -> Client<
    HttpConnector<
        impl Service<Name, Response = std::iter::Once<SocketAddr>, Error = io::Error, Future: Send> + Clone,
    >,
    Empty<Bytes>,
> {
    let resolver =
        tower::service_fn(move |_: Name| std::future::ready(Ok::<_, io::Error>(std::iter::once(address))));
    Client::builder(TokioExecutor::new()).build(HttpConnector::new_with_resolver(resolver))
}

#[tokio::test]
async fn only_the_host_that_is_connected_to_decides() {
    let address = echo().await;
    let port = address.port();
    let rows = [
        ("inside.test", format!("http://inside.test:{port}/"), true, "the host"),
        ("inside.test", format!("http://a.INSIDE.test.:{port}/"), true, "one below it, in another spelling"),
        (
            "inside.test",
            format!("http://evil.test:[::1].inside.test:{port}/"),
            false,
            "hyper connects to evil.test",
        ),
        ("localhost", format!("http://evil.test:[::1].localhost:{port}/"), false, "the same by default"),
        ("inside.test", format!("http://inside.test@evil.test:{port}/"), false, "a user"),
        ("127.0.0.1", format!("http://evil.127.0.0.1:{port}/"), false, "an address has no subdomains"),
        ("127.0.0.1", format!("http://127.0.0.1:{port}/"), true, "the address"),
    ];
    for (origin, url, allowed, reason) in rows {
        let (client, _capture) = recording_to(Origin::host(origin));
        let http = SentryClientLayer::new().client(client.clone()).layer(resolving_to(address));
        let call = http.oneshot(get(url));
        let response = client.start_transaction("test", "task").scope(in_time(call)).await;
        let sent = lines(response.unwrap()).await;
        assert_eq!(sent[0] != "none", allowed, "{reason}: {sent:?}");
        assert_eq!(sent[1] != "none", allowed, "{reason}: {sent:?}");
    }
}

#[tokio::test]
async fn a_request_without_a_host_in_its_uri_goes_where_its_host_header_says() {
    type Row<'a> = (&'a [&'a str], Option<&'a str>, bool, &'a str, Option<&'a str>, Option<i64>, &'a str);
    let rows: [Row<'_>; 6] = [
        (&["127.0.0.1:81"], None, true, "GET http://127.0.0.1:81/x", Some("127.0.0.1"), Some(81), "allowed"),
        (
            &["127.0.0.1"],
            None,
            true,
            "GET http://127.0.0.1/x",
            Some("127.0.0.1"),
            None,
            "its scheme is unknown",
        ),
        (&["evil.test"], None, false, "GET http://evil.test/x", Some("evil.test"), None, "not allowed"),
        (&[], None, false, "GET /x", None, None, "an unknown host"),
        (&["127.0.0.1", "evil.test"], None, false, "GET /x", None, None, "two hosts"),
        (
            &["evil.test"],
            Some("https://127.0.0.1"),
            true,
            "GET https://127.0.0.1/x",
            Some("127.0.0.1"),
            Some(443),
            "the layer knows better",
        ),
    ];
    for (hosts, endpoint, allowed, description, address, port, reason) in rows {
        let (client, capture) = recording();
        let mut layer = SentryClientLayer::new().client(client.clone());
        if let Some(endpoint) = endpoint {
            layer = layer.endpoint(endpoint.parse().unwrap());
        }
        let sent = tower::service_fn(async |request: Request<Empty<Bytes>>| {
            let traced = request.headers().contains_key("sentry-trace");
            Ok::<_, io::Error>(
                Response::builder().header("traced", traced.to_string()).body(Empty::<Bytes>::new()).unwrap(),
            )
        });
        let mut request = get("/x".to_owned());
        for host in hosts {
            request.headers_mut().append("host", host.parse().unwrap());
        }
        let transaction = client.start_transaction("test", "task");
        let response = transaction.scope(layer.layer(sent).oneshot(request)).await.unwrap();
        transaction.finish();
        assert_eq!(response.headers()["traced"], allowed.to_string().as_str(), "{reason}");
        let captured = only(&capture).await;
        let span = only_span(&captured);
        assert_eq!(span.description.as_deref(), Some(description), "{reason}");
        assert_eq!(value(&span.data, "server.address"), address.map(Into::into).as_ref(), "{reason}");
        assert_eq!(value(&span.data, "server.port"), port.map(Into::into).as_ref(), "{reason}");
    }
}

#[tokio::test]
async fn text_and_patterns_see_scheme_and_host_in_lower_case() {
    let address = echo().await;
    let url = format!("HTTP://API.Inside.TEST:{}/V1", address.port());
    let rows = [
        (Origin::contains("http://api.inside.test"), true, "in lower case"),
        (Origin::contains("API.Inside.TEST"), true, "as it is written"),
        (Origin::contains("/V1"), true, "a path"),
        (Origin::contains("/v1"), true, "a path has no case"),
        (Origin::regex(r"^http://[a-z.]+:\d+/V1$").unwrap(), true, "a pattern"),
    ];
    for (origin, allowed, reason) in rows {
        let (client, _capture) = recording_to(origin);
        let http = SentryClientLayer::new().client(client.clone()).layer(resolving_to(address));
        let call = http.oneshot(get(url.clone()));
        let response = client.start_transaction("test", "task").scope(in_time(call)).await;
        assert_eq!(lines(response.unwrap()).await[0] != "none", allowed, "{reason}");
    }
}

#[tokio::test]
async fn the_host_of_the_dsn_is_left_alone() {
    let address = echo().await;
    let options = Options::new().traces_sample_rate(1.0).dsn(format!("http://key@{address}/1"));
    let (client, capture) = Capture::client(options).unwrap();
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let transaction = client.start_transaction("test", "task");
    let sent = transaction.scope(in_time(http.oneshot(get(format!("http://{address}/"))))).await.unwrap();
    assert_eq!(lines(sent).await, ["none", "none", "none"]);
    transaction.finish();
    assert!(only(&capture).await.transaction.spans.is_empty());
}

#[tokio::test]
async fn without_a_transaction_the_trace_still_goes_on() {
    let (client, capture) = recording();
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let address = echo().await;
    let trace =
        client.continue_trace(&[("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")]);
    let call = http.clone().oneshot(get(format!("http://{address}/")));
    let sent = lines(trace.scope(in_time(call)).await.unwrap()).await;
    assert_eq!(sent[0], "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1");
    let sent = lines(in_time(http.oneshot(get(format!("http://{address}/")))).await.unwrap()).await;
    let process = client.process_trace().trace_id().unwrap();
    assert!(sent[0].starts_with(&process.to_string()), "outside any trace: the process's own: {sent:?}");
    assert!(capture.take().is_empty());
}

#[tokio::test]
async fn what_the_application_set_stays() {
    let (client, _) = recording();
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let address = echo().await;
    let own = "11111111111111111111111111111111-2222222222222222-0";
    let rows = [
        ("sentry-trace", own, own, "none", "a trace of its own: nothing is added"),
        ("baggage", "tenant=7", "", "tenant=7,sentry-", "other vendors' members come first"),
    ];
    for (name, set, sentry_trace, baggage, reason) in rows {
        let mut request = get(format!("http://{address}/"));
        request.headers_mut().insert(name, set.parse().unwrap());
        let transaction = client.start_transaction("test", "task");
        let sent = lines(transaction.scope(in_time(http.clone().oneshot(request))).await.unwrap()).await;
        assert!(sent[0].starts_with(sentry_trace), "{reason}: {sent:?}");
        assert!(sent[1].starts_with(baggage), "{reason}: {sent:?}");
    }
}

#[tokio::test]
async fn a_call_that_fails_is_an_internal_error_of_its_kind() {
    let (client, capture) = recording();
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let transaction = client.start_transaction("test", "task");
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = transaction.scope(in_time(http.oneshot(get(format!("http://{closed}/"))))).await.map(drop);
    assert!(error.unwrap_err().is_connect(), "the client's own error");
    transaction.finish();
    let captured = only(&capture).await;
    let span = only_span(&captured);
    assert_eq!(span.status, Some(SpanStatus::InternalError));
    let kind = value(&span.data, "error.type").map(|kind| format!("{kind:?}")).unwrap();
    assert!(kind.contains("hyper_util::client::legacy"), "{kind}");
    assert_eq!(value(&span.data, "http.response.status_code"), None);
}

#[tokio::test]
async fn a_call_that_is_dropped_was_cancelled() {
    let (client, capture) = recording();
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    // Accepts and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let call = http.oneshot(get(format!("http://{}/", listener.local_addr().unwrap())));
    let transaction = client.start_transaction("test", "task");
    transaction.scope(tokio::time::timeout(Duration::from_millis(50), call)).await.map(drop).unwrap_err();
    transaction.finish();
    assert_eq!(only_span(&only(&capture).await).status, Some(SpanStatus::Cancelled));
}

#[tokio::test]
async fn a_request_without_a_host_goes_where_the_endpoint_is() {
    let address = echo().await;
    let endpoint: http::Uri = format!("http://{address}").parse().unwrap();
    let rows = [(Some(endpoint), true, "named by the layer"), (None, false, "unknown: nothing may leave")];
    for (endpoint, carries, reason) in rows {
        let (client, capture) = recording();
        let mut layer = SentryClientLayer::new().client(client.clone());
        if let Some(endpoint) = endpoint {
            layer = layer.endpoint(endpoint);
        }
        // As tonic's channel, the client inside puts its own host on the request.
        let inner = tower::util::MapRequest::new(hyper(), move |mut request: Request<_>| {
            *request.uri_mut() = format!("http://{address}{}", request.uri().path()).parse().unwrap();
            request
        });
        let transaction = client.start_transaction("test", "task");
        let call = layer.layer(inner).oneshot(get("/users/7".to_owned()));
        let sent = lines(transaction.scope(in_time(call)).await.unwrap()).await;
        transaction.finish();
        assert_eq!(sent[0] != "none", carries, "{reason}");
        let captured = only(&capture).await;
        let span = only_span(&captured);
        assert_eq!(value(&span.data, "server.address").is_some(), carries, "{reason}");
        assert_eq!(value(&span.data, "http.request.method"), Some(&Method::GET.as_str().into()), "{reason}");
    }
}

#[tokio::test]
async fn without_any_client_of_sentrace_a_request_stays_as_it_is() {
    // This test binary binds no global client.
    let http = SentryClientLayer::new().layer(hyper());
    let sent = lines(in_time(http.oneshot(get(format!("http://{}/", echo().await)))).await.unwrap()).await;
    assert_eq!(sent, ["none", "none", "none"]);
}

#[tokio::test]
async fn methods_that_an_application_makes_up_are_named_together() {
    let rows = [
        ("GET", "GET", "GET", None),
        ("QUERY", "QUERY", "QUERY", None),
        ("X7", "HTTP", "_OTHER", Some("X7")),
        ("get", "HTTP", "_OTHER", Some("get")),
        ("PROPFIND", "HTTP", "_OTHER", Some("PROPFIND")),
    ];
    for (method, named, recorded, original) in rows {
        // A rule looks at the name before the span starts; without one the record writes it.
        for rules in [None, Some("nothing has this name")] {
            let options = Options::new().traces_sample_rate(1.0).ignore_spans(rules);
            let (client, capture) =
                Capture::client(options.tracing_origins([Origin::host("127.0.0.1")])).unwrap();
            let address = echo().await;
            let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
            let transaction = client.start_transaction("test", "task");
            let mut request = get(format!("http://{address}/users/7"));
            *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
            transaction.scope(in_time(http.oneshot(request))).await.unwrap();
            transaction.finish();
            let captured = only(&capture).await;
            let span = only_span(&captured);
            assert_eq!(span.description.as_deref(), Some(&*format!("{named} http://{address}/users/7")));
            assert_eq!(value(&span.data, "http.request.method"), Some(&recorded.into()), "{method}");
            assert_eq!(
                value(&span.data, "http.request.method_original"),
                original.map(Into::into).as_ref(),
                "{method}"
            );
        }
    }
}
