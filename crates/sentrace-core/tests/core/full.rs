//! Records at their limits: the last values are kept, the transaction's own are kept, and nothing
//! grows without limit.

use std::time::{Duration, Instant};

use sentrace_core::adapter::{CallSpan, OutgoingRequest};
use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Client, Options, SpanRef, TraceLifecycle, Transaction};
use sentrace_protocol::TransactionSource;
use sentrace_protocol::losses::{Category, Reason};

use crate::support::{lost, only, recording, recording_with};

const MEBIBYTE: usize = 1024 * 1024;
/// How often one thing is set: more often than any record holds.
const OFTEN: usize = 200_000;

fn json(captured: &CapturedTransaction) -> usize {
    serde_json::to_vec(&captured.transaction).unwrap().len()
}

/// Returns a transaction named `batch` after `fill`, with something of its own set last.
fn filled(fill: impl FnOnce(&Transaction)) -> (Client, CapturedTransaction) {
    let (client, capture) = recording();
    let transaction = client.start_transaction("batch", "task");
    fill(&transaction);
    transaction.set_data("order.id", "A-17");
    transaction.set_data("numbers", 7);
    transaction.set_tag("plan", "gold");
    transaction.finish();
    (client, only(&capture))
}

/// What fills a record, and why it might.
type Row = (fn(&Transaction), &'static str);

const FILLED: [Row; 9] = [
    (
        |all| (0..1_000).for_each(|_| all.start_span("db.query", "x".repeat(8_000)).finish()),
        "long descriptions",
    ),
    (
        |all| (0..1_000).for_each(|_| all.start_span("db.query", "\u{0}".repeat(8_000)).finish()),
        "with escapes",
    ),
    (
        |all| (0..1_000).for_each(|_| all.start_span("o".repeat(8_000), "ü".repeat(4_000)).finish()),
        "long ops",
    ),
    (
        |all| {
            (0..1_000).for_each(|_| {
                let span = all.start_span("db.query", "SELECT 1");
                (0..20).for_each(|key| span.set_data(format!("key.{key}"), "y".repeat(900)));
            });
        },
        "data of spans",
    ),
    (
        |all| {
            let span = all.start_span("task", "one");
            (0..40_000).for_each(|key| span.set_data(format!("key.{key}"), key));
        },
        "numbers under many keys",
    ),
    (
        |all| {
            let span = all.start_span("task", "one");
            (0..40_000).for_each(|key| span.set_tag(format!("key.{key}"), "\u{7f}ä\"".repeat(100)));
        },
        "tags of one span",
    ),
    (
        |all| {
            let span = all.start_span("task", "one");
            (0..3_000).for_each(|key| span.set_data(format!("key.{key}"), vec![""; 2_000]));
        },
        "lists of nothing",
    ),
    (
        |all| {
            (0..1_000).for_each(|_| {
                let path = "/p".repeat(4_000);
                let request = OutgoingRequest {
                    method: "GET",
                    host: "api.test",
                    path: &path,
                    ..OutgoingRequest::default()
                };
                CallSpan::http(all, "auto.http.test", None, &request).finish_with_status_code(200);
            });
        },
        "calls",
    ),
    (|all| (0..1_000).for_each(|_| all.set_description("d".repeat(8_000))), "a description set again"),
];

#[test]
fn a_full_record_keeps_what_is_the_transactions_own_and_fits_what_sentry_accepts() {
    for (fill, reason) in FILLED {
        let begun = Instant::now();
        let (_, captured) = filled(fill);
        let transaction = &captured.transaction;
        assert_eq!(transaction.trace.data.get("order.id"), Some(&"A-17".into()), "{reason}");
        assert_eq!(transaction.trace.data.get("numbers"), Some(&7.into()), "{reason}");
        assert_eq!(transaction.tags.get("plan").map(|plan| &**plan), Some("gold"), "{reason}");
        assert!(json(&captured) <= MEBIBYTE, "{reason}: {} bytes", json(&captured));
        assert!(begun.elapsed() < Duration::from_secs(30), "{reason}: {:?}", begun.elapsed());
    }
}

#[test]
fn the_last_of_a_thousand_spans_still_says_what_it_is() {
    let (client, captured) = filled(|all| {
        for n in 0..1_000 {
            all.start_span("db.query", format!("{n} {}", "x".repeat(7_990))).finish();
        }
    });
    assert_eq!(captured.transaction.spans.len(), 1_000);
    for (n, span) in captured.transaction.spans.iter().enumerate() {
        let description = span.description.as_deref().unwrap_or_default();
        assert!(
            description.starts_with(&format!("{n} xxx")) && description.len() >= 100,
            "{n}: {description}"
        );
    }
    assert_eq!(client.losses().total(), [], "no span is left out");
    let (_, captured) = filled(|all| {
        let path = format!("/{}", "p".repeat(7_000));
        let request =
            OutgoingRequest { method: "GET", host: "api.test", path: &path, ..OutgoingRequest::default() };
        (0..500)
            .for_each(|_| CallSpan::http(all, "auto.http.test", None, &request).finish_with_status_code(200));
    });
    assert_eq!(captured.transaction.spans.len(), 500);
    let named = |span: &sentrace_protocol::TransactionSpan<'_>| {
        span.description.as_deref().is_some_and(|name| name.starts_with("GET http://api.test/ppp"))
    };
    assert!(captured.transaction.spans.iter().all(named), "calls are named after what they call");
}

