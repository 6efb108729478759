//! The dynamic sampling context: its contents, and that it never changes.

use sentrace_core::{Client, Options, TraceLifecycle, TransactionOptions};
use sentrace_protocol::{DynamicSamplingContext, TransactionSource};

use crate::support::{
    DEFERRED, SAMPLED, TRACE_ID, UNSAMPLED, carried, client, context_of, continued, only, recording,
};

const HEAD: &str = "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-public_key=head,\
    sentry-sample_rate=0.25,sentry-sample_rand=0.104233,sentry-sampled=true,sentry-release=front%401,\
    sentry-replay_id=c0ffee,sentry-of_the_future=%7B%7D;p=1";

fn service(options: Options) -> Client {
    client(options.dsn("https://ours@o9.ingest.test/1").release("ours@2").environment("ours")).0
}

#[test]
fn a_head_tells_all_that_it_knows() {
    let options = Options::new()
        .dsn("https://publickey@o7.ingest.test/42")
        .release("shop@1.4.0")
        .environment("staging")
        .traces_sample_rate(1.0);
    let (client, capture) = client(options);
    let transaction = client.start_transaction("send invoice", "queue.task");
    let headers = transaction.trace_headers().unwrap();
    let context = context_of(&headers);
    let trace_id = transaction.trace_id().unwrap().to_string();
    let keys: Vec<_> = context.iter().map(|(key, _)| key).collect();
    let expected = [
        "trace_id",
        "public_key",
        "sample_rate",
        "sample_rand",
        "sampled",
        "release",
        "environment",
        "org_id",
        "transaction",
    ];
    assert_eq!(keys, expected);
    let told = [
        "trace_id",
        "public_key",
        "sample_rate",
        "sampled",
        "release",
        "environment",
        "org_id",
        "transaction",
    ]
    .map(|key| context.get(key).unwrap());
    let values = [&trace_id, "publickey", "1", "true", "shop@1.4.0", "staging", "7", "send invoice"];
    assert_eq!(told, values);
    assert!(headers.baggage().unwrap().split(',').all(|member| member.starts_with("sentry-")));
    transaction.finish();
    let captured = only(&capture);
    assert_eq!(captured.dynamic_sampling_context, Some(context), "the envelope says the same");
    assert_eq!(captured.transaction.trace.trace_id.to_string(), trace_id);
}

#[test]
fn only_names_of_good_quality_enter_it() {
    let rows = [
        (TransactionSource::Custom, true),
        (TransactionSource::Route, true),
        (TransactionSource::View, true),
        (TransactionSource::Component, true),
        (TransactionSource::Task, true),
        (TransactionSource::Url, false),
    ];
    for (source, expected) in rows {
        let (client, capture) = recording();
        client.start_transaction_with(&TransactionOptions::new("a name", "task").source(source)).finish();
        let context = only(&capture).dynamic_sampling_context.unwrap();
        assert_eq!(context.get("transaction").is_some(), expected, "{source:?}");
    }
}

#[test]
fn an_open_decision_leaves_no_trace_in_it() {
    let client = service(Options::new());
    let trace = client.start_new_trace();
    let headers = carried(&trace);
    assert_eq!(headers.sentry_trace().sampled, None);
    let transaction = trace.start_transaction("work", "task");
    let headers_of_transaction = transaction.trace_headers().unwrap();
    assert_eq!(headers_of_transaction.baggage(), headers.baggage(), "frozen as long as the trace lasts");
    for headers in [headers, headers_of_transaction] {
        let context = context_of(&headers);
        for key in ["sampled", "sample_rate", "transaction"] {
            assert_eq!(context.get(key), None, "{key}");
        }
        for key in ["trace_id", "public_key", "sample_rand", "release", "environment", "org_id"] {
            assert!(context.get(key).is_some(), "{key}");
        }
    }
}

#[test]
fn rate_0_is_a_negative_decision_and_no_rate_an_open_one() {
    for (rate, decision) in [(None, None), (Some(0.0), Some(false))] {
        let client = service(rate.map_or(Options::new(), |rate| Options::new().traces_sample_rate(rate)));
        let nowhere = TransactionOptions::new("a request that is filtered", "http.server").recorded(false);
        let transaction = client.start_transaction("work", "task");
        let filtered = client.start_transaction_with(&nowhere);
        let all = [
            (transaction.trace_headers(), "in a transaction"),
            (filtered.trace_headers(), "in a request that gets none"),
            (client.start_new_trace().trace_headers(), "in a trace without one"),
            (client.process_trace().trace_headers(), "outside any trace"),
        ];
        for (headers, place) in all {
            let headers = headers.unwrap();
            assert_eq!(headers.sentry_trace().sampled, decision, "rate {rate:?}, {place}");
            let context = context_of(&headers);
            assert_eq!(context.get("sampled"), decision.map(|_| "false"), "rate {rate:?}, {place}");
            assert_eq!(context.get("sample_rate"), decision.map(|_| "0"), "rate {rate:?}, {place}");
        }
    }
}

