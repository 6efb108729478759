//! The headers of outgoing calls.

use std::collections::HashMap;

use sentrace_core::{
    Options, Trace, get_baggage, get_traceparent, start_transaction, trace_headers, trace_meta_tags,
};
use sentrace_protocol::TransactionSource;

use crate::support::{PARENT_ID, SENTRY_TRACE, TRACE_ID, only, recording, recording_with};

const BAGGAGE: &str = "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-public_key=head,\
    sentry-release=front%401,sentry-odd%20key=%7b;prop=1,sentry-sampled=true";

fn carrier(baggage: &str) -> Vec<(&'static str, String)> {
    vec![("sentry-trace", SENTRY_TRACE.to_owned()), ("baggage", baggage.to_owned())]
}

#[test]
fn inside_a_span_headers_carry_that_span() {
    let (client, _) = recording();
    let transaction = client.start_transaction("work", "task");
    let span = transaction.start_span("task", "call");
    span.enter(|| {
        let expected = format!("{}-{}-1", transaction.trace_id().unwrap(), span.span_id().unwrap());
        assert_eq!(get_traceparent().as_deref(), Some(&*expected));
        let baggage = get_baggage().unwrap();
        let headers = trace_headers().unwrap();
        assert_eq!(headers.sentry_trace().to_string(), expected);
        assert_eq!(headers.baggage(), Some(&*baggage));
        assert_eq!(headers.traceparent(), None, "nobody asked for W3C's header");
        let pairs: Vec<_> = headers.into_iter().collect();
        assert_eq!(pairs, [("sentry-trace", expected), ("baggage", baggage)]);
    });
}

#[test]
fn where_nothing_is_initialised_there_is_nothing_to_carry() {
    assert_eq!(get_traceparent(), None);
    assert_eq!(get_baggage(), None);
    assert_eq!(trace_headers(), None);
    assert_eq!(trace_meta_tags(), "");
    assert_eq!(sentrace_core::continue_trace(&carrier(BAGGAGE)[..]).trace_id(), None);
    start_transaction("work", "task").enter(|| assert_eq!(get_traceparent(), None));
}

#[test]
fn a_head_describes_itself_in_the_sampling_context() {
    let options = Options::new()
        .dsn("http://publickey@o7.ingest.test/42")
        .release("shop@1.4.0")
        .environment("staging, east")
        .traces_sample_rate(1.0);
    let (client, capture) = recording_with(options);
    let transaction = client.start_transaction("send invoice", "queue.task");
    let baggage = transaction.baggage().unwrap();
    transaction.finish();
    let captured = only(&capture);
    let trace_id = captured.transaction.trace.trace_id.to_string();
    let context = captured.dynamic_sampling_context.unwrap();
    let rand = context.get("sample_rand").unwrap();
    assert!(rand.len() == 8 && rand.starts_with("0."), "six decimals: {rand}");
    for (key, value) in [
        ("trace_id", &*trace_id),
        ("public_key", "publickey"),
        ("sample_rate", "1"),
        ("sampled", "true"),
        ("release", "shop@1.4.0"),
        ("environment", "staging, east"),
        ("org_id", "7"),
        ("transaction", "send invoice"),
    ] {
        assert_eq!(context.get(key), Some(value), "{key}");
    }
    assert!(
        baggage.split(',').all(|member| member.starts_with("sentry-") && member.contains('=')),
        "{baggage}"
    );
    assert!(baggage.contains("sentry-environment=staging%2C%20east"), "{baggage}");
}

#[test]
fn the_sampling_context_is_frozen_when_it_first_goes_out() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("first name", "task");
    transaction.set_name("name at the time", TransactionSource::Task);
    let first = transaction.baggage();
    transaction.set_name("second name", TransactionSource::Task);
    assert_eq!(transaction.start_span("task", "call").baggage(), first);
    transaction.finish();
    let captured = only(&capture);
    assert_eq!(captured.transaction.name, "second name");
    assert_eq!(captured.dynamic_sampling_context.unwrap().get("transaction"), Some("name at the time"));
}

#[test]
fn without_any_call_it_is_frozen_at_the_end() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("first name", "task");
    transaction.set_name("last name", TransactionSource::Route);
    transaction.finish();
    assert_eq!(only(&capture).dynamic_sampling_context.unwrap().get("transaction"), Some("last name"));
}

#[test]
fn raw_urls_stay_out_of_it() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    transaction.set_name("GET /users/7", TransactionSource::Url);
    assert!(!transaction.baggage().unwrap().contains("sentry-transaction"));
    transaction.finish();
    assert_eq!(only(&capture).dynamic_sampling_context.unwrap().get("transaction"), None);
}

