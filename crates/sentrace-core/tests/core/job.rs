//! Traces through queues.

use std::time::Duration;

use sentrace_core::carriers::job::{JobTrace, Publish};
use sentrace_core::current_span;
use sentrace_protocol::{TransactionSource, Value};
use serde::{Deserialize, Serialize};

use crate::support::{PARENT_ID, SENTRY_TRACE, TRACE_ID, recording};

#[derive(Serialize, Deserialize)]
struct Mail {
    to: String,
    #[serde(default)]
    trace: JobTrace,
}

#[test]
fn a_job_carries_its_trace_from_publisher_to_worker() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("POST /orders", "http.server");
    let queued = transaction.enter(|| {
        let (span, trace) = Publish::to("mails").system("redis").message_id("17").body_size(120).start();
        let mail = Mail { to: "a@example.com".into(), trace };
        span.finish();
        serde_json::to_string(&mail).unwrap()
    });
    let baggage = transaction.baggage().unwrap();
    transaction.finish();

    let mail: Mail = serde_json::from_str(&queued).unwrap();
    let work = mail.trace.process_with(&client, "mails", "send mail");
    assert_eq!(work.baggage(), Some(baggage), "the head's sampling context arrives");
    work.finish();

    let captured = capture.take();
    let [order, mail] = [&captured[0].transaction, &captured[1].transaction];
    let publish = &order.spans[0];
    assert_eq!((&*publish.op, publish.description.as_deref()), ("queue.publish", Some("mails")));
    let expected = serde_json::json!({
        "sentry.kind": "producer",
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.destination.name": "mails",
        "messaging.system": "redis",
        "messaging.message.id": "17",
        "messaging.message.body.size": 120,
    });
    assert_eq!(serde_json::to_value(&publish.data).unwrap(), expected);

    assert_eq!(
        (&*mail.name, &*mail.trace.op, mail.source),
        ("send mail", "queue.process", TransactionSource::Task)
    );
    assert_eq!(mail.trace.trace_id, order.trace.trace_id);
    assert_eq!(mail.trace.parent_span_id, Some(publish.span_id));
    assert_eq!(mail.trace.data.get("messaging.destination.name"), Some(&Value::from("mails")));
    let latency = mail.trace.data.get("messaging.message.receive.latency");
    assert!(matches!(latency, Some(Value::Int(0..10_000))), "{latency:?}");
}

#[test]
fn jobs_that_were_queued_before_an_update_begin_a_trace() {
    let (client, capture) = recording();
    for json in [
        r#"{"to":"a@example.com"}"#,
        r#"{"to":"a","trace":{}}"#,
        r#"{"to":"a","trace":{"sentry-trace":"?"}}"#,
    ] {
        let mail: Mail = serde_json::from_str(json).unwrap();
        assert_eq!(mail.trace.latency(), None);
        mail.trace.process_with(&client, "mails", "send mail").finish();
        let captured = crate::support::only(&capture);
        assert_eq!(captured.transaction.trace.parent_span_id, None, "{json}");
        assert_eq!(captured.transaction.trace.data.get("messaging.message.receive.latency"), None, "{json}");
    }
}

#[test]
fn a_brokers_own_headers_are_a_carrier_both_ways() {
    let headers = [
        ("sentry-trace", SENTRY_TRACE),
        ("baggage", "sentry-release=a"),
        ("sentry-task-enqueued-time", "1500000000"),
        ("delivery-tag", "9"),
    ];
    let trace = JobTrace::from_carrier(&headers[..]);
    let pairs: Vec<_> = trace.headers().map(|(name, value)| (name, value.into_owned())).collect();
    let expected: Vec<_> = headers[..3].iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    assert_eq!(pairs, expected);
    assert!(trace.latency().unwrap() > Duration::from_secs(365 * 24 * 3600), "queued in 2017");

    let (client, capture) = recording();
    trace.process_with(&client, "mails", "send mail").finish();
    let context = crate::support::only(&capture).transaction.trace;
    assert_eq!(context.trace_id.to_string(), TRACE_ID);
    assert_eq!(context.parent_span_id.unwrap().to_string(), PARENT_ID);
}

#[test]
fn nonsense_in_a_brokers_headers_is_as_good_as_nothing() {
    let far_future = u64::MAX.to_string();
    for enqueued in ["soon", "-1", "", &far_future, "99999999999999999999999"] {
        let trace = JobTrace::from_carrier(&[("sentry-task-enqueued-time", enqueued)][..]);
        assert_eq!(trace.latency(), None, "{enqueued}");
    }
}

#[test]
fn without_a_client_jobs_are_simply_queued() {
    assert!(current_span().is_none());
    let (span, trace) = Publish::to("mails").start();
    assert!(span.is_none());
    assert_eq!(trace.headers().map(|(name, _)| name).collect::<Vec<_>>(), ["sentry-task-enqueued-time"]);
    trace.process("mails", "send mail").finish();
}
