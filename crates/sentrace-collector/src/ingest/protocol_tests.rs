//! What `sentrace-protocol` writes must pass the checks, which do not share its tables.

use std::time::Duration;

use sentrace_protocol::envelope::{EnvelopeHeaders, EnvelopeWriter};
use sentrace_protocol::span_v2::{self, SpanItems, keys};
use sentrace_protocol::{
    Category, ClientReport, Data, DiscardedEvents, DynamicSamplingContext, EventId, Reason, Request,
    ResponseContext, SdkInfo, Span, SpanId, SpanStatus, Tags, Timestamp, TraceContext, TraceId, Transaction,
    TransactionSource,
};
use serde::Serialize;

use super::*;

fn transaction(status: SpanStatus, source: TransactionSource) -> Transaction<'static> {
    let at = |ms| Timestamp(Duration::from_micros(1_787_220_000_104_233) + Duration::from_millis(ms));
    let span_id = |number| SpanId::from_bytes([number; 8]).unwrap();
    let mut data = Data::default();
    data.set("http.response.status_code", 200);
    let mut tags = Tags::default();
    tags.set("plan", "gold");
    let span = Span {
        span_id: span_id(2),
        parent_span_id: Some(span_id(1)),
        op: "db.query".into(),
        description: Some("SELECT 1".into()),
        status: Some(status),
        origin: "manual".into(),
        start_timestamp: at(1),
        timestamp: at(2),
        tags: tags.clone(),
        data: data.clone(),
    };
    Transaction {
        event_id: EventId::from_bytes([7; 16]).unwrap(),
        name: "GET /orders/{id}".into(),
        source,
        start_timestamp: at(0),
        timestamp: at(44),
        trace: TraceContext {
            trace_id: TraceId::from_bytes([3; 16]).unwrap(),
            span_id: span_id(1),
            parent_span_id: None,
            op: "http.server".into(),
            status: Some(status),
            origin: "auto.http.tower".into(),
            data,
        },
        request: Some(Request {
            method: "GET".into(),
            url: "https://shop.example/orders/7".into(),
            query_string: None,
            headers: vec![("accept".into(), "*/*".into())],
        }),
        response: Some(ResponseContext { status_code: 200 }),
        user: None,
        tags,
        release: Some("shop@1.4.0".into()),
        environment: Some("production".into()),
        server_name: Some("web-1".into()),
        sdk: sdk(),
        spans: vec![span],
    }
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
    let statuses = SpanStatus::ALL.into_iter().map(|status| (status, TransactionSource::Route));
    let sources = TransactionSource::ALL.into_iter().map(|source| (SpanStatus::Ok, source));
    for (status, source) in statuses.chain(sources) {
        let sent = transaction(status, source);
        let headers = EnvelopeHeaders {
            event_id: Some(sent.event_id),
            sent_at: Some(sent.timestamp),
            sdk: Some(sdk()),
            dsn: None,
            trace: Some(&dsc),
        };
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
    for reason in Reason::ALL {
        let discarded = Category::ALL.into_iter();
        let discarded = discarded.map(|category| DiscardedEvents { reason, category, quantity: 3 }).collect();
        let report = ClientReport { timestamp: None, discarded };
        let examined = examined(&EnvelopeHeaders::default(), "client_report", &report);
        assert_eq!(examined.problems, [], "{}", reason.as_str());
        assert_eq!(examined.discarded.len(), Category::ALL.len());
    }
}

#[test]
fn streamed_spans_of_the_protocol_crate_have_no_problems() {
    let dsc = "sentry-trace_id=03030303030303030303030303030303,sentry-public_key=k,sentry-sampled=true";
    let dsc = DynamicSamplingContext::from_baggage(dsc);
    for source in TransactionSource::ALL {
        let mut items = SpanItems::new(Vec::new());
        for status in SpanStatus::ALL {
            let number = u8::try_from(items.len() + 1).unwrap();
            let mut attributes = Data::new();
            attributes.set(keys::SEGMENT_NAME, "work");
            attributes.set(keys::SEGMENT_ID, "0101010101010101");
            attributes.set(keys::STATUS_MESSAGE, status.as_str());
            attributes.set("none", f64::NAN);
            if number == 1 {
                attributes.set(keys::SEGMENT_NAME_SOURCE, source.as_str());
            }
            let span = span_v2::Span {
                trace_id: TraceId::from_bytes([3; 16]).unwrap(),
                span_id: SpanId::from_bytes([number; 8]).unwrap(),
                parent_span_id: SpanId::from_bytes([number - 1; 8]),
                name: "work".into(),
                status,
                is_segment: number == 1,
                start_timestamp: Timestamp(Duration::from_secs(1_787_220_000)),
                end_timestamp: Timestamp(Duration::from_secs(1_787_220_001)),
                attributes,
            };
            assert!(items.push(&span).unwrap());
        }
        let sent_at = Some(Timestamp(Duration::from_secs(1_787_220_002)));
        let mut writer = EnvelopeWriter::new(Vec::new());
        writer
            .headers(&EnvelopeHeaders { sent_at, trace: Some(&dsc), ..EnvelopeHeaders::default() })
            .unwrap();
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
