//! Rules, outcomes, hooks, links and buffers.

use std::sync::Arc;

use sentrace::adapter::InstrumentedSpan;
use sentrace::protocol::{Category, Reason};
use sentrace::testing::Capture;
use sentrace::{Client, IgnoreSpan, TransactionSource};

use super::recorded::{expect, stream};
use super::{Row, not_applicable, open, row};

fn ignoring(rule: IgnoreSpan) -> (Client, Arc<Capture>) {
    Capture::client(stream().ignore_spans([rule])).unwrap()
}

fn lost(client: &Client, reason: Reason) -> u64 {
    let losses = client.losses().peek();
    let found = losses.iter().find(|lost| lost.reason == reason && lost.category == Category::Span);
    found.map_or(0, |lost| lost.quantity)
}

/// Whether a rule matches a transaction of this name, or a span with these attributes.
fn is_ignored(rule: IgnoreSpan, name: &str, path: Option<&str>) -> bool {
    let (client, _) = ignoring(rule);
    match path {
        None => client.start_transaction(name, "task").finish(),
        Some(path) => {
            let transaction = client.start_transaction("work", "task");
            let attributes = [("url.path", path.into()), ("n", 1.into())];
            let start = InstrumentedSpan::new("http.client", "auto.test", name);
            InstrumentedSpan { attributes: &attributes, ..start }.start(&transaction).finish();
        }
    }
    lost(&client, Reason::Ignored) > 0
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            70,
            "a text is found in the name, and case counts: the specification and JavaScript are followed; in \
                 Python it must be the whole name",
            || {
                assert!(is_ignored("health".into(), "GET /healthz", None));
                assert!(!is_ignored("/health".into(), "GET /HEALTH", None));
            },
        ),
        row(71, "a text is found in an attribute, as in JavaScript", || {
            assert!(is_ignored(IgnoreSpan::any().attribute("url.path", "/health"), "x", Some("/healthz")));
        }),
        row(72, "a text is not found in a number; a rule must say that it means every span (`any`)", || {
            assert!(!is_ignored(IgnoreSpan::any().attribute("n", "1"), "x", Some("/")));
        }),
        row(73, "a span below one that is ignored", || {
            let (client, capture) = ignoring("ignored-x".into());
            let segment = client.start_transaction("seg", "task");
            let ignored = segment.start_span("task", "ignored-x");
            ignored.start_span("task", "grandchild").finish();
            ignored.finish();
            assert_eq!(capture.take_spans()[0].span.parent_span_id, segment.span_id());
            assert_eq!(lost(&client, Reason::Ignored), 1);
        }),
        row(74, "below a transaction that is ignored", || {
            let (client, capture) = ignoring("root".into());
            let root = client.start_transaction("root", "task");
            let first = root.start_span("task", "k1");
            first.start_span("task", "k2").finish();
            let headers = first.trace_headers().unwrap();
            assert!(headers.sentry_trace().to_string().ends_with("-0"));
            assert!(headers.baggage().unwrap_or_default().contains("sentry-sampled=false"));
            drop((first, root));
            assert_eq!(capture.take_spans().len(), 0);
            assert_eq!(lost(&client, Reason::Ignored), 3);
        }),
        row(75, "below a transaction that is not sampled", || {
            let (client, capture) = Capture::client(stream().traces_sample_rate(0.0)).unwrap();
            let transaction = client.start_transaction("un", "task");
            transaction.start_span("task", "un2").finish();
            transaction.finish();
            assert_eq!(capture.take_spans().len(), 0);
            assert_eq!(lost(&client, Reason::SampleRate), 2);
        }),
        open(76, "a hook that panics", "item 3: hooks"),
        open(77, "what a hook may change", "item 3: hooks"),
        row(
            78,
            "a segment is renamed after a child has ended: the child has the last name, as in JavaScript, \
                 because the product groups by it; in Python it has the first",
            || {
                let (client, capture) = Capture::client(stream()).unwrap();
                let segment = client.start_transaction("seg", "task");
                segment.start_span("task", "child").finish();
                segment.set_name("seg2", TransactionSource::Custom);
                segment.finish();
                let spans = capture.take_spans();
                expect(&spans[0], &[("name", "child"), ("sentry.segment.name", "seg2")]);
                expect(&spans[1], &[("name", "seg2"), ("sentry.segment.name.source", "custom")]);
            },
        ),
        open(79, "attributes of scopes", "item 5: scope"),
        open(80, "links of streamed spans", "item 4: links"),
        open(81, "links in static mode", "item 4: links"),
        not_applicable(
            89,
            "1500 spans of one trace",
            "when batches leave is tested in sentrace-outbox and sentrace-delivery; ours are full by bytes as they are sent, and leave with their segment",
        ),
        not_applicable(
            90,
            "a child waits five seconds",
            "tested in sentrace-outbox, with a clock that the test sets",
        ),
        not_applicable(
            91,
            "an estimate of bytes",
            "ours counts what a record holds, and needs no estimate of JavaScript's strings",
        ),
        open(92, "feature flags", "item 5: scope"),
    ]
}
