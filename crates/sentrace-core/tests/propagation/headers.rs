//! Incoming `sentry-trace` and `baggage`, once and several times.

use http::{HeaderMap, HeaderValue};
use sentrace_core::{Options, Origin};

use crate::support::{
    DEFERRED, Headers, PARENT_ID, SAMPLED, UNSAMPLED, carried, client, continued, is_the_callers, only,
    recording,
};

#[test]
fn sentry_trace_is_read_in_every_shape_that_says_one_thing() {
    let (client, _) = client(Options::new());
    let upper = SAMPLED.to_uppercase();
    let blanks = format!(" \t{SAMPLED} ");
    let joined = format!("{SAMPLED},{SAMPLED}");
    let joined_loosely = format!("{SAMPLED} , ,{upper},");
    let joined_but_different = format!("{SAMPLED},{UNSAMPLED}");
    let joined_with_nonsense = format!("{SAMPLED},nonsense");
    let rows: [(Headers<'_>, Option<Option<bool>>, &str); 16] = [
        (&[("sentry-trace", SAMPLED)], Some(Some(true)), "sampled"),
        (&[("sentry-trace", UNSAMPLED)], Some(Some(false)), "not sampled"),
        (&[("sentry-trace", DEFERRED)], Some(None), "left to us"),
        (&[("sentry-trace", &upper)], Some(Some(true)), "upper case is read"),
        (&[("sentry-trace", &blanks)], Some(Some(true)), "blanks around it"),
        (&[("sentry-trace", SAMPLED), ("sentry-trace", SAMPLED)], Some(Some(true)), "twice the same"),
        (&[("sentry-trace", &joined)], Some(Some(true)), "twice the same, joined by a proxy"),
        (&[("sentry-trace", &joined_loosely)], Some(Some(true)), "joined with blanks, holes and other case"),
        (&[("sentry-trace", ""), ("sentry-trace", SAMPLED)], Some(Some(true)), "an empty one says nothing"),
        (&[("sentry-trace", SAMPLED), ("sentry-trace", UNSAMPLED)], None, "two that disagree"),
        (&[("sentry-trace", &joined_but_different)], None, "two that disagree, joined"),
        (&[("sentry-trace", SAMPLED), ("sentry-trace", "nonsense")], None, "one that cannot be read"),
        (&[("sentry-trace", &joined_with_nonsense)], None, "one that cannot be read, joined"),
        (&[("sentry-trace", "1")], None, "a decision without ids is none"),
        (&[("sentry-trace", ",")], None, "nothing but a comma"),
        (&[("sentry-trace", "")], None, "nothing at all"),
    ];
    for (headers, decision, reason) in rows {
        let trace = continued(&client, headers);
        assert_eq!(is_the_callers(&trace), decision.is_some(), "{reason}");
        let goes_on = carried(&trace).sentry_trace();
        assert_eq!(goes_on.sampled, decision.flatten(), "{reason}");
        assert_eq!(goes_on.span_id.to_string() == PARENT_ID, decision.is_some(), "{reason}");
        assert_eq!(
            goes_on.to_string(),
            goes_on.to_string().to_lowercase(),
            "lower case is written: {reason}"
        );
    }
}

#[test]
fn all_baggage_headers_of_a_message_are_one_list() {
    let (client, capture) = recording();
    let headers = [
        ("sentry-trace", SAMPLED),
        ("baggage", "tenant=7;ttl=1,sentry-release=a%401"),
        ("baggage", "other=x"),
        ("baggage", " sentry-environment=prod ;p=1 , sentry-new_key=%C3%A9"),
    ];
    let transaction = continued(&client, &headers).start_transaction("work", "task");
    let expected = "sentry-release=a%401,sentry-environment=prod ;p=1,sentry-new_key=%C3%A9";
    assert_eq!(transaction.baggage().as_deref(), Some(expected), "ours, as they came and in order");
    transaction.finish();
    let context = only(&capture).dynamic_sampling_context.unwrap();
    let members: Vec<_> = context.iter().collect();
    assert_eq!(
        members,
        [("release", "a@1"), ("environment", "prod"), ("new_key", "\u{e9}")],
        "decoded, without properties, unknown keys too"
    );
}

#[test]
fn of_two_members_with_one_key_the_last_counts_for_everybody() {
    let (client, capture) = client(Options::new().traces_sample_rate(1.0).org_id("1"));
    let headers = [("sentry-trace", SAMPLED), ("baggage", "sentry-org_id=2,sentry-org_id=1")];
    let trace = continued(&client, &headers);
    assert!(is_the_callers(&trace), "the last one is ours");
    let transaction = trace.start_transaction("work", "task");
    assert_eq!(transaction.baggage().as_deref(), Some("sentry-org_id=2,sentry-org_id=1"), "both go on");
    transaction.finish();
    assert_eq!(only(&capture).dynamic_sampling_context.unwrap().get("org_id"), Some("1"));
}

#[test]
fn baggage_keeps_its_limits_over_all_headers() {
    let (client, _) = client(Options::new());
    let forty = |letter| (0..40).map(|n| format!("sentry-{letter}{n}=v")).collect::<Vec<_>>().join(",");
    let large = format!("sentry-large={}", "x".repeat(5_000));
    let trace = |fields: &[&str]| {
        let mut headers = HeaderMap::new();
        headers.insert("sentry-trace", HeaderValue::from_static(SAMPLED));
        for field in fields {
            headers.append("baggage", HeaderValue::from_str(field).unwrap());
        }
        carried(&client.continue_trace(&headers)).baggage().unwrap().to_owned()
    };
    let many = trace(&[&forty('a'), &forty('b')]);
    assert_eq!(many.split(',').count(), 64, "what comes last is dropped first");
    assert!(many.starts_with("sentry-a0=v,") && many.ends_with(",sentry-b23=v"), "{many}");
    let long = trace(&[&large, &large, "sentry-small=1"]);
    assert_eq!(long, format!("{large},sentry-small=1"), "what does not fit is dropped whole");
}

#[test]
fn a_carrier_that_says_nothing_begins_a_trace() {
    let (client, capture) = recording();
    for headers in [&[][..], &[("baggage", "sentry-release=a,tenant=7")], &[("accept", "text/html")]] {
        let trace = continued(&client, headers);
        assert!(!is_the_callers(&trace));
        trace.start_transaction("work", "task").finish();
        let captured = only(&capture);
        assert_eq!(captured.transaction.trace.parent_span_id, None);
        assert_eq!(captured.dynamic_sampling_context.unwrap().get("release"), None, "no trace, no baggage");
    }
}

#[test]
fn continuing_opens_no_span() {
    let (client, capture) = recording();
    let trace = continued(&client, &[("sentry-trace", SAMPLED)]);
    trace.enter(|| assert!(!sentrace_core::current_span().is_recording()));
    drop(trace);
    assert_eq!(capture.take().len(), 0);
    assert_eq!(client.losses().take(), []);
}

#[test]
fn who_may_send_nowhere_still_continues() {
    let (client, capture) =
        client(Options::new().traces_sample_rate(0.0).tracing_origins(Vec::<Origin>::new()));
    assert!(!client.propagation_targets().allows("http://localhost/"));
    continued(&client, &[("sentry-trace", SAMPLED)]).start_transaction("work", "task").finish();
    assert_eq!(only(&capture).transaction.trace.parent_span_id.unwrap().to_string(), PARENT_ID);
}
