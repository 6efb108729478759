use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{SpanId, SpanStatus, TraceId, Value};

fn at(micros: u64) -> Timestamp {
    Timestamp(Duration::from_micros(1_787_220_000_000_000 + micros))
}

pub(crate) fn span<'a>() -> TransactionSpan<'a> {
    TransactionSpan {
        span_id: SpanId::from_hex(b"53995c3f42cd8ad8").unwrap(),
        parent_span_id: SpanId::from_hex(b"b7ad6b7169203331"),
        op: "http.client".into(),
        description: Some("GET inventory.internal".into()),
        status: Some(SpanStatus::Unavailable),
        origin: "auto.http.reqwest".into(),
        start_timestamp: at(110_001),
        timestamp: at(140_555),
        tags: [("plan", "gold")].into_iter().collect(),
        data: [("cart.items", Value::Int(3))].into_iter().collect(),
        links: Vec::new(),
    }
}

pub(crate) fn transaction(name: &str) -> TransactionPayload<'_> {
    TransactionPayload {
        event_id: EventId::from_hex(b"5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70").unwrap(),
        name: name.into(),
        source: TransactionSource::Route,
        start_timestamp: at(104_233),
        timestamp: at(148_907),
        trace: TraceContext {
            trace_id: TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap(),
            span_id: SpanId::from_hex(b"b7ad6b7169203331").unwrap(),
            parent_span_id: SpanId::from_hex(b"00f067aa0ba902b7"),
            op: "http.server".into(),
            status: Some(SpanStatus::Ok),
            origin: "auto.http.tower".into(),
            data: [("http.route", "/orders/{id}")].into_iter().collect(),
            links: Vec::new(),
        },
        request: Some(Request {
            method: "GET".into(),
            url: "https://shop.example/orders/7".into(),
            ..Request::default()
        }),
        response: Some(ResponseContext { status_code: 200 }),
        user: Some(User::default().with_ip_address([203, 0, 113, 7].into())),
        tags: [("region", "eu")].into_iter().collect(),
        release: Some("shop@1.4.0".into()),
        environment: Some("production".into()),
        server_name: Some("shop-1".into()),
        sdk: SdkInfo { name: "acme.rust".into(), version: "0.1.0".into() },
        spans: vec![span()],
    }
}

#[test]
fn a_transaction_has_every_field_where_sentry_looks_for_it() {
    let expected = json!({
        "type": "transaction",
        "event_id": "5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70",
        "platform": "rust",
        "transaction": "GET /orders/{id}",
        "transaction_info": {"source": "route"},
        "start_timestamp": 1_787_220_000.104_233,
        "timestamp": 1_787_220_000.148_907,
        "release": "shop@1.4.0",
        "environment": "production",
        "server_name": "shop-1",
        "contexts": {
            "trace": {
                "trace_id": "0af7651916cd43dd8448eb211c80319c",
                "span_id": "b7ad6b7169203331",
                "parent_span_id": "00f067aa0ba902b7",
                "op": "http.server",
                "status": "ok",
                "origin": "auto.http.tower",
                "data": {"http.route": "/orders/{id}"},
            },
            "response": {"status_code": 200},
        },
        "request": {"method": "GET", "url": "https://shop.example/orders/7"},
        "user": {"ip_address": "203.0.113.7"},
        "tags": {"region": "eu"},
        "sdk": {"name": "acme.rust", "version": "0.1.0"},
        "spans": [{
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": "53995c3f42cd8ad8",
            "parent_span_id": "b7ad6b7169203331",
            "op": "http.client",
            "description": "GET inventory.internal",
            "status": "unavailable",
            "origin": "auto.http.reqwest",
            "start_timestamp": 1_787_220_000.110_001,
            "timestamp": 1_787_220_000.140_555,
            "tags": {"plan": "gold"},
            "data": {"cart.items": 3},
        }],
    });
    let name = String::from("GET /orders/{id}");
    let borrowed = transaction(&name);
    assert_eq!(serde_json::to_value(&borrowed).unwrap(), expected);
    let owned: TransactionPayload<'static> = borrowed.into_owned();
    assert_eq!(serde_json::to_value(&owned).unwrap(), expected, "owning changes nothing");
}

#[test]
fn what_is_unknown_or_empty_is_left_out() {
    let mut transaction = transaction("job");
    transaction.trace.parent_span_id = None;
    transaction.trace.status = None;
    transaction.trace.data = Data::new();
    transaction.request = None;
    transaction.response = None;
    transaction.user = None;
    transaction.tags = Tags::new();
    transaction.release = None;
    transaction.environment = None;
    transaction.server_name = None;
    let span = &mut transaction.spans[0];
    (span.parent_span_id, span.description, span.status) = (None, None, None);
    (span.tags, span.data) = (Tags::new(), Data::new());
    let json = serde_json::to_string(&transaction).unwrap();
    for absent in [
        "parent_span_id",
        "status",
        "data",
        "request",
        "response",
        "user",
        "tags",
        "release",
        "environment",
        "server_name",
        "description",
        "null",
        "{}",
    ] {
        assert!(!json.contains(absent), "{absent} in {json}");
    }
}

#[test]
fn an_end_before_the_start_is_written_as_the_start() {
    let mut transaction = transaction("job");
    transaction.timestamp = at(0);
    transaction.spans[0].timestamp = at(0);
    let json = serde_json::to_value(&transaction).unwrap();
    assert_eq!(json["timestamp"], json["start_timestamp"]);
    assert_eq!(json["spans"][0]["timestamp"], json["spans"][0]["start_timestamp"]);
}

#[test]
fn a_transaction_without_spans_says_so() {
    let mut transaction = transaction("job");
    transaction.spans.clear();
    assert_eq!(serde_json::to_value(&transaction).unwrap()["spans"], json!([]));
}
