//! Queues: what both sides record, and damaged jobs.

use sentrace_core::carriers::job::{JobTrace, Process, Publish};
use sentrace_protocol::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{PARENT_ID, SAMPLED, TRACE_ID, only, recording};

#[derive(Debug, Serialize, Deserialize)]
struct Mail {
    to: String,
    #[serde(default)]
    trace: JobTrace,
}

#[test]
fn both_sides_describe_the_message() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("POST /orders", "http.server");
    let (span, trace) =
        transaction.enter(|| Publish::to("mails").system("redis").message_id("17").body_size(120).start());
    span.finish();
    transaction.finish();
    let published = only(&capture).transaction.spans.remove(0);
    let described = json!({
        "sentry.kind": "producer",
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.destination.name": "mails",
        "messaging.system": "redis",
        "messaging.message.id": "17",
        "messaging.message.body.size": 120,
    });
    assert_eq!(published.op, "queue.publish");
    assert_eq!(serde_json::to_value(&published.data).unwrap(), described);

    let message = Process::of("mails", "send mail").system("redis").message_id("17").body_size(120);
    message.retry_count(2).client(&client).start(&trace).finish();
    let work = only(&capture).transaction;
    assert_eq!((&*work.name, &*work.trace.op), ("send mail", "queue.process"));
    assert_eq!(work.trace.parent_span_id, Some(published.span_id));
    let mut data = serde_json::to_value(&work.trace.data).unwrap();
    let latency = data.as_object_mut().unwrap().remove("messaging.message.receive.latency").unwrap();
    assert!((0.0..60_000.0).contains(&latency.as_f64().unwrap()), "milliseconds: {latency}");
    let mut expected = described;
    expected["messaging.message.retry.count"] = json!(2);
    expected["sentry.kind"] = json!("consumer");
    expected["messaging.operation.type"] = json!("process");
    expected["messaging.operation.name"] = json!("process");
    assert_eq!(data, expected);
}

#[test]
fn what_is_not_known_is_not_said() {
    let (client, capture) = recording();
    Process::of("mails", "send mail").client(&client).start(&JobTrace::default()).finish();
    let data = serde_json::to_value(&only(&capture).transaction.trace.data).unwrap();
    let expected = json!({
        "sentry.kind": "consumer",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "mails",
    });
    assert_eq!(data, expected);
}

#[test]
fn a_job_is_what_it_was_after_a_queue_of_json() {
    let (client, _) = recording();
    let transaction = client.start_transaction("work", "task");
    let mail = Mail { to: "a@example.com".into(), trace: JobTrace::of(&transaction) };
    let queued = serde_json::to_string(&mail).unwrap();
    let read: Mail = serde_json::from_str(&queued).unwrap();
    assert_eq!(read.trace, mail.trace);
    let through_values: Mail = serde_json::from_value(serde_json::to_value(&mail).unwrap()).unwrap();
    assert_eq!(through_values.trace, mail.trace);
    let empty = serde_json::to_value(JobTrace::default()).unwrap();
    assert_eq!(empty, json!({}));
}

#[test]
fn damage_to_its_trace_never_costs_the_job() {
    let (client, capture) = recording();
    let rows = [
        (json!(null), "null"),
        (json!(true), "a boolean"),
        (json!(7), "a number"),
        (json!(-7.5), "another number"),
        (json!("0af7"), "text"),
        (json!([1, {"a": []}]), "a list"),
        (json!({}), "empty"),
        (json!({"sentry-trace": null, "baggage": null, "sentry-task-enqueued-time": null}), "nulls"),
        (json!({"sentry-trace": 7, "baggage": [1], "sentry-task-enqueued-time": {"a": 1}}), "wrong types"),
        (json!({"sentry-trace": "nonsense", "baggage": "=,=", "unknown": {"deep": [1]}}), "nonsense"),
        (json!({"sentry-task-enqueued-time": "soon"}), "no time"),
        (json!({"sentry-task-enqueued-time": -1}), "before 1970"),
        (json!({"sentry-task-enqueued-time": 1e300}), "never"),
        (json!({"sentry-task-enqueued-time": 0}), "1970, as of a field that nobody set"),
        (json!({"sentry-task-enqueued-time": 0.0}), "the same as a fraction"),
        (json!({"sentry-task-enqueued-time": "0"}), "the same as text"),
        (json!({"sentry-task-enqueued-time": 1}), "a second later"),
        (json!({"sentry-task-enqueued-time": 1_755_000}), "thousands of seconds"),
        (json!({"sentry-task-enqueued-time": 1_755_000_000_123_456_u64}), "microseconds"),
        (json!({"sentry-task-enqueued-time": 4_000_000_000_u64}), "the future"),
        (json!({"sentry-task-enqueued-time": 4_000_000_000_000_u64}), "the future in milliseconds"),
    ];
    for (trace, reason) in rows {
        let job = json!({"to": "a@example.com", "trace": trace});
        let mail: Mail = serde_json::from_value(job).unwrap_or_else(|error| panic!("{reason}: {error}"));
        assert_eq!(mail.to, "a@example.com", "{reason}");
        mail.trace.process_with(&client, "mails", "send mail").finish();
        let trace = only(&capture).transaction.trace;
        assert_eq!(trace.parent_span_id, None, "{reason}");
        assert_eq!(trace.data.get("messaging.message.receive.latency"), None, "{reason}");
    }
}

#[test]
fn one_bad_field_takes_no_other_with_it() {
    let (client, capture) = recording();
    let job = json!({
        "to": "a",
        "trace": {"sentry-trace": SAMPLED, "baggage": 7, "sentry-task-enqueued-time": "1755000000.5"},
    });
    let mail: Mail = serde_json::from_value(job).unwrap();
    mail.trace.process_with(&client, "mails", "send mail").finish();
    let trace = only(&capture).transaction.trace;
    assert_eq!(trace.trace_id.to_string(), TRACE_ID);
    assert_eq!(trace.parent_span_id.unwrap().to_string(), PARENT_ID);
    assert!(trace.data.get("messaging.message.receive.latency").is_some());
}

#[test]
fn enqueue_times_of_other_sdks_are_understood() {
    let (client, capture) = recording();
    let queued = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() - 2.0;
    let rows = [
        (json!(queued), "a number of seconds"),
        (json!(format!("{queued:.9}")), "seconds as text"),
        (json!((queued * 1000.0) as u64), "milliseconds"),
    ];
    for (time, reason) in rows {
        let trace: JobTrace = serde_json::from_value(json!({"sentry-task-enqueued-time": time})).unwrap();
        trace.process_with(&client, "mails", "send mail").finish();
        let data = only(&capture).transaction.trace.data;
        let latency = data.get("messaging.message.receive.latency").cloned();
        assert!(
            matches!(latency, Some(Value::Int(ms)) if (1_999..60_000).contains(&ms)),
            "{reason}: {latency:?}"
        );
    }
}
