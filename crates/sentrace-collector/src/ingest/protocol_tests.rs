//! What `sentrace-protocol` writes must pass the checks, which do not share its tables.

use std::time::Duration;

use sentrace_protocol::envelope::{EnvelopeHeaders, EnvelopeWriter};
use sentrace_protocol::span_v2::{SpanItems, StreamedSpan, keys};
use sentrace_protocol::{
    Category, ClientReport, Data, DiscardedEvents, DynamicSamplingContext, EventId, Reason, Request,
    ResponseContext, SdkInfo, SpanId, SpanStatus, Tags, Timestamp, TraceContext, TraceId, TransactionPayload,
    TransactionSource, TransactionSpan,
};
use serde::Serialize;

use super::*;

fn transaction(status: SpanStatus, source: TransactionSource) -> TransactionPayload<'static> {
    let at = |ms| Timestamp(Duration::from_micros(1_787_220_000_104_233) + Duration::from_millis(ms));
    let span_id = |number| SpanId::from_bytes([number; 8]).unwrap();
    let mut data = Data::default();
    data.set("http.response.status_code", 200);
    let mut tags = Tags::default();
    tags.set("plan", "gold");
    let mut span = TransactionSpan::new(span_id(2), "db.query");
    span.parent_span_id = Some(span_id(1));
    span.description = Some("SELECT 1".into());
    span.status = Some(status);
    span.start_timestamp = at(1);
    span.timestamp = at(2);
    span.tags = tags.clone();
    span.data = data.clone();
    let mut trace = TraceContext::new(TraceId::from_bytes([3; 16]).unwrap(), span_id(1), "http.server");
    trace.status = Some(status);
    trace.origin = "auto.http.tower".into();
    trace.data = data;
    let mut request = Request::default();
    request.method = "GET".into();
    request.url = "https://shop.example/orders/7".into();
    request.headers = vec![("accept".into(), "*/*".into())];
    let mut transaction = TransactionPayload::new(EventId::from_bytes([7; 16]).unwrap(), trace, sdk());
    transaction.name = "GET /orders/{id}".into();
    transaction.source = source;
    transaction.start_timestamp = at(0);
    transaction.timestamp = at(44);
    transaction.request = Some(request);
    transaction.response = Some(ResponseContext::new(200));
    transaction.tags = tags;
    transaction.release = Some("shop@1.4.0".into());
    transaction.environment = Some("production".into());
    transaction.server_name = Some("web-1".into());
    transaction.spans = vec![span];
    transaction
}

fn sdk() -> SdkInfo<'static> {
    SdkInfo { name: "acme.rust".into(), version: "0.1.0".into() }
}

fn examined(headers: &EnvelopeHeaders<'_>, kind: &str, payload: &impl Serialize) -> Examined {
    let mut writer = EnvelopeWriter::new(Vec::new());
    writer.headers(headers).unwrap();
    writer.item(kind, payload).unwrap();
    let credentials = Credentials { header: Some("k".into()), ..Credentials::default() };
    examine(&writer.finish(), Some("1"), &credentials, 0.0)
}

#[test]
fn transactions_of_the_protocol_crate_have_no_problems() {
    let trace = "sentry-trace_id=03030303030303030303030303030303,sentry-public_key=k,sentry-sample_rate=0.25,\
                 sentry-sample_rand=0.104233,sentry-sampled=true";
    let dsc = DynamicSamplingContext::from_baggage(trace);
    let statuses = SpanStatus::ALL.iter().copied().map(|status| (status, TransactionSource::Route));
    let sources = TransactionSource::ALL.iter().copied().map(|source| (SpanStatus::Ok, source));
    for (status, source) in statuses.chain(sources) {
        let sent = transaction(status, source);
        let mut headers = EnvelopeHeaders::default();
        headers.event_id = Some(sent.event_id);
        headers.sent_at = Some(sent.timestamp);
        headers.sdk = Some(sdk());
        headers.trace = Some(&dsc);
        let examined = examined(&headers, "transaction", &sent);
        assert_eq!(examined.problems, [], "{status} {source}");
        let read = examined.transaction.unwrap();
        assert_eq!(read.status.as_deref(), Some(status.as_str()));
        assert_eq!(read.source.as_deref(), Some(source.as_str()));
        assert_eq!((read.spans.len(), read.start), (1, 1_787_220_000.104_233));
    }
}

#[test]
fn client_reports_of_the_protocol_crate_have_no_problems() {
    for &reason in Reason::ALL {
        let discarded = Category::ALL.iter().copied();
        let discarded = discarded.map(|category| DiscardedEvents { reason, category, quantity: 3 }).collect();
        let report = ClientReport::new(discarded);
        let examined = examined(&EnvelopeHeaders::default(), "client_report", &report);
        assert_eq!(examined.problems, [], "{}", reason.as_str());
        assert_eq!(examined.discarded.len(), Category::ALL.len());
    }
}

#[test]
fn streamed_spans_of_the_protocol_crate_have_no_problems() {
    let dsc = "sentry-trace_id=03030303030303030303030303030303,sentry-public_key=k,sentry-sampled=true";
    let dsc = DynamicSamplingContext::from_baggage(dsc);
    for &source in TransactionSource::ALL {
        let mut items = SpanItems::new(Vec::new());
        for &status in SpanStatus::ALL {
            let number = u8::try_from(items.len() + 1).unwrap();
            let mut attributes = Data::new();
            attributes.set(keys::SEGMENT_NAME, "work");
            attributes.set(keys::SEGMENT_ID, "0101010101010101");
            attributes.set(keys::STATUS_MESSAGE, status.as_str());
            attributes.set("none", f64::NAN);
            if number == 1 {
                attributes.set(keys::SEGMENT_NAME_SOURCE, source.as_str());
            }
            let (trace_id, span_id) = (TraceId::from_bytes([3; 16]), SpanId::from_bytes([number; 8]));
            let mut span = StreamedSpan::new(trace_id.unwrap(), span_id.unwrap(), "work");
            span.parent_span_id = SpanId::from_bytes([number - 1; 8]);
            span.status = status;
            span.is_segment = number == 1;
            span.start_timestamp = Timestamp(Duration::from_secs(1_787_220_000));
            span.end_timestamp = Timestamp(Duration::from_secs(1_787_220_001));
            span.attributes = attributes;
            assert!(items.push(&span).unwrap());
        }
        let sent_at = Some(Timestamp(Duration::from_secs(1_787_220_002)));
        let mut writer = EnvelopeWriter::new(Vec::new());
        let mut headers = EnvelopeHeaders::default();
        headers.sent_at = sent_at;
        headers.trace = Some(&dsc);
        writer.headers(&headers).unwrap();
        writer.spans(&items).unwrap();
        let credentials = Credentials { header: Some("k".into()), ..Credentials::default() };
        let examined = examine(&writer.finish(), Some("1"), &credentials, 0.0);
        assert_eq!(examined.problems, [], "{source}");
        let segment = &examined.streamed[0];
        assert_eq!(segment.source.as_deref(), Some(source.as_str()));
        let statuses: Vec<_> = segment.spans.iter().filter_map(|span| span.status.as_deref()).collect();
        assert_eq!(statuses, SpanStatus::ALL[1..].iter().map(|status| status.as_str()).collect::<Vec<_>>());
    }
}
