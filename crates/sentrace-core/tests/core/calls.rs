//! What is recorded of outgoing calls.

use sentrace_core::adapter::{CallSpan, OutgoingRequest};
use sentrace_core::testing::Capture;
use sentrace_core::{IgnoreSpan, Options};
use sentrace_protocol::losses::{Category, Reason};
use serde_json::{Value, json};

use crate::support::{lost, only, recording, recording_with};

const PAY: OutgoingRequest<'_> = OutgoingRequest {
    method: "POST",
    scheme: "https",
    host: "api.test",
    port: None,
    path: "/pay/7",
    query: None,
    has_credentials: false,
};

/// The call's span, as it is sent.
fn recorded(name: Option<&str>, request: &OutgoingRequest<'_>) -> Value {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    CallSpan::http(&transaction, "auto.http.test", name, request).finish_with_status_code(200);
    transaction.finish();
    only_span(&capture)
}

fn only_span(capture: &Capture) -> Value {
    let transaction = serde_json::to_value(&only(capture).transaction).unwrap();
    let spans = transaction["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 1, "exactly one span: {spans:#?}");
    spans[0].clone()
}

#[test]
fn a_call_tells_where_it_goes_and_hides_secrets() {
    let rows = [
        (
            PAY,
            json!({
                "description": "POST https://api.test/pay/7",
                "data": { "server.address": "api.test", "url.domain": "api.test", "server.port": 443, "url.path": "/pay/7",
                    "url.scheme": "https", "url.full": "https://api.test/pay/7", "http.request.method": "POST", "http.response.status_code": 200, "sentry.kind": "client" },
            }),
            "the usual call",
        ),
        (
            OutgoingRequest { scheme: "", port: Some(8080), query: Some("a=1&token=hush"), ..PAY },
            json!({
                "description": "POST http://api.test:8080/pay/7",
                "data": { "server.address": "api.test", "url.domain": "api.test", "server.port": 8080, "url.path": "/pay/7",
                    "url.scheme": "http", "url.full": "http://api.test:8080/pay/7?a=1&token=[Filtered]",
                    "url.query": "a=1&token=[Filtered]",
                    "http.request.method": "POST", "http.response.status_code": 200, "sentry.kind": "client" },
            }),
            "a port, a query and no scheme",
        ),
        (
            OutgoingRequest { host: "", path: "", query: Some(""), has_credentials: true, ..PAY },
            json!({
                "description": "POST https://",
                "data": { "server.port": 443, "url.path": "", "url.scheme": "https", "url.full": "https://[Filtered]:[Filtered]@?",
                    "url.query": "",
                    "http.request.method": "POST", "http.response.status_code": 200, "sentry.kind": "client" },
            }),
            "credentials, and hardly anything else",
        ),
        (
            OutgoingRequest { scheme: "", host: "", query: Some("a=1"), ..PAY },
            json!({
                "description": "POST /pay/7",
                "data": { "url.path": "/pay/7", "url.full": "/pay/7?a=1", "url.query": "a=1",
                    "http.request.method": "POST", "http.response.status_code": 200, "sentry.kind": "client" },
            }),
            "nothing is made up for a host that is unknown",
        ),
        (
            OutgoingRequest { scheme: "", ..PAY },
            json!({
                "description": "POST http://api.test/pay/7",
                "data": { "server.address": "api.test", "url.domain": "api.test", "url.path": "/pay/7", "url.scheme": "http", "url.full": "http://api.test/pay/7",
                    "http.request.method": "POST", "http.response.status_code": 200, "sentry.kind": "client" },
            }),
            "nor a port for an unknown scheme",
        ),
    ];
    for (request, expected, reason) in rows {
        let span = recorded(None, &request);
        assert_eq!(span["description"], expected["description"], "{reason}");
        assert_eq!(span["data"], expected["data"], "{reason}");
        assert_eq!(
            (&span["op"], &span["origin"]),
            (&json!("http.client"), &json!("auto.http.test")),
            "{reason}"
        );
        let named = recorded(Some("pay"), &request);
        assert_eq!(named["description"], "pay", "{reason}, named by a hook");
        assert_eq!(named["data"], expected["data"], "{reason}, named by a hook");
    }
}

#[test]
fn secrets_in_the_url_of_a_call_are_hidden() {
    let query = "X-Amz-Signature=hush&sig=hush&code=hush&a=Bearer+hush&b=eyJhbGciOiJub25lIn0.hush.c2ln\
                 &next=https%3A%2F%2Fme%3Ahush%40shop.test&state=open&status_code=200";
    let path = "/proxy/redis://:hush@cache/eyJhbGciOiJub25lIn0.hush.c2ln";
    let span = recorded(None, &OutgoingRequest { path, query: Some(query), ..PAY });
    assert!(!span.to_string().contains("hush"), "{span:#}");
    assert!(span["data"]["url.full"].as_str().unwrap().ends_with("&state=open&status_code=200"), "{span:#}");
}

#[test]
fn secrets_under_harmless_names_are_hidden() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("GET /verify/eyJhbGciOiJub25lIn0.hush.c2ln", "task");
    let span = transaction.start_span("db", "connect postgres://me:hush@db/shop");
    span.set_data("note", "Bearer hush");
    span.set_data("header", "basic hush");
    span.set_data("db.url", "mysql://me:hush@db");
    span.set_data("url", "shop.test/?X-Goog-Signature=hush");
    span.set_data("http.query", "sig=hush");
    span.set_tag("broker", "amqps://me:hu@hush@mq");
    span.set_data("error.code", "E7");
    span.set_data("http.response.status_code", 200);
    span.set_data("plan", "Basically free");
    span.finish();
    transaction.set_tag("cache", "redis://:hush@cache/0");
    let baggage = transaction.trace_headers().unwrap();
    assert!(!format!("{baggage:?}").contains("hush"), "{baggage:?}");
    transaction.finish();
    let sent = serde_json::to_string(&only(&capture).transaction).unwrap();
    assert!(!sent.contains("hush"), "{sent}");
    for shown in ["\"E7\"", "200", "Basically free", "postgres://[Filtered]:[Filtered]@db/shop"] {
        assert!(sent.contains(shown), "{shown} is harmless: {sent}");
    }
}

#[test]
fn a_call_is_cut_to_what_a_text_may_be() {
    let (path, query) = (format!("/{}", "ä".repeat(10_000)), "ö".repeat(10_000));
    let span = recorded(None, &OutgoingRequest { path: &path, query: Some(&query), ..PAY });
    for text in [
        &span["description"],
        &span["data"]["url.full"],
        &span["data"]["url.path"],
        &span["data"]["url.query"],
    ] {
        let length = text.as_str().unwrap().len();
        assert!((8_191..=8_192).contains(&length), "{length} bytes");
    }
}

#[test]
fn rules_judge_a_call_by_its_name() {
    let options = Options::new().traces_sample_rate(1.0);
    let (client, capture) =
        recording_with(options.ignore_spans([IgnoreSpan::contains("POST https://api.test/pay")]));
    let transaction = client.start_transaction("work", "task");
    CallSpan::http(&transaction, "auto.http.test", None, &PAY).finish_with_status_code(200);
    CallSpan::http(&transaction, "auto.http.test", None, &OutgoingRequest { path: "/else", ..PAY })
        .finish_with_status_code(200);
    transaction.finish();
    let span = only_span(&capture);
    assert_eq!(span["description"], "POST https://api.test/else");
    assert_eq!(lost(&client, Reason::Ignored, Category::Span), 1);
}

#[test]
fn many_long_calls_do_not_make_a_transaction_that_nobody_takes() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let query = "x".repeat(2_000);
    let call = || {
        CallSpan::http(&transaction, "auto.http.test", None, &OutgoingRequest { query: Some(&query), ..PAY })
    };
    (0..900).for_each(|_| call().finish_with_status_code(200));
    transaction.finish();
    let captured = only(&capture);
    assert_eq!(captured.transaction.spans.len(), 900, "short or not, all are told");
    let bytes = serde_json::to_string(&captured.transaction).unwrap().len();
    assert!(bytes < 1_500_000, "{bytes} bytes");
}

#[test]
fn what_is_told_of_a_call_outlasts_values_that_were_set_again_and_again() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    CallSpan::http(&transaction, "auto.http.test", None, &OutgoingRequest { query: Some("a=1"), ..PAY })
        .finish_with_status_code(200);
    (0..2_000).for_each(|n| transaction.set_data("step", format!("{n} {}", "x".repeat(1_000))));
    transaction.finish();
    let span = only_span(&capture);
    assert_eq!(span["description"], "POST https://api.test/pay/7");
    let told = &span["data"];
    assert_eq!(told["url.full"], "https://api.test/pay/7?a=1");
    assert_eq!((&told["url.path"], &told["url.query"]), (&json!("/pay/7"), &json!("a=1")));
}
