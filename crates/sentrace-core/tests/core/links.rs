//! Links of spans, by the vectors of Sentry's SDKs (numbers in the reasons).

use sentrace_core::carriers::job::{JobTrace, Publish};
use sentrace_core::{Options, SpanLink, SpanOptions, TraceLifecycle, TransactionOptions, link_type};
use serde_json::{Value, json};

use crate::support::{SENTRY_TRACE, only, recording, recording_with};

fn streaming() -> Options {
    Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream)
}

/// Both links of the vectors, added to a transaction and to a span below it; the payloads of both.
fn linked(lifecycle: TraceLifecycle) -> (Value, Value) {
    let (client, capture) = recording_with(streaming().trace_lifecycle(lifecycle));
    let first = SpanLink::from_carrier(&[("sentry-trace", SENTRY_TRACE)]).unwrap();
    let second = SpanLink { sampled: false, ..first.clone() };
    let links = [first.link_type(link_type::PREVIOUS_TRACE).attribute("n", 2), second];
    let transaction = client.start_transaction_with(&TransactionOptions::new("work", "task").links(&links));
    let span = transaction.start_span("task", "step");
    span.add_links(links.iter().cloned());
    span.finish();
    transaction.finish();
    if lifecycle == TraceLifecycle::Static {
        let sent = serde_json::to_value(only(&capture).transaction).unwrap();
        return (sent["contexts"]["trace"]["links"].clone(), sent["spans"][0]["links"].clone());
    }
    let spans = capture.take_spans();
    let json = |at: usize| serde_json::to_value(&spans[at].span).unwrap()["links"].clone();
    (json(1), json(0))
}

#[test]
fn links_are_typed_where_spans_are_streamed_and_plain_where_they_are_not() {
    let (trace_id, span_id) = (&SENTRY_TRACE[..32], &SENTRY_TRACE[33..49]);
    let typed = json!({"sentry.link.type": {"type": "string", "value": "previous_trace"},
                       "n": {"type": "integer", "value": 2}});
    let typed = json!([
        {"span_id": span_id, "trace_id": trace_id, "sampled": true, "attributes": typed},
        {"span_id": span_id, "trace_id": trace_id, "sampled": false, "attributes": {}},
    ]);
    assert_eq!(linked(TraceLifecycle::Stream), (typed.clone(), typed), "vector 80");
    let plain = json!([
        {"span_id": span_id, "trace_id": trace_id, "sampled": true,
         "attributes": {"sentry.link.type": "previous_trace", "n": 2}},
        {"span_id": span_id, "trace_id": trace_id, "sampled": false},
    ]);
    assert_eq!(linked(TraceLifecycle::Static), (plain.clone(), plain), "vector 81");
}

#[test]
fn a_span_without_links_has_no_such_field() {
    for lifecycle in [TraceLifecycle::Stream, TraceLifecycle::Static] {
        let (client, capture) = recording_with(streaming().trace_lifecycle(lifecycle));
        let transaction = client.start_transaction("work", "task");
        transaction.start_span("task", "step").finish();
        transaction.finish();
        let sent = capture.take().into_iter().map(|sent| serde_json::to_string(&sent.transaction).unwrap());
        let spans = capture.take_spans().into_iter().map(|sent| serde_json::to_string(&sent.span).unwrap());
        for json in sent.chain(spans) {
            assert!(!json.contains("\"links\":"), "{lifecycle:?}: {json}");
        }
    }
}

#[test]
fn links_come_from_spans_jobs_and_options() {
    let (client, capture) = recording();
    let producer = client.start_transaction("produce", "task");
    let (publish, job) = producer.enter(|| Publish::to("mails").start());
    publish.finish();
    let consumer = client.start_transaction("consume", "queue.process");
    assert_ne!(consumer.trace_id(), producer.trace_id());
    consumer.add_links(job.link());
    consumer.add_links(producer.link());
    consumer.add_links(JobTrace::default().link());
    consumer.finish();
    let captured = only(&capture);
    let links = &captured.transaction.trace.links;
    assert_eq!(links.len(), 2, "a job without a trace gives no link");
    assert_eq!(links[0].attributes.get(link_type::KEY), Some(&link_type::MESSAGE_ORIGIN.into()));
    assert_eq!((Some(links[1].trace_id), Some(links[1].span_id)), (producer.trace_id(), producer.span_id()));
    assert!(links.iter().all(|link| link.sampled));

    let idle = client.start_idle_transaction("idle");
    let options = SpanOptions::new("task", "step").link(links[1].clone());
    idle.push_activity("step", Some(options)).pop();
    idle.finish();
    let captured = capture.expect_transaction("idle");
    assert_eq!(captured.expect_span("step").links.len(), 1);
}

#[test]
fn links_are_bounded_in_number_and_size_and_secrets_are_hidden() {
    let (client, capture) = recording();
    let link = || SpanLink::from_carrier(&[("sentry-trace", SENTRY_TRACE)]).unwrap();
    let transaction = client.start_transaction("work", "task");
    let secret = link().attribute("url", "https://ada:hunter2@h/");
    transaction.add_link(secret.attribute("long", "x".repeat(100_000)));
    let many = (0..1_000).fold(link(), |link, number| link.attribute(format!("key.{number}"), number));
    transaction.add_link(many);
    transaction.add_links(std::iter::repeat_with(link).take(1_000));
    let spans: Vec<_> = (0..20).map(|_| transaction.start_span("task", "step")).collect();
    for span in &spans {
        span.add_links(std::iter::repeat_with(|| link().attribute("text", "y".repeat(10_000))).take(200));
    }
    drop(spans);
    transaction.finish();
    let sent = only(&capture).transaction;
    let links = &sent.trace.links;
    assert_eq!(links.len(), 128, "of one span");
    let json = serde_json::to_string(&sent).unwrap();
    assert!(
        json.contains("@h/") && !json.contains("hunter2"),
        "secrets are hidden by their form, as in data"
    );
    let Some(sentrace_protocol::Value::Str(long)) = links[0].attributes.get("long") else { panic!("a text") };
    assert_eq!((long.len(), links[1].attributes.len()), (256, 16));
    let all = sent.spans.iter().map(|span| span.links.len()).sum::<usize>();
    assert!((128..1_024).contains(&all), "{all} of all spans");
    assert!(serde_json::to_vec(&sent).unwrap().len() <= 1024 * 1024);
}

#[test]
fn what_is_not_recorded_ignores_links() {
    let (client, capture) = recording_with(streaming().traces_sample_rate(0.0));
    let transaction = client.start_transaction("work", "task");
    let span = transaction.start_span("task", "step");
    span.add_links(transaction.link());
    span.finish();
    transaction.finish();
    assert_eq!(capture.take_spans().len(), 0);
    assert_eq!(sentrace_core::SpanRef::default().link(), None, "no trace, no link");
}