#[test]
fn spans_that_do_not_fit_are_the_callers_to_count() {
    // Delivery counts them; this shows how many there are.
    let (client, captured) = filled(|all| {
        (0..1_200).for_each(|_| all.start_span("o".repeat(1_000), "d".repeat(7_000)).finish());
    });
    assert_eq!(captured.transaction.spans.len(), 1_000, "ops are short enough in a full record");
    assert_eq!(lost(&client, Reason::BufferOverflow, Category::Span), 200);
}

/// Sets everything that can be set on a span and its transaction, `often` times.
fn set_often(often: usize, span: &SpanRef, name: impl Fn(&str)) {
    for n in 1..=often {
        name(&format!("job, step {n}"));
        span.set_description(format!("processed {n}"));
        span.set_op(format!("op.{n}"));
        span.set_data("count", format!("{n}"));
        span.set_data("number", i64::try_from(n).unwrap());
        span.set_data("list", vec![format!("{n}")]);
        span.set_tag("step", format!("{n}"));
    }
}

#[test]
fn the_last_value_set_is_the_one_that_is_sent_however_often_and_however_full() {
    type Before = fn(&Transaction);
    // If much is there already, fewer are enough to fill the rest several times.
    let rows: [(Before, usize, &str); 4] = [
        (|_| (), OFTEN, "an empty record"),
        (FILLED[0].0, OFTEN / 10, "a record full of descriptions"),
        (FILLED[7].0, OFTEN / 10, "a record full of calls"),
        (
            |all| {
                let span = all.start_span("task", "one");
                (0..15_500).for_each(|key| span.set_data(format!("key.{key}"), "y".repeat(50)));
            },
            OFTEN / 10,
            "nearly as many entries as there may be",
        ),
    ];
    for (before, often, reason) in rows {
        let (client, capture) = recording();
        let transaction = client.start_transaction("job", "task");
        before(&transaction);
        set_often(often, &transaction, |name| transaction.set_name(name, TransactionSource::Custom));
        transaction.finish();
        let captured = only(&capture).transaction;
        let data = |key: &str| captured.trace.data.get(key).cloned();
        let last = often.to_string();
        assert_eq!(captured.name, format!("job, step {last}"), "{reason}");
        assert_eq!(captured.trace.op, format!("op.{last}"), "{reason}");
        assert_eq!(data("count"), Some(last.clone().into()), "{reason}");
        assert_eq!(data("number"), Some(i64::try_from(often).unwrap().into()), "{reason}");
        assert_eq!(data("list"), Some(vec![last.clone()].into()), "{reason}");
        assert_eq!(captured.tags.get("step").map(|step| &**step), Some(&*last), "{reason}");
    }
}

