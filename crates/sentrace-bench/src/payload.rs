//! What a measured request has to record, so that no variant becomes fast by omitting something.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::request::{PARENT_SPAN_ID, TRACE_ID};

/// The description of the ten spans.
pub const DESCRIPTION: &str = "SELECT price FROM cart WHERE id = ?";

/// Checks that the envelope of the server's request is complete, with this many spans of this
/// origin.
///
/// # Panics
/// Panics if something is missing, and names it.
pub fn assert_full(envelope: &Value, spans: usize, origin: &str) {
    let user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let expected = json!({
        "trace": dynamic_sampling_context(),
        "transaction": {
            "type": "transaction",
            "platform": "rust",
            "transaction": "GET /users/{id}",
            "transaction_info": { "source": "route" },
            "release": "shop@1.4.0",
            "environment": "production",
            "sdk": { "name": "sentrace.rust" },
            "request": {
                "method": "GET",
                "url": "http://shop.example.com/users/1000",
                "query_string": "page=2",
                "headers": {
                    "host": "shop.example.com",
                    "user-agent": user_agent,
                    "accept": "application/json",
                    "accept-language": "en-GB,en;q=0.5",
                    "accept-encoding": "gzip, deflate, br, zstd",
                    "referer": "https://shop.example.com/users",
                    "authorization": "[Filtered]",
                    "cookie": "[Filtered]",
                    "x-request-id": "7d4cf6c6-7a4f-4c56-9b0e-6a0c8f3f6a51",
                    "x-forwarded-for": "[Filtered]",
                },
            },
            "contexts": {
                "response": { "status_code": 200 },
                "trace": {
                    "trace_id": TRACE_ID,
                    "parent_span_id": PARENT_SPAN_ID,
                    "op": "http.server",
                    "origin": "auto.http.tower",
                    "status": "ok",
                    "data": {
                        "http.request.method": "GET",
                        "http.response.body.size": 14,
                        "http.response.status_code": 200,
                        "http.route": "/users/{id}",
                        "network.protocol.version": "1.1",
                        "server.address": "shop.example.com",
                        "url.full": "http://shop.example.com/users/1000?page=2",
                        "url.path": "/users/1000",
                        "url.query": "page=2",
                        "url.scheme": "http",
                        "user_agent.original": user_agent,
                    },
                },
            },
        },
    });
    assert_contains(envelope, &expected, "envelope");
    let transaction = &envelope["transaction"];
    assert_timed(transaction);
    assert!(transaction["event_id"].as_str().is_some_and(|id| id.len() == 32), "an event id");
    let trace = &transaction["contexts"]["trace"];
    assert!(trace["data"]["http.request.time_to_first_byte"].is_f64(), "the time to the first byte");
    let found = transaction["spans"].as_array().expect("a list of spans");
    assert_eq!(found.len(), spans, "spans");
    for span in found {
        let expected = json!({
            "op": "db.query",
            "description": DESCRIPTION,
            "origin": origin,
            "status": "ok",
            "trace_id": TRACE_ID,
            "parent_span_id": trace["span_id"],
        });
        assert_contains(span, &expected, "span");
        assert_timed(span);
    }
}

/// Checks that the call carries both headers and, if its transaction is sampled, is a span of it.
///
/// # Panics
/// Panics if something is missing, and names it.
pub fn assert_call(headers: &HeaderMap, envelope: Option<&Value>, sampled: bool) {
    let header =
        |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (sentry_trace, baggage) = (header("sentry-trace"), header("baggage"));
    assert!(baggage.contains("sentry-transaction=GET%20%2Forders"), "baggage {baggage:?}");
    let decision = if sampled { "-1" } else { "-0" };
    assert!(sentry_trace.starts_with(TRACE_ID) && sentry_trace.ends_with(decision), "{sentry_trace:?}");
    assert_eq!(envelope.is_some(), sampled, "sampled");
    let Some(envelope) = envelope else { return };
    let span = &envelope["transaction"]["spans"][0];
    let expected = json!({
        "op": "http.client",
        "description": "GET https://api.example.com/pay/1000",
        "origin": "auto.http.reqwest",
        "status": "ok",
        "trace_id": TRACE_ID,
        "parent_span_id": envelope["transaction"]["contexts"]["trace"]["span_id"],
        "data": {
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "server.address": "api.example.com",
            "sentry.kind": "client",
            "server.port": 443,
            "url.domain": "api.example.com",
            "url.full": "https://api.example.com/pay/1000?currency=eur",
            "url.path": "/pay/1000",
            "url.query": "currency=eur",
            "url.scheme": "https",
        },
    });
    assert_contains(span, &expected, "span");
    assert_timed(span);
    let span_id = span["span_id"].as_str().unwrap_or("none");
    assert!(sentry_trace.contains(span_id), "{sentry_trace} names the span {span_id}");
}

/// Checks the caller's sampling context, which must not be changed.
fn dynamic_sampling_context() -> Value {
    json!({
        "trace_id": TRACE_ID,
        "public_key": "9c1f0d3e5b7a48c2a6d4e8f013579bdf",
        "sample_rate": "0.25",
        "sample_rand": "0.104233",
        "sampled": "true",
        "release": "shop@1.4.0",
        "environment": "production",
        "transaction": "GET /orders",
    })
}

fn assert_timed(span: &Value) {
    let (start, end) = (span["start_timestamp"].as_f64(), span["timestamp"].as_f64());
    assert!(start.is_some() && start <= end, "start {start:?}, end {end:?}");
}

/// Checks that everything in `expected` is also in `found`.
fn assert_contains(found: &Value, expected: &Value, place: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, expected) in expected {
                let found = found.get(key).unwrap_or(&Value::Null);
                assert_contains(found, expected, &format!("{place}.{key}"));
            }
        }
        _ => assert_eq!(found, expected, "{place} is not what was promised"),
    }
}
