//! Ignored and unsampled spans in stream mode, with the vectors of Sentry's SDKs (numbers in the
//! reasons).

use sentrace_core::{IgnoreSpan, Options, TraceLifecycle};
use sentrace_protocol::TransactionSource;
use sentrace_protocol::losses::{Category, Reason};

use crate::support::{lost, recording_with};

fn stream(rules: impl IntoIterator<Item = IgnoreSpan>) -> Options {
    Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream).ignore_spans(rules)
}

#[test]
fn a_rule_matches_parts_of_names_and_attributes_and_case_counts() {
    let health = || IgnoreSpan::contains("health");
    let rows = [
        (health(), "GET /healthz", true, "vector 70: a part of the name; Python compares the whole name"),
        (IgnoreSpan::contains("/health"), "GET /HEALTH", false, "vector 70: case counts"),
        (IgnoreSpan::any().attribute("sentry.op", "tas"), "a", true, "vector 71: a part of an attribute"),
        (IgnoreSpan::any().attribute("n", "1"), "a", false, "vector 72: an attribute that is not known then"),
        (IgnoreSpan::contains("a").attribute("url.path", "/b"), "a", false, "2.5: all parts must match"),
    ];
    for (rule, name, ignored, reason) in rows {
        let shown = format!("{rule:?}");
        let (client, capture) = recording_with(stream([rule]));
        client.start_transaction(name, "task").finish();
        assert_eq!(capture.take_spans().is_empty(), ignored, "{shown}: {reason}");
        assert_eq!(lost(&client, Reason::Ignored, Category::Span), u64::from(ignored), "{shown}: {reason}");
    }
}

#[test]
fn children_of_an_ignored_span_move_up_and_an_ignored_root_takes_all_along() {
    let (client, capture) = recording_with(stream([IgnoreSpan::contains("ignored")]));
    let segment = client.start_transaction("seg", "task");
    let middle = segment.start_span("task", "ignored-x");
    middle.start_span("task", "grandchild").finish();
    middle.finish();
    let seg = segment.span_id();
    segment.finish();
    let spans = capture.take_spans();
    assert_eq!((spans.len(), &*spans[0].span.name), (2, "grandchild"));
    assert_eq!(spans[0].span.parent_span_id, seg, "vector 73");
    assert_eq!(lost(&client, Reason::Ignored, Category::Span), 1, "vector 73");

    let (client, capture) = recording_with(stream([IgnoreSpan::contains("ignored")]));
    let root = client.start_transaction("ignored", "task");
    let k1 = root.start_span("task", "k1");
    let k2 = k1.start_span("task", "k2");
    let headers = k2.trace_headers().unwrap();
    assert!(headers.sentry_trace().to_string().ends_with("-0"), "vector 74");
    assert!(headers.baggage().is_some_and(|baggage| baggage.contains("sentry-sampled=false")), "vector 74");
    drop((k2, k1, root));
    assert_eq!(capture.take_spans().len(), 0, "vector 74");
    assert_eq!(lost(&client, Reason::Ignored, Category::Span), 3, "vector 74: one for each span");
}

#[test]
fn unsampled_spans_are_each_counted() {
    let (client, capture) = recording_with(stream([]).traces_sample_rate(0.0));
    let un = client.start_transaction("un", "task");
    un.start_span("task", "un2").finish();
    un.finish();
    assert_eq!(capture.take_spans().len(), 0, "vector 75");
    assert_eq!(lost(&client, Reason::SampleRate, Category::Span), 2, "vector 75");
    assert_eq!(lost(&client, Reason::SampleRate, Category::Transaction), 0, "vector 75: no transaction");
}

#[test]
fn children_have_the_name_that_their_segment_has_when_they_are_sent() {
    let (client, capture) = recording_with(stream([]));
    let segment = client.start_transaction("seg", "task");
    segment.start_span("task", "child").finish();
    segment.set_name("seg2", TransactionSource::Custom);
    segment.finish();
    for captured in capture.take_spans() {
        let attribute = |key| captured.span.attributes.get(key).cloned();
        assert_eq!(attribute("sentry.segment.name"), Some("seg2".into()), "vector 78, as JavaScript");
        let source = captured.span.is_segment.then(|| "custom".into());
        assert_eq!(attribute("sentry.segment.name.source"), source, "vector 78: on the segment alone");
    }
}
