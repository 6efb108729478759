//! A context of another trace than that of `sentry-trace` is ignored.

use sentrace_core::carriers::job::JobTrace;
use sentrace_core::{Options, TraceLifecycle};
use sentrace_protocol::DynamicSamplingContext;

use crate::support::{SAMPLED, TRACE_ID, client, continued};

const OTHER: &str = "85f29184b20d47c28dde78483288c3d7";
const REST: &str = "sentry-public_key=k,sentry-sample_rate=0.5,sentry-sample_rand=0.1,sentry-sampled=true";

#[test]
fn it_is_ignored_on_every_way_in_and_on_every_way_out() {
    let other = OTHER;
    let upper = TRACE_ID.to_uppercase();
    let dashed = "0af76519-16cd-43dd-8448-eb211c80319c";
    let encoded: String = TRACE_ID.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let rows = [
        (format!("sentry-trace_id={TRACE_ID},{REST}"), true, "the same trace"),
        (format!("sentry-trace_id={upper},{REST}"), true, "in upper case"),
        (format!("sentry-trace_id={dashed},{REST}"), true, "with the dashes of a UUID"),
        (format!("sentry-trace_id={encoded},{REST}"), true, "percent-encoded"),
        (format!("sentry-trace_id\t=\t{TRACE_ID};p=1,{REST}"), true, "with tabs and properties"),
        (format!("sentry-%74race_id={TRACE_ID},{REST}"), true, "under an encoded key"),
        (REST.to_owned(), true, "without an id: it may well be ours"),
        (format!("sentry-trace_id=%zz,{REST}"), true, "with one that cannot be decoded, as good as none"),
        (
            format!("sentry-trace_id={other},sentry-trace_id={TRACE_ID},{REST}"),
            true,
            "the last of two counts",
        ),
        (format!("sentry-trace_id={other},{REST}"), false, "another trace"),
        (format!("{REST},sentry-trace_id={other}"), false, "at the end"),
        (format!("sentry-trace_id={},{REST}", other.to_uppercase()), false, "in upper case"),
        (format!("sentry-trace_id=85f29184-b20d-47c2-8dde-78483288c3d7,{REST}"), false, "with dashes"),
        (format!("sentry-trace_id=%38{},{REST}", &other[1..]), false, "percent-encoded"),
        (format!("sentry-%74race_id={other},{REST}"), false, "under an encoded key"),
        (
            format!("sentry-trace_id={TRACE_ID},{REST},sentry-trace_id={other}"),
            false,
            "the last of two counts",
        ),
        (format!("sentry-trace_id={TRACE_ID}0,{REST}"), false, "a digit too many"),
        (format!("sentry-trace_id={},{REST}", &TRACE_ID[1..]), false, "a digit too few"),
        (format!("sentry-trace_id=nonsense,{REST}"), false, "none at all"),
        (format!("sentry-trace_id=,{REST}"), false, "empty"),
        (format!("tenant=7,sentry-trace_id={other},{REST},user=8"), false, "among others' members"),
        (format!("sentry-trace_id={other},{REST},sentry-long={}", "x".repeat(4_000)), false, "a long one"),
    ];
    for (baggage, is_ours, reason) in &rows {
        for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
            let options = || Options::new().dsn("http://ours@ingest.test/1").traces_sample_rate(1.0);
            let headers = [("sentry-trace", SAMPLED), ("baggage", baggage.as_str())];
            let job = JobTrace::from_carrier(&headers[..]);
            let by_environment = Options::from_vars(|name| match name {
                "SENTRY_TRACE" => Some(SAMPLED.to_owned()),
                "SENTRY_BAGGAGE" => Some(baggage.clone()),
                _ => None,
            });
            let by_environment = by_environment.dsn("http://ours@ingest.test/1").traces_sample_rate(1.0);
            let (here, capture) = client(options().trace_lifecycle(lifecycle));
            let (child, of_child) = client(by_environment.trace_lifecycle(lifecycle));
            let started = [
                (continued(&here, &headers).start_transaction("work", "task"), &capture, "headers"),
                (job.process_with(&here, "mails", "work"), &capture, "a job"),
                (child.start_transaction("work", "task"), &of_child, "the environment"),
            ];
            for (transaction, capture, way) in started {
                let way = format!("{way}, {lifecycle:?}: {reason}");
                assert_eq!(transaction.trace_id().unwrap().to_string(), TRACE_ID, "{way}");
                assert_eq!(transaction.sampled(), Some(true), "{way}");
                let sent = transaction.baggage();
                assert_eq!(sent.is_some(), *is_ours, "{way}");
                assert!(
                    sent.is_none_or(|sent| sent.ends_with("sampled=true") || sent.contains(REST)),
                    "{way}"
                );
                transaction.finish();
                let transactions =
                    capture.take().into_iter().map(|captured| captured.dynamic_sampling_context);
                let spans =
                    capture.take_spans().into_iter().map(|captured| captured.dynamic_sampling_context);
                let contexts: Vec<_> = transactions.chain(spans).collect();
                assert_eq!(contexts.len(), 1, "{way}");
                let context = contexts[0].clone().unwrap_or_default();
                let key = context.get("public_key");
                // Envelopes of spans must have a context.
                let expected = match (is_ours, lifecycle) {
                    (true, _) => Some("k"),
                    (false, TraceLifecycle::Stream) => Some("ours"),
                    (false, _) => None,
                };
                assert_eq!(key, expected, "{way}");
            }
        }
    }
}

#[test]
fn beside_traceparent_alone_the_context_begins_here() {
    let traceparent = format!("00-{TRACE_ID}-b7ad6b7169203331-01");
    let options = Options::new().dsn("http://ours@ingest.test/1").continue_traceparent(true);
    let (client, _) = client(options.traces_sample_rate(1.0));
    for (id, key) in [(OTHER, "ours"), (TRACE_ID, "k")] {
        let baggage = format!("sentry-trace_id={id},{REST}");
        let trace = continued(&client, &[("traceparent", &traceparent), ("baggage", &baggage)]);
        let context =
            DynamicSamplingContext::from_baggage(&trace.start_transaction("a", "task").baggage().unwrap());
        assert_eq!((context.get("trace_id"), context.get("public_key")), (Some(TRACE_ID), Some(key)), "{id}");
    }
}

#[test]
fn its_organisation_is_ignored_with_it() {
    let rows = [
        (Some("1"), "2", false, true, "a stranger's organisation does not refuse our trace"),
        (Some("1"), "1", true, false, "nor does it admit it where one is asked for"),
        (None, "2", true, true, "and where none is known, none came"),
    ];
    for (ours, theirs, strict, continues, reason) in rows {
        let mut options = Options::new().strict_trace_continuation(strict);
        if let Some(ours) = ours {
            options = options.org_id(ours);
        }
        let (client, _) = client(options);
        let baggage = format!("sentry-trace_id={OTHER},sentry-org_id={theirs}");
        let trace = continued(&client, &[("sentry-trace", SAMPLED), ("baggage", &baggage)]);
        assert_eq!(trace.trace_id().unwrap().to_string() == TRACE_ID, continues, "{reason}");
    }
}