#[test]
fn incoming_baggage_goes_on_byte_for_byte_and_other_vendors_members_do_not() {
    let (client, capture) = recording();
    let trace = client.continue_trace(&carrier(&format!("tenant=7,{BAGGAGE},vendor=x;ttl=1"))[..]);
    let transaction = trace.start_transaction("work", "task");
    assert_eq!(transaction.baggage().as_deref(), Some(BAGGAGE));
    transaction.set_name("renamed", TransactionSource::Route);
    transaction.finish();
    let captured = only(&capture);
    assert_eq!(captured.transaction.trace.parent_span_id.unwrap().to_string(), PARENT_ID);
    let context = captured.dynamic_sampling_context.unwrap();
    assert_eq!((context.get("release"), context.get("transaction")), (Some("front@1"), None));
}

#[test]
fn sentry_trace_alone_freezes_an_empty_context() {
    let (client, capture) = recording();
    let trace = client.continue_trace(&[("sentry-trace", SENTRY_TRACE)]);
    let transaction = trace.start_transaction("work", "task");
    assert_eq!(transaction.trace_id().unwrap().to_string(), TRACE_ID);
    let headers = transaction.trace_headers().unwrap();
    assert_eq!(headers.baggage(), None);
    assert_eq!(headers.into_iter().count(), 1);
    transaction.enter(|| assert!(!trace_meta_tags().contains("baggage")));
    transaction.finish();
    assert_eq!(only(&capture).dynamic_sampling_context, None);
}

#[test]
fn w3cs_header_goes_out_where_it_is_asked_for() {
    for (rate, flags) in [(Some(1.0), "01"), (Some(0.0), "00"), (None, "00")] {
        let options = Options::new().propagate_traceparent(true);
        let (client, _) =
            recording_with(rate.map_or(options.clone(), |rate| options.traces_sample_rate(rate)));
        let transaction = client.start_transaction("work", "task");
        let headers = transaction.trace_headers().unwrap();
        let expected =
            format!("00-{}-{}-{flags}", transaction.trace_id().unwrap(), transaction.span_id().unwrap());
        assert_eq!(headers.traceparent().unwrap().to_string(), expected);
        assert!(headers.into_iter().any(|pair| pair == ("traceparent", expected.clone())));
    }
}

#[test]
fn meta_tags_are_escaped_and_continue_the_trace() {
    let options = Options::new().traces_sample_rate(1.0).release("a\"><script>").environment("<&'");
    let (client, _) = recording_with(options);
    let transaction = client.start_transaction("page", "http.server");
    let tags = transaction.enter(trace_meta_tags);
    let sentry_trace = transaction.sentry_trace().unwrap();
    assert!(tags.starts_with(&format!("<meta name=\"sentry-trace\" content=\"{sentry_trace}\">")), "{tags}");
    assert_eq!(tags.matches('<').count(), 2, "two tags and nothing else: {tags}");

    // The caller's bytes are propagated as received, including quotes.
    let trace = client.continue_trace(&carrier("sentry-release=\"'><script>&x")[..]);
    let tags = trace.enter(trace_meta_tags);
    assert!(tags.contains("content=\"sentry-release=&quot;&#39;&gt;&lt;script&gt;&amp;x\""), "{tags}");
}

#[test]
fn any_carrier_will_do() {
    let (client, _) = recording();
    let map = HashMap::from([("sentry-trace".to_owned(), SENTRY_TRACE.to_owned())]);
    let carriers: [(Trace, &str); 2] = [
        (client.continue_trace(&map), "a map of job metadata"),
        (client.continue_trace(&[("Sentry-Trace", SENTRY_TRACE)][..]), "names in any case"),
    ];
    for (trace, reason) in carriers {
        assert_eq!(trace.trace_id().unwrap().to_string(), TRACE_ID, "{reason}");
    }
}

#[test]
fn a_continued_trace_goes_on_without_a_transaction() {
    for rate in [None, Some(0.0), Some(1.0)] {
        let (client, capture) =
            recording_with(rate.map_or(Options::new(), |rate| Options::new().traces_sample_rate(rate)));
        let trace = client.continue_trace(&carrier(BAGGAGE)[..]);
        trace.enter(|| {
            let carried = get_traceparent().unwrap();
            assert!(carried.starts_with(TRACE_ID) && carried.ends_with("-1"), "{carried}, rate {rate:?}");
            assert_eq!(get_baggage().as_deref(), Some(BAGGAGE));
        });
        assert_eq!(capture.take().len(), 0);
    }
}

