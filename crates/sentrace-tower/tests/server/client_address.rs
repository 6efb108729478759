//! Whose request it was, how long it waited and how large it was, over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Request;
use axum::routing::post;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Collect, DataCollection, Options, TraceLifecycle};
use sentrace_protocol::Value;
use sentrace_tower::{
    ForwardedHeader, PeerAddress, SentryRequestSizeLayer, SentryTracingLayer, TrustedProxies,
};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{
    Always, Server, Wire, captured_json, data, get, layer, number, only, recording, recording_with,
};

/// One request with these header lines to an axum server that knows who calls.
async fn captured_of(
    layer: SentryTracingLayer,
    capture: &Capture,
    headers: &str,
    body: &str,
) -> CapturedTransaction {
    let app = Router::new().route("/x", post(async |_: String| "hello")).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(axum::serve(listener, service).into_future());
    let mut wire = Wire::connect(address).await;
    wire.send(&format!(
        "POST /x HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    assert_eq!(wire.rest().await.status(), 200);
    server.abort();
    only(capture.wait_for(1, Duration::from_secs(5)))
}

fn named() -> (SentryTracingLayer, Arc<Capture>) {
    let (client, capture) = recording();
    let collection = DataCollection::new().user_info(true);
    (SentryTracingLayer::new().client(client).data_collection(collection), capture)
}

#[tokio::test]
async fn the_client_is_recorded_past_the_proxies_that_are_trusted() {
    let here = || TrustedProxies::new(["127.0.0.0/8"]).unwrap();
    let forwarded = "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n";
    let rows = [
        (None, forwarded, "127.0.0.1", "nobody is believed by default"),
        (Some(here()), forwarded, "203.0.113.7", "the proxy on this machine is believed"),
        (Some(here()), "", "127.0.0.1", "without a proxy the connection counts"),
        (
            Some(here().header(ForwardedHeader::Forwarded)),
            "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=\"[2001:db8::17]:47011\"\r\n",
            "2001:db8::17",
            "the header that the proxy writes",
        ),
        (
            Some(TrustedProxies::new(["10.0.0.0/8"]).unwrap()),
            forwarded,
            "127.0.0.1",
            "another proxy than this",
        ),
    ];
    for (proxies, headers, client, reason) in rows {
        let (layer, capture) = named();
        let layer = layer.trusted_proxies(proxies.unwrap_or_default());
        let captured = captured_of(layer, &capture, headers, "").await;
        assert_eq!(data(&captured, "client.address"), Some(client), "{reason}");
        let json = serde_json::to_value(&captured.transaction).unwrap();
        assert_eq!(json["user"]["ip_address"], client, "{reason}");
    }
}

#[tokio::test]
async fn without_user_info_no_address_is_recorded() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client).trusted_proxies(TrustedProxies::private());
    let captured = captured_of(layer, &capture, "X-Forwarded-For: 203.0.113.7\r\n", "").await;
    let json = captured_json(&captured);
    for personal in ["203.0.113.7", "127.0.0.1", "client.address", "ip_address"] {
        assert!(!json.contains(personal), "{personal} in {json}");
    }
}

#[tokio::test]
async fn an_address_that_nobody_knows_is_left_out() {
    let (layer, capture) = named();
    layer.layer(Always::ok()).oneshot(get("/x")).await.map(drop).unwrap();
    let json = captured_json(&only(capture.take()));
    assert!(!json.contains("client.address") && !json.contains("\"user\""), "{json}");
}

#[tokio::test]
async fn services_without_a_framework_say_who_calls() {
    let (layer, capture) = named();
    let inner = layer.layer(Always::ok());
    let service = service_fn(move |mut request: Request| {
        request.extensions_mut().insert(PeerAddress::new(([203, 0, 113, 7], 4711).into()));
        inner.clone().oneshot(request)
    });
    service.oneshot(Request::default()).await.map(drop).unwrap();
    assert_eq!(data(&only(capture.take()), "client.address"), Some("203.0.113.7"));
}