#[test]
fn a_trace_that_could_not_be_recorded_may_still_be_when_somebody_says_so() {
    let client = service(Options::new().traces_sample_rate(0.0));
    let trace = client.start_new_trace();
    let transaction =
        trace.start_transaction_with(&TransactionOptions::new("work", "task").sample_rate(Some(1.0)));
    assert_eq!(transaction.sampled(), Some(true), "nobody has decided before");
    let context = context_of(&transaction.trace_headers().unwrap());
    assert_eq!((context.get("sampled"), context.get("sample_rate")), (Some("true"), Some("1")));
}

#[test]
fn what_came_goes_on_as_it_came_but_for_a_rate_that_was_applied_here() {
    type Row = (Options, [Option<&'static str>; 3], &'static str);
    let rows: [Row; 5] = [
        (Options::new(), [None; 3], "tracing is off"),
        (Options::new().traces_sample_rate(0.0), [Some("0"), None, None], "rate 0"),
        (Options::new().traces_sample_rate(1.0), [Some("1"), None, None], "rate 1"),
        (Options::new().traces_sampler(|_| 1.0), [Some("1"); 3], "a sampler says yes"),
        (Options::new().traces_sampler(|_| 0.0), [Some("0"); 3], "a sampler says no"),
    ];
    for (options, applied, reason) in rows {
        let client = service(options);
        for (sentry_trace, applied) in [DEFERRED, SAMPLED, UNSAMPLED].into_iter().zip(applied) {
            let trace = continued(&client, &[("sentry-trace", sentry_trace), ("baggage", HEAD)]);
            assert_eq!(carried(&trace).baggage(), Some(HEAD), "{reason}");
            let transaction = trace.start_transaction("work", "task");
            transaction.set_name("another", TransactionSource::Route);
            let span = transaction.start_span("http.client", "GET /");
            let expected = match applied {
                Some(rate) => HEAD.replace("sample_rate=0.25", &format!("sample_rate={rate}")),
                None => HEAD.to_owned(),
            };
            assert_eq!(span.baggage().as_ref(), Some(&expected), "{reason}, {sentry_trace}");
            let below = span.enter(|| client.start_transaction("below", "task"));
            assert_eq!(below.baggage(), Some(expected), "{reason}, {sentry_trace}");
        }
    }
}

#[test]
fn every_member_that_came_is_in_the_envelope() {
    let (client, capture) = recording();
    continued(&client, &[("sentry-trace", SAMPLED), ("baggage", HEAD)])
        .start_transaction("work", "task")
        .finish();
    let context = only(&capture).dynamic_sampling_context.unwrap();
    assert_eq!(context, DynamicSamplingContext::from_baggage(HEAD));
    assert_eq!((context.get("replay_id"), context.get("of_the_future")), (Some("c0ffee"), Some("{}")));
}

#[test]
fn after_the_first_exit_nothing_changes_it() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("first", "task");
    let first = transaction.baggage().unwrap();
    transaction.set_name("second", TransactionSource::Route);
    transaction.set_tag("user", "somebody");
    assert_eq!(transaction.start_span("task", "child").baggage().as_deref(), Some(&*first));
    transaction.finish();
    assert_eq!(
        only(&capture).dynamic_sampling_context,
        Some(DynamicSamplingContext::from_baggage(&first)),
        "all exits say the same"
    );
}

#[test]
fn traces_have_contexts_of_their_own() {
    let (client, _) = recording();
    let contexts = [client.start_new_trace(), client.start_new_trace()].map(|trace| {
        let context = context_of(&carried(&trace));
        assert_eq!(context.get("trace_id"), Some(&*trace.trace_id().unwrap().to_string()));
        context
    });
    assert_ne!(contexts[0].get("trace_id"), contexts[1].get("trace_id"));
}

#[test]
fn where_upstream_sent_none_only_envelopes_of_spans_have_one() {
    let rows = [
        (TraceLifecycle::Static, None, "transactions may come without"),
        (TraceLifecycle::Stream, Some(vec![("trace_id", TRACE_ID), ("public_key", "ours")]), "spans may not"),
    ];
    for (lifecycle, expected, reason) in rows {
        let options = Options::new().dsn("https://ours@ingest.test/1").release("ours@2");
        let (client, capture) = client(options.trace_lifecycle(lifecycle).traces_sample_rate(1.0));
        let transaction = continued(&client, &[("sentry-trace", SAMPLED)]).start_transaction("work", "task");
        assert_eq!(transaction.baggage(), None, "nothing goes out: {reason}");
        transaction.finish();
        let transactions = capture.take().into_iter().map(|captured| captured.dynamic_sampling_context);
        let spans = capture.take_spans().into_iter().map(|captured| captured.dynamic_sampling_context);
        let [sent] = &transactions.chain(spans).collect::<Vec<_>>()[..] else { panic!("one: {reason}") };
        assert_eq!(sent.as_ref().map(|context| context.iter().collect()), expected, "{reason}");
    }
}
