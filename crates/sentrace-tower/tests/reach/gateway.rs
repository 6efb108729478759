//! Where requests go on: a gateway that hands on its caller's headers, and redirects.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use http::HeaderMap;
use sentrace_core::testing::Capture;
use sentrace_core::{Client, InCurrentSpan as _, Options, Origin};
use sentrace_protocol::SentryTrace;
use sentrace_tower::{SentryClientLayer, SentryTracingLayer};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use crate::support::{echo, get, hyper, in_time, lines, only, only_span, recording_to, serve};

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn client(options: Options) -> (Client, Arc<Capture>) {
    Capture::client(options).unwrap()
}

/// Sends each request on to `behind` with the headers that it came with, from a task of its own.
async fn gateway(client: &Client, layer: SentryTracingLayer, behind: SocketAddr) -> SocketAddr {
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let forward = async move |headers: HeaderMap| {
        let mut onward = get(format!("http://{behind}/"));
        *onward.headers_mut() = headers;
        let answer = tokio::spawn(http.oneshot(onward).in_current_span()).await.unwrap();
        answer.unwrap().map(Body::new)
    };
    serve(Router::new().fallback(forward).layer(layer.client(client.clone()))).await
}

/// What the service behind the gateway is sent for a request with these headers.
async fn sent(gateway: SocketAddr, headers: &[(&'static str, &str)]) -> Vec<String> {
    let mut request = get(format!("http://{gateway}/"));
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    lines(in_time(hyper().request(request)).await.unwrap()).await
}

#[tokio::test]
async fn headers_that_a_request_came_with_are_replaced_when_they_are_handed_on() {
    let joined = format!("{CALLER}, {CALLER}");
    let other = "11111111111111111111111111111111-2222222222222222-1";
    let rows: [(&[&str], bool, &str); 9] = [
        (&[CALLER], true, "one value"),
        (&[&joined], true, "the same twice, joined by a proxy"),
        (&[CALLER, CALLER], true, "the same twice"),
        (&["nonsense"], false, "nonsense"),
        (&[""], false, "nothing"),
        (&["undefined"], false, "a script's word for nothing"),
        (&[CALLER, other], false, "two that differ"),
        (&[CALLER, "nonsense"], false, "one that cannot be read"),
        (&[], false, "no header"),
    ];
    for trusts in [true, false] {
        for (values, readable, reason) in rows {
            let options = Options::new().traces_sample_rate(1.0).tracing_origins([Origin::host("127.0.0.1")]);
            let (client, capture) = client(options);
            let layer = SentryTracingLayer::new().trust_incoming(trusts);
            let gateway = gateway(&client, layer, echo().await).await;
            let mut headers: Vec<_> = values.iter().map(|value| ("sentry-trace", *value)).collect();
            headers.push(("baggage", "tenant=7,sentry-release=theirs"));
            let sent = sent(gateway, &headers).await;
            let claim = format!("{reason}, trusted: {trusts}: {sent:?}");

            let captured = only(&capture).await;
            let trace: SentryTrace = sent[0].parse().unwrap();
            assert_eq!(trace.trace_id, captured.transaction.trace.trace_id, "{claim}");
            assert_eq!(trace.span_id, only_span(&captured).span_id, "the gateway's own call: {claim}");
            let goes_on = trusts && readable;
            assert_eq!(trace.trace_id.to_string() == CALLER[..32], goes_on, "{claim}");
            assert!(sent[1].starts_with("tenant=7,"), "handed on by the gateway itself: {claim}");
            assert_eq!(sent[1].contains("theirs"), goes_on, "{claim}");
        }
    }
}

#[tokio::test]
async fn an_untrusting_edge_does_not_forward_foreign_traces() {
    type Set = fn(SentryTracingLayer) -> SentryTracingLayer;
    let rows: [(Options, Set, &str); 4] = [
        (Options::new().traces_sample_rate(1.0), |layer| layer, "recorded"),
        (Options::new().traces_sample_rate(1.0), |layer| layer.filter(|_| false), "filtered"),
        (Options::new().traces_sample_rate(0.0), |layer| layer, "not sampled"),
        (Options::new(), |layer| layer, "tracing is off"),
    ];
    for (options, set, reason) in rows {
        let (client, _capture) = client(options.tracing_origins([Origin::host("127.0.0.1")]));
        let layer = set(SentryTracingLayer::new().trust_incoming(false));
        let gateway = gateway(&client, layer, echo().await).await;
        let headers = [
            ("sentry-trace", CALLER),
            (
                "baggage",
                "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-org_id=9,sentry-sampled=true",
            ),
            ("traceparent", W3C),
        ];
        let sent = sent(gateway, &headers).await;
        let trace: SentryTrace = sent[0].parse().unwrap();
        assert_ne!(trace.trace_id.to_string(), CALLER[..32], "{reason}: {sent:?}");
        assert!(sent[1].contains(&format!("sentry-trace_id={}", trace.trace_id)), "{reason}: {sent:?}");
        assert!(!sent[1].contains("sentry-org_id=9"), "{reason}: {sent:?}");
        assert_eq!(sent[2], "none", "{reason}");
    }
}

#[tokio::test]
async fn a_forwarded_traceparent_is_replaced_by_ours() {
    for headers in [&[("traceparent", W3C)][..], &[("sentry-trace", CALLER), ("traceparent", W3C)]] {
        let options = Options::new()
            .traces_sample_rate(1.0)
            .tracing_origins([Origin::host("127.0.0.1")])
            .continue_traceparent(true)
            .propagate_traceparent(true);
        let (client, capture) = client(options);
        let gateway = gateway(&client, SentryTracingLayer::new(), echo().await).await;
        let sent = sent(gateway, headers).await;
        let captured = only(&capture).await;
        let call = only_span(&captured).span_id;
        assert_eq!(sent[0], format!("0af7651916cd43dd8448eb211c80319c-{call}-1"), "{headers:?}");
        assert_eq!(sent[2], format!("00-0af7651916cd43dd8448eb211c80319c-{call}-01"), "{headers:?}");
    }
}

#[tokio::test]
async fn nothing_of_a_callers_trace_is_forwarded_to_a_foreign_host() {
    for trusts in [true, false] {
        for value in [CALLER, "nonsense"] {
            let options = Options::new().traces_sample_rate(1.0).tracing_origins([Origin::host("ours.test")]);
            let (client, capture) = client(options);
            let layer = SentryTracingLayer::new().trust_incoming(trusts);
            let gateway = gateway(&client, layer, echo().await).await;
            let headers = [
                ("sentry-trace", value),
                ("baggage", "sentry-release=theirs,tenant=7"),
                ("traceparent", W3C),
            ];
            let sent = sent(gateway, &headers).await;
            assert_eq!(sent, ["none", "tenant=7", "none"], "{value}, trusted: {trusts}");
            assert_eq!(only(&capture).await.transaction.spans.len(), 1, "the call is recorded");
        }
    }
}

#[tokio::test]
async fn a_redirect_that_is_followed_outside_the_layer_carries_nothing_to_a_foreign_host() {
    let foreign = format!("http://{}/elsewhere", echo().await);
    let elsewhere = foreign.clone();
    let router = Router::new().fallback(async move || Redirect::temporary(&elsewhere));
    let home = serve(router).await;
    let (client, capture) = recording_to(Origin::contains(home.to_string()));
    let http = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(SentryClientLayer::new().client(client.clone()))
        .service(hyper());
    let transaction = client.start_transaction("test", "task");
    let call = http.oneshot(get(format!("http://{home}/moved")));
    let sent = lines(transaction.scope(in_time(call)).await.unwrap()).await;
    transaction.finish();
    assert_eq!(sent, ["none", "none", "none"]);
    let captured = only(&capture).await;
    captured.expect_span(&format!("GET http://{home}/moved"));
    captured.expect_span(&format!("GET {foreign}"));
}