#[test]
fn a_transaction_inside_a_continued_trace_hangs_below_the_caller() {
    let (client, capture) = recording();
    let trace = client.continue_trace(&carrier(BAGGAGE)[..]);
    trace.enter(|| start_transaction("by name", "task").finish());
    trace.start_transaction("by trace", "task").finish();
    for captured in capture.take() {
        let name = &captured.transaction.name;
        assert_eq!(captured.transaction.trace.trace_id.to_string(), TRACE_ID, "{name}");
        let parent = captured.transaction.trace.parent_span_id;
        assert_eq!(
            parent.map(|id| id.to_string()).as_deref(),
            Some(PARENT_ID),
            "{name}: a parent that exists"
        );
        assert_eq!(captured.dynamic_sampling_context.unwrap().get("public_key"), Some("head"), "{name}");
    }
}

#[test]
fn a_transaction_inside_a_new_trace_is_its_root() {
    let (client, capture) = recording();
    let trace = client.start_new_trace();
    trace.enter(|| start_transaction("by name", "task").finish());
    let captured = only(&capture);
    assert_eq!(captured.transaction.trace.trace_id, trace.trace_id().unwrap());
    assert_eq!(captured.transaction.trace.parent_span_id, None, "nothing above it is ever sent");
}

#[test]
fn transactions_of_one_trace_share_its_context() {
    let (client, capture) = recording();
    let trace = client.start_new_trace();
    let (first, second) =
        (trace.start_transaction("first", "task"), trace.start_transaction("second", "task"));
    let frozen = second.baggage().unwrap();
    assert_eq!(first.baggage().as_deref(), Some(&*frozen));
    assert_eq!(trace.trace_headers().unwrap().baggage(), Some(&*frozen));
    drop((first, second));
    let captured = capture.take();
    assert_eq!(captured.len(), 2);
    for captured in captured {
        assert_eq!(captured.dynamic_sampling_context.unwrap().get("transaction"), Some("second"));
    }
}

#[test]
fn a_new_trace_is_new_whatever_is_current() {
    let (client, _) = recording();
    let transaction = client.start_transaction("work", "task");
    transaction.enter(|| {
        let fresh = sentrace_core::start_new_trace();
        assert_ne!(fresh.trace_id(), transaction.trace_id());
        fresh.enter(|| {
            assert!(get_traceparent().unwrap().starts_with(&fresh.trace_id().unwrap().to_string()));
        });
        assert!(get_traceparent().unwrap().starts_with(&transaction.trace_id().unwrap().to_string()));
    });
}

#[test]
fn a_transaction_started_below_a_span_is_its_child() {
    let (client, capture) = recording();
    let outer = client.start_transaction("outer", "task");
    let span = outer.start_span("task", "starts another");
    let (parent, frozen) = (span.span_id(), outer.baggage());
    span.enter(|| {
        let inner = start_transaction("inner", "task");
        assert_eq!(inner.baggage(), frozen);
        inner.finish();
    });
    span.finish();
    outer.finish();
    let captured = capture.take();
    let [inner, outer] = &captured[..] else { panic!("two transactions: {captured:?}") };
    assert_eq!(inner.transaction.trace.trace_id, outer.transaction.trace.trace_id);
    assert_eq!(inner.transaction.trace.parent_span_id, parent);
}

#[test]
fn another_organisations_trace_is_refused_whole() {
    let options = Options::new().traces_sample_rate(1.0).org_id("1");
    let rows = [
        ("sentry-org_id=1,sentry-sampled=true", false, true, "ours"),
        ("sentry-org_id=2,sentry-sampled=true", false, false, "another's"),
        ("sentry-sampled=true", false, true, "it does not say"),
        ("sentry-sampled=true", true, false, "it does not say, strict"),
    ];
    for (baggage, strict, continued, reason) in rows {
        let (client, _) = recording_with(options.clone().strict_trace_continuation(strict));
        let headers = [("sentry-trace", SENTRY_TRACE.replace("-1", "-0")), ("baggage", baggage.to_owned())];
        let transaction = client.continue_trace(&headers[..]).start_transaction("work", "task");
        assert_eq!(transaction.trace_id().unwrap().to_string() == TRACE_ID, continued, "{reason}");
        assert_eq!(transaction.sampled(), Some(!continued), "its decision is refused with it: {reason}");
        assert_eq!(transaction.baggage().as_deref() == Some(baggage), continued, "{reason}");
    }
}
