//! Traces that come in: continued, passed on, or not believed.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{Empty, Full};
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Options, TraceLifecycle, current_span};
use sentrace_protocol::SentryTrace;
use sentrace_tower::SentryTracingLayer;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{
    Always, PARENT_ID, SENTRY_TRACE, Server, TRACE_ID, get, layer, only, recording, recording_with,
};

const BAGGAGE: &str = "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-public_key=head,\
    sentry-sample_rate=0.25,sentry-sample_rand=0.104233,sentry-sampled=true,sentry-release=front%401";

fn with_headers(headers: &[(&str, &[u8])]) -> Request<Empty<Bytes>> {
    let mut request = get("/x");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

/// What the service would send on: `sentry-trace`, `baggage`.
type Outgoing = (SentryTrace, Option<String>);

/// Answers with status 200, and tells what calls of its handler would carry.
async fn call(layer: &SentryTracingLayer, request: Request<Empty<Bytes>>) -> Outgoing {
    let (tell, told) = std::sync::mpsc::channel();
    let service = service_fn(move |_| {
        let headers = current_span().trace_headers().expect("a trace is current");
        tell.send((headers.sentry_trace(), headers.baggage().map(str::to_owned))).unwrap();
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
    });
    let response = layer.layer(service).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    told.recv().unwrap()
}

async fn call_and_capture(request: Request<Empty<Bytes>>) -> (Outgoing, CapturedTransaction) {
    let (layer, capture) = layer();
    let outgoing = call(&layer, request).await;
    (outgoing, only(capture.take()))
}

#[tokio::test]
async fn an_incoming_trace_is_continued_and_its_baggage_goes_on_byte_for_byte() {
    let request = with_headers(&[
        ("sentry-trace", SENTRY_TRACE.as_bytes()),
        ("baggage", b"tenant=7,"),
        ("baggage", BAGGAGE.as_bytes()),
        ("baggage", b"other-vendor=1;ttl=3"),
    ]);
    let ((sentry_trace, baggage), captured) = call_and_capture(request).await;
    let transaction = &captured.transaction;
    assert_eq!(transaction.trace.trace_id.to_string(), TRACE_ID);
    assert_eq!(transaction.trace.parent_span_id.unwrap().to_string(), PARENT_ID);
    assert_eq!(sentry_trace.to_string(), format!("{TRACE_ID}-{}-1", transaction.trace.span_id));
    assert_eq!(baggage.as_deref(), Some(BAGGAGE), "other vendors' members stay behind");
    let context = captured.dynamic_sampling_context.unwrap();
    assert_eq!(context.get("public_key"), Some("head"), "the head's context, not ours");
    assert_eq!(context.get("release"), Some("front@1"));
}

#[tokio::test]
async fn sentry_trace_alone_freezes_an_empty_context() {
    let ((_, baggage), captured) =
        call_and_capture(with_headers(&[("sentry-trace", SENTRY_TRACE.as_bytes())])).await;
    assert_eq!(captured.transaction.trace.trace_id.to_string(), TRACE_ID);
    assert_eq!(baggage, None);
    assert_eq!(captured.dynamic_sampling_context, None);
}

#[tokio::test]
async fn baggage_alone_continues_nothing() {
    let ((_, baggage), captured) = call_and_capture(with_headers(&[("baggage", BAGGAGE.as_bytes())])).await;
    assert_ne!(captured.transaction.trace.trace_id.to_string(), TRACE_ID);
    assert!(
        !baggage.unwrap().contains("sentry-public_key=head"),
        "a trace of our own has a context of our own"
    );
}

#[tokio::test]
async fn sentry_trace_that_cannot_be_used_is_as_good_as_absent() {
    let other = "1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
    let long = "a".repeat(64 * 1024);
    let zeros = format!("{}-{PARENT_ID}-1", "0".repeat(32));
    let zero_span = format!("{TRACE_ID}-0000000000000000-1");
    let rows: [(&[&[u8]], &str); 12] = [
        (&[b""], "empty"),
        (&[b"nonsense"], "not the grammar"),
        (&[b"0af7651916cd43dd8448eb211c80319c"], "no span id"),
        (&[b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-2"], "an unknown decision"),
        (&[b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1-1"], "too many parts"),
        (&[b"0gf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"], "not hexadecimal"),
        (&[zeros.as_bytes()], "the trace id is zero"),
        (&[zero_span.as_bytes()], "the span id is zero"),
        (&[b"\xff\xfe\x80-b7ad6b7169203331-1"], "not ASCII"),
        (&[long.as_bytes()], "64 KB"),
        (&[SENTRY_TRACE.as_bytes(), other.as_bytes()], "two that differ"),
        (&[SENTRY_TRACE.as_bytes(), b"nonsense"], "a good one and a bad one"),
    ];
    for (values, reason) in rows {
        let headers: Vec<_> = values.iter().map(|value| ("sentry-trace", *value)).collect();
        let mut request = with_headers(&headers);
        request.headers_mut().append("baggage", HeaderValue::from_static(BAGGAGE));
        let ((sentry_trace, baggage), captured) = call_and_capture(request).await;
        let trace = &captured.transaction.trace;
        assert_ne!(trace.trace_id.to_string(), TRACE_ID, "{reason}");
        assert_eq!(trace.parent_span_id, None, "{reason}");
        assert_eq!(sentry_trace.trace_id, trace.trace_id, "{reason}");
        assert!(!baggage.unwrap().contains("public_key=head"), "baggage of no trace is dropped: {reason}");
    }
}

#[tokio::test]
async fn several_values_of_one_trace_and_decision_go_on_from_the_last() {
    let of = |span: &str, decision: &str| format!("{TRACE_ID}-{span}{decision}");
    let [a, b] = ["866c84dc2567c8f8", "93087b3851841ee2"];
    let elsewhere = of(a, "-1").replacen('0', "1", 1);
    let joined = |values: [String; 2]| vec![values.join(", ")];
    let rows: [(Vec<String>, Option<&str>, &str); 12] = [
        (vec![of(a, "-1"), of(a, "-1")], Some(a), "the same twice"),
        (vec![of(a, "-1"), of(b, "-1")], Some(b), "two fields"),
        (joined([of(a, "-1"), of(b, "-1")]), Some(b), "joined by a proxy"),
        (joined([of(a, "-0"), of(b, "-0")]), Some(b), "both decided against"),
        (joined([of(a, ""), of(b, "")]), Some(b), "both left it open"),
        (vec![of(a, "-1"), joined([of(b, "-1"), of(a, "-1")]).remove(0)], Some(a), "one field of two values"),
        (joined([of(a, "-1"), of(b, "-0")]), None, "two decisions"),
        (joined([of(a, "-1"), of(b, "")]), None, "a decision and none"),
        (joined([of(a, "-1"), elsewhere.clone()]), None, "two traces"),
        (vec![elsewhere, of(a, "-1"), of(b, "-1")], None, "two traces among three"),
        (joined([of(a, "-1"), "nonsense".into()]), None, "one of them cannot be read"),
        (vec![of(a, "-1"), of(b, "-0"), of(b, "-0")], None, "the last does not settle it"),
    ];
    for (values, parent, reason) in rows {
        let headers: Vec<_> = values.iter().map(|value| ("sentry-trace", value.as_bytes())).collect();
        let (layer, capture) = layer();
        let layer = layer.sampler(|_| 1.0);
        layer.layer(Always::ok()).oneshot(with_headers(&headers)).await.map(drop).unwrap();
        let trace = only(capture.take()).transaction.trace;
        assert_eq!(trace.parent_span_id.map(|id| id.to_string()).as_deref(), parent, "{reason}");
        assert_eq!(trace.trace_id.to_string() == TRACE_ID, parent.is_some(), "{reason}");
    }
}

#[tokio::test]
async fn baggage_that_cannot_be_used_is_left_out_and_the_trace_goes_on() {
    let oversized = format!("sentry-a={},sentry-release=front%401", "x".repeat(64 * 1024));
    let many: String = (0..20_000).map(|n| format!("sentry-k{n}=v,")).collect();
    let foreign = format!("vendor={}", "x".repeat(64 * 1024));
    type Row<'a> = (&'a [&'a [u8]], Option<&'a str>, &'a str);
    let rows: [Row<'_>; 7] = [
        (&[b",,,;;=,sentry-,=x,sentry-a"], None, "no members at all"),
        (
            &[b"sentry-a=\xff\xfe,sentry-release=front%401"],
            Some("sentry-release=front%401"),
            "one is not ASCII",
        ),
        (&[b"sentry-release=front%401", b"sentry-release=other"], None, "a key twice: both are passed on"),
        (&[oversized.as_bytes()], Some("sentry-release=front%401"), "one member of 64 KB"),
        (&[many.as_bytes()], None, "20,000 members"),
        (&[foreign.as_bytes()], None, "64 KB of another vendor"),
        (&[b"sentry-sample_rate=NaN,sentry-sample_rand=-3"], None, "numbers that are none"),
    ];
    for (fields, expected, reason) in rows {
        let mut headers = vec![("sentry-trace", SENTRY_TRACE.as_bytes())];
        headers.extend(fields.iter().map(|field| ("baggage", *field)));
        let ((_, baggage), captured) = call_and_capture(with_headers(&headers)).await;
        assert_eq!(captured.transaction.trace.trace_id.to_string(), TRACE_ID, "{reason}");
        let baggage = baggage.unwrap_or_default();
        assert!(baggage.len() <= 8192, "{} bytes are kept: {reason}", baggage.len());
        assert!(HeaderValue::from_str(&baggage).is_ok(), "it can be sent on: {reason}");
        if let Some(expected) = expected {
            assert_eq!(baggage, expected, "{reason}");
        }
    }
}

#[tokio::test]
async fn hostile_headers_over_a_real_connection_are_served() {
    let (layer, capture) = layer();
    let server = Server::start(layer.layer(Always::ok())).await;
    let long = "x".repeat(64 * 1024);
    let hostile: [(&[u8], &str); 4] = [
        (b"sentry-trace: \xff\xfe\xfd\r\nbaggage: \xc3\x28,sentry-a=\x80\r\n", "not UTF-8"),
        (format!("baggage: sentry-a={long}\r\n").leak().as_bytes(), "64 KB of baggage"),
        (format!("sentry-trace: {long}\r\n").leak().as_bytes(), "64 KB of sentry-trace"),
        (b"sentry-trace:\r\nbaggage:\r\n", "nothing in them"),
    ];
    for (headers, reason) in hostile {
        let mut wire = server.connect().await;
        wire.send("GET /x HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n").await;
        wire.send(headers).await;
        wire.send("\r\n").await;
        assert_eq!(wire.rest().await.status(), 200, "{reason}");
        server.idle().await;
        assert_eq!(only(capture.take()).transaction.trace.parent_span_id, None, "{reason}");
    }
}

#[tokio::test]
async fn an_incoming_decision_wins_over_every_rate() {
    let negative = SENTRY_TRACE.replace("-1", "-0");
    let deferred = SENTRY_TRACE.trim_end_matches("-1");
    type Row<'a> = (&'a str, Option<f64>, Option<f64>, usize, Option<bool>, &'a str);
    let rows: [Row<'_>; 8] = [
        (SENTRY_TRACE, Some(0.0), None, 1, Some(true), "sampled upstream, the options' rate is 0"),
        (SENTRY_TRACE, Some(0.0), Some(0.0), 1, Some(true), "sampled upstream, the layer's rate is 0"),
        (&negative, Some(1.0), Some(1.0), 0, Some(false), "unsampled upstream, every rate is 1"),
        (deferred, Some(0.0), Some(1.0), 1, Some(true), "open upstream: the layer's rate goes first"),
        (deferred, Some(1.0), Some(0.0), 0, Some(false), "open upstream: the layer's rate goes first"),
        (deferred, None, None, 0, None, "open upstream, tracing off: open it stays"),
        (SENTRY_TRACE, None, None, 0, Some(true), "tracing off: the decision passes through"),
        (&negative, None, None, 0, Some(false), "tracing off: the decision passes through"),
    ];
    for (incoming, options_rate, layer_rate, recorded, outgoing, reason) in rows {
        let options = options_rate.map_or(Options::new(), |rate| Options::new().traces_sample_rate(rate));
        let (client, capture) = recording_with(options);
        let mut layer = SentryTracingLayer::new().client(client);
        if let Some(rate) = layer_rate {
            layer = layer.sample_rate(rate);
        }
        let (sentry_trace, _) = call(&layer, with_headers(&[("sentry-trace", incoming.as_bytes())])).await;
        assert_eq!(sentry_trace.trace_id.to_string(), TRACE_ID, "{reason}");
        assert_eq!(sentry_trace.sampled, outgoing, "{reason}");
        assert_eq!(capture.take().len(), recorded, "{reason}");
    }
}

#[tokio::test]
async fn the_layers_own_rate_decides_for_traces_that_begin_here() {
    for (options_rate, layer_rate, recorded) in [(1.0, 0.0, 0), (0.0, 1.0, 1)] {
        let (client, capture) = recording_with(Options::new().traces_sample_rate(options_rate));
        let layer = SentryTracingLayer::new().client(client).sample_rate(layer_rate);
        let (sentry_trace, baggage) = call(&layer, get("/x")).await;
        assert_eq!(sentry_trace.sampled, Some(recorded == 1));
        let rate = format!("sentry-sample_rate={layer_rate}");
        assert!(baggage.as_deref().unwrap().contains(&rate), "{baggage:?} says which rate decided");
        assert_eq!(capture.take().len(), recorded);
    }
}

#[tokio::test]
async fn at_an_edge_nobody_chooses_our_traces() {
    let (client, capture) = recording();
    let incoming = || {
        let mut request =
            with_headers(&[("sentry-trace", SENTRY_TRACE.as_bytes()), ("baggage", BAGGAGE.as_bytes())]);
        request.headers_mut().insert("x-gateway", HeaderValue::from_static("ours"));
        request
    };
    let layer = || SentryTracingLayer::new().client(client.clone());
    let rows = [
        (layer().trust_incoming(false), false, "never"),
        (
            layer().trust_incoming_if(|head| head.headers().contains_key("x-gateway")),
            true,
            "from the gateway",
        ),
        (layer().trust_incoming_if(|head| head.headers().contains_key("x-mesh")), false, "not from the mesh"),
        (layer().trust_incoming_if(|_| panic!("a bug of the function")), false, "what cannot be judged"),
        (layer().trust_incoming(false).trust_incoming(true), true, "the last word counts"),
    ];
    for (layer, trusted, reason) in rows {
        let (sentry_trace, baggage) = call(&layer, incoming()).await;
        let captured = only(capture.take());
        assert_eq!(sentry_trace.trace_id.to_string() == TRACE_ID, trusted, "{reason}");
        assert_eq!(captured.transaction.trace.parent_span_id.is_some(), trusted, "{reason}");
        assert_eq!(baggage.unwrap().contains("public_key=head"), trusted, "{reason}");
    }
}

#[tokio::test]
async fn the_client_is_found_when_a_request_comes() {
    let app = SentryTracingLayer::new().layer(Always::ok());
    let untraced = app.clone().oneshot(get("/x")).await.unwrap();
    assert_eq!(untraced.status(), 200, "without a client the layer does nothing");

    // In the scope of a client's trace, that client is found; a global one would be found everywhere.
    let (client, capture): (Client, std::sync::Arc<Capture>) = recording();
    let scope = client.start_new_trace();
    drop(scope.scope(app.oneshot(get("/x"))).await.unwrap());
    only(capture.take());
}

#[tokio::test]
async fn the_context_of_another_trace_is_ignored() {
    let theirs = b"tenant=7,sentry-trace_id=85f29184b20d47c28dde78483288c3d7,sentry-sample_rate=0.0,\
        sentry-sampled=false,sentry-public_key=k";
    for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
        let options = Options::new().dsn("http://ours@ingest.test/1").traces_sample_rate(1.0);
        let (client, capture) = recording_with(options.trace_lifecycle(lifecycle));
        let layer = SentryTracingLayer::new().client(client);
        let request = with_headers(&[("sentry-trace", SENTRY_TRACE.as_bytes()), ("baggage", theirs)]);
        let (sentry_trace, baggage) = call(&layer, request).await;
        assert_eq!((sentry_trace.trace_id.to_string(), baggage), (TRACE_ID.to_owned(), None));
        let transactions = capture.take().into_iter().map(|captured| captured.dynamic_sampling_context);
        let spans = capture.take_spans().into_iter().map(|captured| captured.dynamic_sampling_context);
        let contexts: Vec<_> = transactions.chain(spans).collect();
        assert_eq!(contexts.len(), 1, "{lifecycle:?}");
        for context in contexts.iter().flatten() {
            assert_eq!((context.get("trace_id"), context.get("public_key")), (Some(TRACE_ID), Some("ours")));
        }
    }
}

#[tokio::test]
async fn a_rate_that_decides_here_is_told_to_whoever_is_called() {
    let open = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
    for (sentry_trace, reason) in [(&open[..open.len() - 1], "no flag"), (open, "a dash, as Ruby writes it")]
    {
        let (layer, capture) = layer();
        let baggage = b"sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-sample_rand=0.1";
        let request = with_headers(&[("sentry-trace", sentry_trace.as_bytes()), ("baggage", baggage)]);
        let (sent, baggage) = call(&layer.sample_rate(0.5), request).await;
        assert_eq!(sent.sampled, Some(true), "{reason}");
        let expected = "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-sample_rand=0.1,\
            sentry-sample_rate=0.5,sentry-sampled=true";
        assert_eq!(baggage.as_deref(), Some(expected), "{reason}");
        let captured = only(capture.take());
        assert_eq!(captured.dynamic_sampling_context.unwrap().to_baggage(), expected, "{reason}");
        assert_eq!(captured.transaction.trace.parent_span_id.unwrap().to_string(), PARENT_ID, "{reason}");
    }
}
