//! The statistics of a client.

use sentrace_core::adapter::{CallSpan, OutgoingCall};
use sentrace_core::{Options, Origin, TraceLifecycle, TransactionOptions};
use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};

use crate::support::recording_with;

const SAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
const UNSAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0";

#[test]
fn what_starts_is_counted_by_its_decision_and_by_where_its_trace_begins() {
    for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
        let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle);
        let (client, _capture) = recording_with(options.ignore_spans(["health"]));
        let open = client.start_transaction("head", "task");
        open.enter(|| client.start_transaction("below", "task").finish());
        client.continue_trace(&[("sentry-trace", SAMPLED)]).start_transaction("continued", "task").finish();
        client.continue_trace(&[("sentry-trace", UNSAMPLED)]).start_transaction("against", "task").finish();
        client.start_transaction("health", "task").finish();
        client.start_transaction_with(&TransactionOptions::new("filtered", "task").recorded(false)).finish();
        client.start_transaction("discarded", "task").discard(Reason::BeforeSend);

        let stats = client.stats();
        assert_eq!((stats.sampled, stats.finished), (4, 3), "{lifecycle:?}: one is open");
        assert_eq!((stats.unsampled, stats.passed_through), (2, 1), "{lifecycle:?}");
        assert_eq!((stats.traces_begun, stats.traces_continued), (4, 3), "{lifecycle:?}");
        open.finish();
        assert_eq!(client.stats().finished, 4, "{lifecycle:?}");
    }
}

#[test]
fn calls_are_counted_by_whether_they_carry_headers() {
    let options = Options::new().dsn("http://key@ingest.test/1").traces_sample_rate(1.0);
    let (client, _capture) = recording_with(options.tracing_origins([Origin::host("ours.test")]));
    let call = |url: &str| OutgoingCall::to(url, Some(&client));
    for url in ["http://ours.test/", "http://theirs.test/", "http://ingest.test/api/"] {
        if let Some(call) = call(url) {
            call.trace_headers(&CallSpan::none());
        }
    }
    let asked_not_to = call("http://ours.test/").unwrap().without_headers();
    asked_not_to.trace_headers(&CallSpan::none());
    let stats = client.stats();
    assert_eq!((stats.propagated, stats.withheld), (1, 2), "Sentry's own host is nobody's call");
}

#[test]
fn losses_stay_counted_when_they_have_been_reported() {
    let (client, _capture) = recording_with(Options::new().traces_sample_rate(0.0));
    let lost =
        |quantity| DiscardedEvents { reason: Reason::SampleRate, category: Category::Transaction, quantity };
    for round in 1..=3 {
        client.start_transaction("work", "task").finish();
        client.losses().take();
        assert_eq!(client.stats().lost[0], lost(round));
    }
}
