//! The trace in an answer's `Server-Timing`, from which Sentry's browser SDK continues the trace of the page load.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::convert::Infallible;

use http::{HeaderMap, HeaderValue, Request, Response};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options};
use sentrace_protocol::{DynamicSamplingContext, SentryTrace};
use sentrace_tower::SentryTracingLayer;
use tower::{Layer, ServiceExt, service_fn};

const INCOMING: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

type Headers<'a> = &'a [(&'a str, &'a str)];

fn recording(options: Options) -> (Client, std::sync::Arc<Capture>) {
    Capture::client(options).unwrap()
}

/// The answer's headers, of a service that says something in `Server-Timing` itself.
async fn answer(layer: SentryTracingLayer, request: Headers<'_>) -> HeaderMap {
    let service = service_fn(|_: Request<String>| async {
        let answer = Response::builder().header("server-timing", "db;dur=53, cache;desc=\"hit, fresh\"");
        Ok::<_, Infallible>(answer.body(String::new()).unwrap())
    });
    let mut builder = Request::builder().uri("/page");
    for (name, value) in request {
        builder = builder.header(*name, *value);
    }
    let response = layer.layer(service).oneshot(builder.body(String::new()).unwrap()).await.unwrap();
    response.headers().clone()
}

/// What a browser makes of the header: names and descriptions (W3C Server Timing, the parsing algorithm).
fn metrics(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.get_all("server-timing").iter().flat_map(|field| read_field(field.to_str().unwrap())).collect()
}

fn read_field(field: &str) -> Vec<(String, String)> {
    let (mut metrics, mut metric) = (Vec::new(), String::new());
    let (mut quoted, mut characters) = (false, field.chars());
    loop {
        match characters.next() {
            Some('\\') if quoted => metric.extend(['\\', characters.next().unwrap()]),
            Some(',') if !quoted => metrics.push(std::mem::take(&mut metric)),
            Some(character) => {
                quoted ^= character == '"';
                metric.push(character);
            }
            None => break,
        }
    }
    assert!(!quoted, "a quotation that does not end would swallow the rest: {field}");
    metrics.push(metric);
    metrics.iter().map(|metric| read_metric(metric.trim())).collect()
}

fn read_metric(metric: &str) -> (String, String) {
    let (name, rest) = metric.split_once(';').unwrap_or((metric, ""));
    let description =
        rest.strip_prefix("desc=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    let (mut text, mut characters) = (String::new(), description.chars());
    while let Some(character) = characters.next() {
        text.push(if character == '\\' { characters.next().unwrap() } else { character });
    }
    (name.to_owned(), text)
}

fn description(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found = metrics(headers).into_iter().filter(|(known, _)| known == name);
    let first = found.next().map(|(_, description)| description);
    assert!(found.next().is_none(), "{name} is there once");
    first
}

#[tokio::test]
async fn an_answer_carries_the_trace_of_its_transaction_where_it_is_asked_for() {
    let (client, capture) = recording(Options::new().traces_sample_rate(1.0).release("shop@1"));
    let headers = answer(SentryTracingLayer::new().client(client).server_timing(true), &[]).await;
    let captured = capture.take().remove(0);
    let trace = &captured.transaction.trace;
    let sent: SentryTrace = description(&headers, "sentry-trace").unwrap().parse().unwrap();
    assert_eq!((sent.trace_id, sent.span_id, sent.sampled), (trace.trace_id, trace.span_id, Some(true)));
    let baggage = description(&headers, "baggage").unwrap();
    assert_eq!(
        Some(DynamicSamplingContext::from_baggage(&baggage)),
        captured.dynamic_sampling_context,
        "what the browser carries on is what Sentry gets"
    );
}

#[tokio::test]
async fn without_being_asked_it_says_nothing() {
    let (client, _) = recording(Options::new().traces_sample_rate(1.0));
    let headers = answer(SentryTracingLayer::new().client(client), &[]).await;
    assert_eq!(metrics(&headers).len(), 2, "the service's own");
}

#[tokio::test]
async fn what_the_service_says_itself_stays() {
    let (client, _) = recording(Options::new());
    let headers = answer(SentryTracingLayer::new().client(client).server_timing(true), &[]).await;
    let fields: Vec<_> = headers.get_all("server-timing").iter().collect();
    assert_eq!(fields[0], "db;dur=53, cache;desc=\"hit, fresh\"");
    assert_eq!(fields.len(), 2);
}

#[tokio::test]
async fn decisions_and_contexts_are_those_that_calls_would_carry() {
    let negative = INCOMING.replace("-1", "-0");
    let baggage = "sentry-release=front%401,sentry-sample_rand=0.5";
    type Row<'a> = (Option<f64>, Headers<'a>, Option<bool>, Option<&'a str>, &'a str);
    let rows: [Row<'_>; 5] = [
        (
            None,
            &[("sentry-trace", INCOMING), ("baggage", baggage)],
            Some(true),
            Some(baggage),
            "tracing is off",
        ),
        (
            Some(1.0),
            &[("sentry-trace", &negative), ("baggage", baggage)],
            Some(false),
            Some(baggage),
            "unsampled",
        ),
        (Some(1.0), &[("sentry-trace", INCOMING)], Some(true), None, "an empty context"),
        (Some(0.0), &[("sentry-trace", &INCOMING[..49])], Some(false), None, "decided here"),
        (None, &[("sentry-trace", &INCOMING[..49])], None, None, "nobody decides"),
    ];
    for (rate, request, sampled, baggage, reason) in rows {
        let options = rate.map_or(Options::new(), |rate| Options::new().traces_sample_rate(rate));
        let (client, _) = recording(options);
        let headers = answer(SentryTracingLayer::new().client(client).server_timing(true), request).await;
        let sent: SentryTrace = description(&headers, "sentry-trace").unwrap().parse().unwrap();
        assert_eq!(sent.trace_id.to_string(), INCOMING[..32], "{reason}");
        assert_eq!(sent.sampled, sampled, "{reason}");
        assert_eq!(description(&headers, "baggage").as_deref(), baggage, "{reason}");
    }
}

#[tokio::test]
async fn hostile_baggage_cannot_leave_its_quotation() {
    let hostile = r#"sentry-a=x",evil;desc="y\",sentry-b=\,sentry-c="\"#;
    let (client, _) = recording(Options::new());
    let request = [("sentry-trace", INCOMING), ("baggage", hostile)];
    let headers =
        answer(SentryTracingLayer::new().client(client.clone()).server_timing(true), &request).await;
    let sent = client.continue_trace(&request).trace_headers().unwrap().baggage().unwrap().to_owned();
    assert!(sent.contains('"') && sent.contains('\\'), "{sent}");
    assert_eq!(description(&headers, "baggage"), Some(sent), "every byte of it, and nothing else");
    let names: Vec<_> = metrics(&headers).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["db", "cache", "sentry-trace", "baggage"]);
    assert!(headers.values().all(|value| HeaderValue::to_str(value).is_ok()));
}
