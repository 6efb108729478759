//! `sample_rand`: generated here, adopted, or added.

use sentrace_core::{Options, Trace};
use sentrace_protocol::{DynamicSamplingContext, baggage};

use crate::support::{DEFERRED, SAMPLED, UNSAMPLED, carried, client, continued, only, recording};

fn of(trace: &Trace) -> Option<f64> {
    let headers = carried(trace);
    let text = baggage::member(headers.baggage()?, "sample_rand")?.to_owned();
    assert!(text.len() == 8 && text.starts_with("0."), "six decimals: {text}");
    Some(text.parse().unwrap())
}

#[test]
fn it_has_six_decimals_below_one_and_is_the_same_for_the_same_trace() {
    for rate in [None, Some(0.0), Some(1.0)] {
        let options = rate.map_or(Options::new(), |rate| Options::new().traces_sample_rate(rate));
        let (one, _) = client(options.clone());
        let (other, _) = client(options.continue_traceparent(true));
        for _ in 0..100 {
            let begun = one.start_new_trace();
            let rand = of(&begun).expect("every trace has one, without tracing too");
            assert!((0.0..1.0).contains(&rand), "{rand}");
            let id = begun.trace_id().unwrap();
            let elsewhere = format!("00-{id}-b7ad6b7169203331-01");
            let again = continued(&other, &[("traceparent", &elsewhere)]);
            assert_eq!(of(&again), Some(rand), "computed from the trace id alone");
        }
    }
}

#[test]
fn what_upstream_lacks_is_filled_in_by_the_rules() {
    let (client, capture) = recording();
    type Row = (&'static str, &'static str, Option<(f64, f64)>, &'static str);
    let rows: [Row; 9] = [
        (SAMPLED, "sentry-sample_rate=0.25", Some((0.0, 0.25)), "sampled: below the rate"),
        (UNSAMPLED, "sentry-sample_rate=0.25", Some((0.25, 1.0)), "not sampled: from the rate on"),
        (SAMPLED, "sentry-sample_rate=0.000001", Some((0.0, 0.000_001)), "a small rate"),
        (UNSAMPLED, "sentry-sample_rate=0.999999", Some((0.999_999, 1.0)), "a large rate"),
        (SAMPLED, "sentry-sample_rate=%30%2E5", Some((0.0, 0.5)), "a rate that is percent-encoded"),
        (DEFERRED, "sentry-release=a", Some((0.0, 1.0)), "an open decision: anywhere"),
        (SAMPLED, "sentry-release=a", None, "a decision without its rate: no rule says which"),
        (SAMPLED, "sentry-sample_rate=0", None, "a decision that no number explains"),
        (SAMPLED, "sentry-sample_rate=often", None, "a rate that is none"),
    ];
    for (sentry_trace, incoming, expected, reason) in rows {
        let trace = continued(&client, &[("sentry-trace", sentry_trace), ("baggage", incoming)]);
        let rand = of(&trace);
        assert_eq!(rand.is_some(), expected.is_some(), "{reason}");
        if let (Some(rand), Some((low, high))) = (rand, expected) {
            assert!((low..high).contains(&rand), "{rand}: {reason}");
        }
        let headers = carried(&trace);
        let sent = headers.baggage().unwrap();
        assert!(sent.starts_with(incoming), "what came goes on as it came: {reason}");

        let transaction = trace.start_transaction("work", "task");
        // An open decision is made by this service's rate, which is propagated.
        let decided = if sentry_trace == DEFERRED { ",sentry-sample_rate=1,sentry-sampled=true" } else { "" };
        let sent = Some(format!("{sent}{decided}"));
        assert_eq!(transaction.baggage(), sent, "{reason}");
        transaction.finish();
        for captured in capture.take() {
            assert_eq!(
                captured.dynamic_sampling_context,
                sent.as_deref().map(DynamicSamplingContext::from_baggage),
                "the envelope says the same: {reason}"
            );
        }
    }
}

#[test]
fn what_upstream_sent_is_never_touched() {
    let (client, _) = recording();
    for incoming in [
        "sentry-sample_rand=0.104233,sentry-sample_rate=0.25",
        "sentry-sample_rate=0.25,sentry-sample_rand =0.1",
        "sentry-sample_rate=0.25,sentry-sample_rand=0.10423312345",
        "sentry-sample_rate=0.25,sentry-sample_rand=1.5",
        "sentry-sample_rate=0.25,sentry-sample_rand=nonsense",
        "sentry-sample_rate=0.25,sentry-sample_rand=",
    ] {
        let headers = [("sentry-trace", SAMPLED), ("baggage", incoming)];
        assert_eq!(carried(&continued(&client, &headers)).baggage(), Some(incoming));
    }
}

#[test]
fn an_empty_context_stays_empty() {
    let (client, capture) = recording();
    for sentry_trace in [DEFERRED, SAMPLED] {
        let trace = continued(&client, &[("sentry-trace", sentry_trace), ("baggage", "tenant=7")]);
        assert_eq!(carried(&trace).baggage(), None);
        trace.start_transaction("work", "task").finish();
        assert_eq!(only(&capture).dynamic_sampling_context, None, "and the envelope carries none");
    }
}

#[test]
fn a_context_without_room_goes_on_without_it() {
    let (client, _) = recording();
    let sixty_three = (0..63).map(|n| format!(",sentry-k{n}=v")).collect::<String>();
    let full = format!("sentry-sample_rate=0.25{sixty_three}");
    let long = format!("sentry-sample_rate=0.25,sentry-long={}", "x".repeat(8_192 - 36));
    assert_eq!((full.split(',').count(), long.len()), (64, 8_192));
    for incoming in [full, long] {
        let headers = [("sentry-trace", SAMPLED), ("baggage", &*incoming)];
        assert_eq!(carried(&continued(&client, &headers)).baggage(), Some(&*incoming));
    }
}

#[test]
fn decisions_compare_it_as_it_was_written() {
    let rows = [
        ("0.249999", true, "below"),
        ("0.250000", false, "not below"),
        ("0.25", false, "fewer decimals"),
        ("0.24999999999", true, "more decimals than six are not rounded up"),
        ("0.2500000001", false, "nor down"),
        ("0", true, "the least"),
        ("0.999999", false, "the most"),
    ];
    for (rand, sampled, reason) in rows {
        let baggage = format!("sentry-sample_rand={rand}");
        let (by_rate, _) = client(Options::new().traces_sample_rate(0.25));
        let (by_sampler, _) = client(Options::new().traces_sampler(|_| 0.25));
        for (client, sentry_trace) in [(by_rate, DEFERRED), (by_sampler, UNSAMPLED)] {
            let headers = [("sentry-trace", sentry_trace), ("baggage", &*baggage)];
            let transaction = continued(&client, &headers).start_transaction("work", "task");
            assert_eq!(transaction.sampled(), Some(sampled), "{reason}");
            let told = format!("{baggage},sentry-sample_rate=0.25,sentry-sampled={sampled}");
            assert_eq!(transaction.baggage(), Some(told), "{reason}");
        }
    }
}

#[test]
fn services_that_ask_the_same_rate_decide_the_same() {
    for _ in 0..200 {
        let service = || client(Options::new().traces_sampler(|_| 0.5)).0;
        let first = service().start_transaction("work", "task");
        let headers: Vec<_> = first.trace_headers().unwrap().into_iter().collect();
        let second = service().continue_trace(&headers).start_transaction("work", "task");
        assert_eq!(first.sampled(), second.sampled());
    }
}
