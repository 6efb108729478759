//! The smallest HTTP client that can send envelopes.

use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sentrace_collector::Collector;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) type Error = hyper_util::client::legacy::Error;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).expect(&self.text)
    }
}

pub(crate) fn request(collector: &Collector, method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("{}{path}", collector.url()))
}

pub(crate) async fn send(request: http::request::Builder, body: impl Into<Bytes>) -> Result<Answer, Error> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Full::new(body.into())).expect("a request")).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(body.to_vec()).expect("text");
    Ok(Answer { status: head.status, headers: head.headers, text })
}

pub(crate) async fn get(collector: &Collector, path: &str) -> Answer {
    send(request(collector, "GET", path), "").await.expect("an answer")
}

/// Posts an envelope to project 1 with a key.
pub(crate) async fn post(collector: &Collector, body: impl Into<Bytes>) -> Result<Answer, Error> {
    let request = request(collector, "POST", "/api/1/envelope/");
    send(request.header("x-sentry-auth", "Sentry sentry_version=7, sentry_key=public"), body).await
}

/// An envelope with one transaction of one trace; `number` makes its ids.
pub(crate) fn envelope(trace: u8, number: u8, parent: Option<u8>) -> Vec<u8> {
    let trace_id = format!("{trace:032x}");
    let event_id = format!("{:032x}", u16::from(trace) * 256 + u16::from(number));
    let payload = json!({
        "type": "transaction", "event_id": event_id, "platform": "rust", "transaction": format!("GET /{number}"),
        "transaction_info": { "source": "route" }, "start_timestamp": 1_787_220_000.0,
        "timestamp": 1_787_220_000.0 + f64::from(number) / 1e3,
        "contexts": { "trace": {
            "trace_id": trace_id, "span_id": format!("{number:016x}"), "op": "http.server",
            "parent_span_id": parent.map(|parent| format!("{parent:016x}")),
        }},
    });
    let headers = json!({ "event_id": event_id, "sent_at": "2026-08-20T10:00:00Z" });
    item(&headers, "transaction", &payload)
}

pub(crate) fn item(headers: &Value, kind: &str, payload: &Value) -> Vec<u8> {
    let payload = payload.to_string();
    let header = json!({ "type": kind, "length": payload.len() });
    format!("{headers}\n{header}\n{payload}\n").into_bytes()
}

/// An envelope with streamed spans by their number and their parent's; 1 is the segment of all.
pub(crate) fn streamed(spans: &[(u8, u8)]) -> Vec<u8> {
    let trace_id = format!("{:032x}", 7);
    let text = |text: &str| json!({ "type": "string", "value": text });
    let span = |(number, parent): &(u8, u8)| {
        let mut attributes = json!({
            "sentry.segment.name": text("span 1"), "sentry.segment.id": text("0000000000000001"),
            "sentry.op": text("task"), "sentry.release": text("shop@1.0.0"),
        });
        if *number == 1 {
            attributes["sentry.segment.name.source"] = text("task");
        }
        json!({
            "trace_id": trace_id, "span_id": format!("{number:016x}"), "name": format!("span {number}"),
            "parent_span_id": (*parent > 0).then(|| format!("{parent:016x}")), "status": "ok",
            "is_segment": *number == 1, "start_timestamp": 1_787_220_000.0, "end_timestamp": 1_787_220_000.5,
            "attributes": attributes,
        })
    };
    let items: Vec<Value> = spans.iter().map(span).collect();
    let headers = json!({
        "sent_at": "2026-08-20T10:00:00Z", "trace": { "trace_id": trace_id, "public_key": "public" },
    });
    let header = json!({
        "type": "span", "item_count": items.len(),
        "content_type": "application/vnd.sentry.items.span.v2+json",
    });
    let payload = json!({ "version": 2, "items": items });
    format!("{headers}\n{header}\n{payload}\n").into_bytes()
}
