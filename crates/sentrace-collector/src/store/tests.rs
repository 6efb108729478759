use serde_json::json;

use super::*;
use crate::fixture::{span, transaction};
use crate::model::{Discarded, Problem, Severity};

fn of_trace(number: u16, event: u8, payload_bytes: usize) -> Examined {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&(number + 1).to_be_bytes());
    let transaction = Transaction {
        trace_id: TraceId::from_bytes(bytes).unwrap(),
        payload: json!({ "filler": "x".repeat(payload_bytes) }).into(),
        ..transaction("shop", event)
    };
    Examined { project: "1".into(), transaction: Some(Box::new(transaction)), ..Examined::default() }
}

#[test]
fn the_oldest_trace_goes_first() {
    let mut store = Store::new(Limits::default().traces(3));
    let ids: Vec<_> = (0..5).map(|number| of_trace(number, 1, 0).transaction.unwrap().trace_id).collect();
    for number in 0..5 {
        store.add(of_trace(number, 1, 0));
    }
    let kept: Vec<_> = store.traces().iter().map(|trace| trace.id).collect();
    assert_eq!(kept, [ids[4], ids[3], ids[2]]);
    assert!(store.trace(ids[0]).is_none());
}

#[test]
fn memory_stays_within_its_bound_however_much_comes() {
    let limit = 1024 * 1024;
    let mut store = Store::new(Limits::default().bytes(limit));
    for number in 0..500 {
        store.add(of_trace(number, 1, 20_000));
        assert!(store.bytes <= limit, "{} bytes after {number}", store.bytes);
    }
    let kept = store.traces().len();
    assert!((5..52).contains(&kept), "{kept} traces of about 20 KB each");
    assert_eq!(store.order.len(), store.traces.len());
    let sum: usize = store.transactions().map(weight::of).sum();
    assert_eq!(sum, store.bytes);
}

#[test]
fn one_huge_trace_is_cut_and_says_so() {
    let mut store = Store::new(Limits::default().bytes(1024 * 1024).transactions_per_trace(5));
    for event in 1..=9 {
        store.add(of_trace(0, event, 10));
    }
    let trace = &store.traces()[0];
    assert_eq!((trace.transactions, trace.dropped), (5, 4));
    store.add(of_trace(1, 1, 2 * 1024 * 1024));
    let trace = &store.traces()[0];
    assert_eq!((trace.transactions, trace.dropped), (0, 1));
    assert_eq!(trace.name, "<nothing kept>");
}

#[test]
fn an_event_that_comes_again_is_kept_once_and_counted() {
    let mut store = Store::new(Limits::default());
    for _ in 0..3 {
        store.add(of_trace(0, 1, 0));
    }
    let summary = &store.traces()[0];
    assert_eq!((summary.transactions, summary.duplicates), (1, 2));
}

/// Parts of a streamed transaction, of which itself may be one.
fn streamed(spans: impl IntoIterator<Item = u8>, itself: bool) -> Examined {
    let spans = spans.into_iter().map(|number| span("task", number).below(1)).collect();
    let part = Transaction {
        event_id: None,
        streamed: true,
        open: !itself,
        name: if itself { "itself" } else { "from a span" }.into(),
        spans,
        ..transaction("shop", 1)
    };
    Examined { project: "1".into(), streamed: vec![Box::new(part)], ..Examined::default() }
}

#[test]
fn a_streamed_transaction_is_put_together_from_its_parts() {
    let table = [
        (vec![streamed([2, 3], false), streamed([4], true), streamed([5], false)], 0, "itself in between"),
        (vec![streamed([2], true), streamed([3], false), streamed([4, 5], false)], 0, "itself first"),
        (vec![streamed([2, 3], false), streamed([4], false), streamed([5], true)], 0, "itself last"),
        (vec![streamed([2, 3, 4, 5], true), streamed([3, 4], false)], 1, "some came again"),
        (vec![streamed([2, 3, 4, 5], true), streamed([], true)], 1, "itself came again"),
    ];
    for (parts, duplicates, reason) in table {
        let mut store = Store::new(Limits::default());
        parts.into_iter().for_each(|part| store.add(part));
        let summary = store.traces().remove(0);
        assert_eq!((summary.transactions, summary.spans, summary.roots), (1, 5, 1), "{reason}");
        assert_eq!((summary.name.as_str(), summary.duplicates), ("itself", duplicates), "{reason}");
        assert!(summary.is_whole(), "{reason}");
    }
}

#[test]
fn streamed_spans_whose_transaction_is_missing_are_orphans() {
    let mut store = Store::new(Limits::default());
    store.add(streamed([2, 3], false));
    let summary = store.traces().remove(0);
    assert_eq!((summary.spans, summary.roots, summary.orphans), (2, 2, 2));
    let trace = store.trace(summary.id).unwrap();
    crate::waterfall::render(&trace, crate::waterfall::Options::default());
    assert!(crate::page::trace(&trace, crate::fixture::remarks(&trace)).contains("(not received)"));
}

#[test]
fn streamed_spans_are_bounded_as_all_is() {
    let limit = 64 * 1024;
    let mut store = Store::new(Limits::default().bytes(limit));
    for number in 0..=u8::MAX {
        let mut part = streamed([number.max(2)], false);
        part.streamed[0].spans[0].data.insert("filler".into(), json!("x".repeat(5_000)));
        store.add(part);
        assert!(store.bytes <= limit, "{} bytes", store.bytes);
    }
    assert!(store.traces()[0].dropped > 200);
}

#[test]
fn names_in_client_reports_and_problems_are_bounded() {
    let mut store = Store::new(Limits::default().problems(10));
    for number in 0..5_000 {
        let problem = Problem { severity: Severity::Warning, path: "x".into(), message: number.to_string() };
        store.add(Examined {
            project: "1".into(),
            discarded: vec![Discarded::new("1", &number.to_string(), "span", 1)],
            items: std::iter::once((number.to_string(), 1)).collect(),
            problems: vec![problem],
            ..Examined::default()
        });
    }
    let reports = store.reports();
    assert!(reports.discarded.len() <= 1_001 && reports.items.len() <= 1_001);
    assert_eq!(reports.discarded.iter().map(|entry| entry.quantity).sum::<u64>(), 5_000, "nothing is lost");
    assert_eq!(store.problems().len(), 10);
    assert_eq!(store.problems().next_back().map(|it| it.problem.message.as_str()), Some("4999"));
}