#[tokio::test]
async fn hooks_may_ask_for_the_client_whatever_is_recorded() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new()
        .client(client)
        .trusted_proxies(TrustedProxies::private())
        .trust_incoming_if(|request| request.client_address().is_some_and(|client| client.is_loopback()));
    let theirs = "Sentry-Trace: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1\r\n";
    let inside = captured_of(layer.clone(), &capture, theirs, "").await;
    assert!(inside.transaction.trace.parent_span_id.is_some(), "who calls from inside goes on");
    let headers = format!("{theirs}X-Forwarded-For: 203.0.113.7\r\n");
    let outside = captured_of(layer, &capture, &headers, "").await;
    assert_eq!(outside.transaction.trace.parent_span_id, None, "who calls from outside begins here");
}

#[tokio::test]
async fn streamed_spans_tell_the_client_by_attributes() {
    let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream);
    let (client, capture) = recording_with(options);
    let collection = DataCollection::new().user_info(true);
    let layer = SentryTracingLayer::new().client(client).data_collection(collection);
    let mut request = get("/x");
    request.extensions_mut().insert(PeerAddress::new(([203, 0, 113, 7], 4711).into()));
    layer.layer(Always::ok()).oneshot(request).await.map(drop).unwrap();
    let spans = capture.take_spans();
    for key in ["client.address", "user.ip_address"] {
        assert_eq!(spans[0].span.attributes.get(key), Some(&Value::from("203.0.113.7")), "{key}");
    }
}

fn time_in_queue(captured: &CapturedTransaction) -> Option<Duration> {
    match captured.transaction.trace.data.get("http.server.request.time_in_queue")? {
        Value::Float(milliseconds) => Some(Duration::from_secs_f64(milliseconds / 1e3)),
        other => panic!("no number: {other:?}"),
    }
}

#[tokio::test]
async fn the_time_before_the_service_is_recorded_by_what_the_proxy_wrote() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client);
    let waited = Duration::from_secs(2);
    let arrived = (SystemTime::now() - waited).duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let header = format!("X-Request-Start: t={:.3}\r\n", arrived.as_secs_f64());
    let captured = captured_of(layer.clone(), &capture, &header, "").await;
    let queued = time_in_queue(&captured).unwrap();
    let (least, most) = (waited - Duration::from_millis(1), waited + Duration::from_secs(10));
    assert!((least..most).contains(&queued), "{queued:?}");

    let captured = captured_of(layer.clone(), &capture, "X-Request-Start: t=soon\r\n", "").await;
    assert_eq!(time_in_queue(&captured), None, "nonsense is left out");
    let sparing = layer.data_collection(DataCollection::new().request_headers(Collect::Off));
    let captured = captured_of(sparing, &capture, &header, "").await;
    assert_eq!(time_in_queue(&captured), None, "headers are not collected");
}

#[tokio::test]
async fn the_size_of_the_request_is_what_its_header_says() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client);
    let captured = captured_of(layer.clone(), &capture, "", "twelve bytes").await;
    assert_eq!(number(&captured, "http.request.body.size"), Some(12));
    let sparing = layer.data_collection(DataCollection::new().request_headers(Collect::allow(["accept"])));
    let captured = captured_of(sparing, &capture, "", "twelve bytes").await;
    assert_eq!(number(&captured, "http.request.body.size"), None, "the header is not collected");
}

#[tokio::test]
async fn the_size_of_an_upload_that_does_not_tell_it_is_counted_where_it_is_read() {
    let rows = [
        (
            "/read",
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
            Some(12),
            "read",
        ),
        ("/read", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", Some(0), "read, and empty"),
        ("/leave", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", None, "not read"),
        ("/leave", "Content-Length: 5\r\n", "hello", Some(5), "not read, but told"),
        ("/read", "", "", None, "no body"),
    ];
    for (path, header, body, size, reason) in rows {
        let (layer, capture) = layer();
        let app = Router::new()
            .route("/read", post(async |_: String| "thanks"))
            .route("/leave", post(async || "no, thanks"))
            .layer(SentryRequestSizeLayer::new())
            .layer(layer);
        let server = Server::start(app).await;
        let mut wire = server.connect().await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n{header}\r\n");
        wire.send(&(head + body)).await;
        assert_eq!(wire.rest().await.status(), 200, "{reason}");
        server.idle().await;
        assert_eq!(number(&only(capture.take()), "http.request.body.size"), size, "{reason}");
    }
}