#[test]
fn the_last_value_of_a_child_span_is_the_one_that_is_sent() {
    for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
        let (client, capture) =
            recording_with(Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle));
        let transaction = client.start_transaction("job", "task");
        let span = transaction.start_span("task", "starts");
        set_often(OFTEN, &span, |name| transaction.set_name(name, TransactionSource::Custom));
        span.finish();
        transaction.finish();
        if lifecycle == TraceLifecycle::Static {
            let captured = only(&capture).transaction;
            assert_eq!(captured.name, "job, step 200000");
            let span = &captured.spans[0];
            assert_eq!((span.description.as_deref(), &*span.op), (Some("processed 200000"), "op.200000"));
            assert_eq!(span.data.get("count"), Some(&"200000".into()));
            assert_eq!(span.tags.get("step").map(|step| &**step), Some("200000"));
        } else {
            let spans = capture.take_spans();
            assert_eq!(spans[0].span.name, "processed 200000");
            assert_eq!(spans[0].span.attributes.get("sentry.op"), Some(&"op.200000".into()));
            assert_eq!(spans[0].span.attributes.get("number"), Some(&200_000.into()));
            assert_eq!(spans[1].span.name, "job, step 200000");
        }
    }
}

#[test]
fn long_values_set_again_and_again_are_not_shortened() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("job", "task");
    let span = transaction.start_span("task", "starts");
    for n in 0..2_000 {
        span.set_description(format!("{n} {}", "x".repeat(8_000)));
        transaction.set_name(format!("{n} {}", "y".repeat(8_000)), TransactionSource::Custom);
    }
    span.finish();
    transaction.finish();
    let captured = only(&capture).transaction;
    assert_eq!(captured.name, format!("1999 {}", "y".repeat(8_000)));
    assert_eq!(captured.spans[0].description, Some(format!("1999 {}", "x".repeat(8_000)).into()));
}

#[test]
fn a_streamed_span_fits_into_an_item_whatever_it_holds() {
    let (client, capture) =
        recording_with(Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream));
    let transaction = client.start_transaction("job", "task");
    let span = transaction.start_span("task", "step");
    for key in 0..1_000 {
        span.set_data(format!("key.{key}"), "\u{0}".repeat(8_000));
    }
    span.finish();
    let spans = capture.take_spans();
    let size = serde_json::to_vec(&spans[0].span).unwrap().len();
    assert!(size <= MEBIBYTE && size > MEBIBYTE / 2, "{size} bytes");
    transaction.finish();
}

#[test]
fn the_payload_of_many_keys_takes_time_in_proportion() {
    for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
        let (client, capture) =
            recording_with(Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle));
        let transaction = client.start_transaction("job", "task");
        let span = transaction.start_span("task", "step");
        for key in 0..16_000 {
            span.set_data(format!("key.{key}"), key);
            span.set_tag(format!("tag.{key}"), "x");
        }
        let begun = Instant::now();
        span.finish();
        transaction.finish();
        let spans = capture.take_spans();
        drop((capture.take(), spans));
        // With quadratic cost this took minutes; a debug build on a busy machine is far below this.
        assert!(begun.elapsed() < Duration::from_secs(10), "{lifecycle:?}: {:?}", begun.elapsed());
    }
}

#[test]
fn memory_stays_bounded_whatever_is_set() {
    #[derive(Debug, Default)]
    struct Largest(std::sync::atomic::AtomicUsize);

    impl sentrace_core::deliver::Deliver for Largest {
        fn deliver(&self, finished: sentrace_core::deliver::FinishedTransaction) {
            self.0.fetch_max(finished.size(), std::sync::atomic::Ordering::Relaxed);
        }

        fn flush(&self, _: Duration) -> bool {
            true
        }
    }

    let largest = std::sync::Arc::new(Largest::default());
    let deliver = std::sync::Arc::<Largest>::clone(&largest);
    let client =
        Client::new(Options::new().traces_sample_rate(1.0), deliver, std::sync::Arc::default()).unwrap();
    for (fill, reason) in FILLED {
        let transaction = client.start_transaction("batch", "task");
        fill(&transaction);
        for key in 0..30_000 {
            transaction.set_data(format!("own.{key}"), "o".repeat(100));
            transaction.set_tag(format!("own.{key}"), "o".repeat(100));
            transaction.set_data(format!("list.{key}"), vec![""; 100]);
        }
        transaction.finish();
        let size = largest.0.swap(0, std::sync::atomic::Ordering::Relaxed);
        assert!(size < 8 * MEBIBYTE, "{reason}: {size} bytes");
    }
}
