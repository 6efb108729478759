//! W3C's header, outgoing and incoming.

use sentrace_core::{Options, Origin};

use crate::support::{
    Headers, PARENT_ID, SAMPLED, TRACE_ID, UNSAMPLED, carried, client, context_of, continued, is_the_callers,
};

const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const W3C_UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

#[test]
fn it_goes_out_only_where_it_is_asked_for() {
    for (asked, expected) in [(false, 0), (true, 1)] {
        let (client, _) = client(Options::new().propagate_traceparent(asked));
        let trace = continued(&client, &[("sentry-trace", SAMPLED)]);
        let sent = carried(&trace).into_iter().filter(|(name, _)| *name == "traceparent");
        assert_eq!(sent.count(), expected, "asked for: {asked}");
        assert_eq!(client.propagates_traceparent(), asked);
    }
    let (client, _) = client(Options::new());
    assert!(!client.propagates_traceparent(), "the default");
}

#[test]
fn it_says_what_sentry_trace_says() {
    let (client, _) =
        client(Options::new().propagate_traceparent(true).tracing_origins([Origin::host("a.test")]));
    let rows = [
        (SAMPLED, "01", "sampled"),
        (UNSAMPLED, "00", "not sampled"),
        (&SAMPLED[..49], "00", "an open decision cannot be said"),
    ];
    for (sentry_trace, flags, reason) in rows {
        let sent = carried(&continued(&client, &[("sentry-trace", sentry_trace)])).traceparent().unwrap();
        assert_eq!(sent.to_string(), format!("00-{TRACE_ID}-{PARENT_ID}-{flags}"), "{reason}");
    }
}

#[test]
fn it_is_read_only_where_it_is_asked_for_and_sentry_trace_goes_first() {
    const OTHER: &str = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let later_version = W3C.replacen("00", "cc", 1) + "-more";
    let forbidden_version = W3C.replacen("00", "ff", 1);
    let too_long = format!("{W3C}-more");
    let joined = format!("{W3C},{W3C}");
    let upper = W3C.to_uppercase();
    let rows: [(bool, Headers<'_>, Option<bool>, &str); 14] = [
        (false, &[("traceparent", W3C)], None, "nobody asked"),
        (true, &[("traceparent", W3C)], Some(true), "sampled"),
        (true, &[("traceparent", W3C_UNSAMPLED)], Some(false), "its flag is the caller's decision"),
        (true, &[("TraceParent", W3C)], Some(true), "names in any case"),
        (true, &[("traceparent", &later_version)], Some(true), "a later version, with more behind"),
        (true, &[("traceparent", &too_long)], None, "version 00 has no more"),
        (true, &[("traceparent", &forbidden_version)], None, "version ff is forbidden"),
        (true, &[("traceparent", &upper)], None, "W3C knows lower case only"),
        (true, &[("traceparent", W3C), ("traceparent", W3C)], Some(true), "twice the same"),
        (true, &[("traceparent", W3C), ("traceparent", OTHER)], None, "two that disagree"),
        (true, &[("traceparent", W3C), ("traceparent", "?")], None, "one that cannot be read"),
        (true, &[("traceparent", &joined)], None, "it is no list"),
        (
            true,
            &[("traceparent", OTHER), ("sentry-trace", UNSAMPLED)],
            Some(false),
            "sentry-trace goes first",
        ),
        (true, &[("traceparent", W3C), ("sentry-trace", "?")], Some(true), "what cannot be used is absent"),
    ];
    for (asked, headers, decision, reason) in rows {
        let (client, _) = client(Options::new().continue_traceparent(asked));
        let trace = continued(&client, headers);
        assert_eq!(is_the_callers(&trace), decision.is_some(), "{reason}");
        assert_eq!(carried(&trace).sentry_trace().sampled, decision, "{reason}");
    }
}

#[test]
fn behind_a_caller_that_knows_nothing_of_sentry_the_context_begins_here() {
    let (client, _) =
        client(Options::new().continue_traceparent(true).traces_sample_rate(0.5).release("ours"));
    for (header, sampled, rate) in [(W3C, "true", "1"), (W3C_UNSAMPLED, "false", "0")] {
        let transaction = continued(&client, &[("traceparent", header)]).start_transaction("work", "task");
        let context = context_of(&transaction.trace_headers().unwrap());
        assert_eq!(context.get("trace_id"), Some(TRACE_ID));
        assert_eq!(context.get("release"), Some("ours"));
        assert_eq!((context.get("sampled"), context.get("sample_rate")), (Some(sampled), Some(rate)));
    }
    let headers = [("traceparent", W3C), ("baggage", "sentry-release=theirs,sentry-sample_rand=0.5")];
    let headers = carried(&continued(&client, &headers));
    assert_eq!(
        headers.baggage(),
        Some("sentry-release=theirs,sentry-sample_rand=0.5"),
        "unless it brought one"
    );
}
