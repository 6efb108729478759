//! For all headers that come in, and all that a handler forwards.

use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use sentrace_core::{Options, Origin, current_span};

use super::{ALL, OTHER, OTHER_W3C, OURS, Served, THEIRS, W3C, WAYS, call, headers, serve, values};
use crate::support::{SAMPLED, TRACE_ID, client};

/// Values that callers send, and similar ones.
fn sentry_trace() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(SAMPLED.to_owned()),
        1 => Just(SAMPLED.to_uppercase()),
        1 => Just(OTHER.to_owned()),
        1 => Just(format!("{SAMPLED},{SAMPLED}")),
        1 => Just(format!("{SAMPLED} , {OTHER}")),
        1 => Just(format!(",{SAMPLED},,")),
        1 => Just(SAMPLED[..49].to_owned()),
        1 => Just(String::new()),
        1 => "[0-9a-f]{32}-[0-9a-f]{16}(-[01])?",
        2 => "[ -~]{0,60}",
    ]
}

fn traceparent() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(W3C.to_owned()),
        1 => Just(OTHER_W3C.to_owned()),
        1 => Just(format!("{W3C},{W3C}")),
        1 => "00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]",
        1 => "[ -~]{0,60}",
    ]
}

fn baggage() -> impl Strategy<Value = String> {
    let member = select(vec![
        "tenant=7".to_owned(),
        "sentry-sampled=true".to_owned(),
        format!("sentry-trace_id={TRACE_ID}"),
        " sentry-org_id=9".to_owned(),
        "sentry-org_id=7 ".to_owned(),
        "other=1;ttl=2".to_owned(),
        "sentry-broken".to_owned(),
        String::new(),
    ]);
    vec(member, 0..5).prop_map(|members| members.join(","))
}

fn field() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![
        3 => sentry_trace().prop_map(|value| ("sentry-trace", value)),
        2 => baggage().prop_map(|value| ("baggage", value)),
        1 => traceparent().prop_map(|value| ("traceparent", value)),
    ]
}

type OwnedFields = Vec<(&'static str, String)>;

/// A caller's headers, and some of them as a handler may forward them: in another order, with other
/// whitespace, joined.
fn came_and_goes_on() -> impl Strategy<Value = (OwnedFields, OwnedFields)> {
    vec(field(), 0..6).prop_flat_map(|came| {
        let some = subsequence(came.clone(), 0..=came.len()).prop_shuffle();
        let edits = (any::<bool>(), any::<bool>());
        (Just(came), some, edits).prop_map(|(came, mut onward, (blanks, join))| {
            if blanks {
                onward.iter_mut().for_each(|(_, value)| *value = format!(" {value}\t"));
            }
            if join && onward.len() > 1 && onward[0].0 == onward[1].0 {
                let (_, second) = onward.remove(1);
                onward[0].1 = format!("{},{second}", onward[0].1);
            }
            (came, onward)
        })
    })
}

fn map(fields: &[(&'static str, String)]) -> HeaderMap {
    headers(&fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
}

/// Returns `true` if `sentry-trace` has any value.
fn says_a_trace(headers: &HeaderMap) -> bool {
    values(headers, "sentry-trace")
        .concat()
        .chars()
        .any(|letter| letter != ',' && !letter.is_ascii_whitespace())
}

fn config(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases, ..config } }
}

proptest! {
    #![proptest_config(config(500))]

    /// For all headers that come in and are forwarded by a gateway, the next service continues
    /// below the gateway's own span, or gets no trace.
    #[test]
    fn nothing_goes_on_as_it_came(
        (came, onward) in came_and_goes_on(),
        rate in select(vec![None, Some(0.0), Some(1.0)]),
        (strict, reads_w3c, writes_w3c) in any::<(bool, bool, bool)>(),
        served in select(ALL.to_vec()),
        way in select(WAYS.to_vec()),
        spans in 0..3_usize,
        pick: Index,
    ) {
        let mut options = Options::new()
            .tracing_origins([Origin::host("ours.test")])
            .strict_trace_continuation(strict)
            .org_id("7")
            .continue_traceparent(reads_w3c)
            .propagate_traceparent(writes_w3c);
        if let Some(rate) = rate {
            options = options.traces_sample_rate(rate);
        }
        let (client, _) = client(options);
        let (came, onward) = (map(&came), map(&onward));
        let (allowed, parent, denied) = serve(&client, &came, served, || {
            let open: Vec<_> = (0..spans).map(|_| current_span().start_span("task", "step")).collect();
            let run = || {
                let (allowed, parent) = call(OURS, onward.clone(), way);
                (allowed, parent.trace_headers().unwrap(), call(THEIRS, onward.clone(), way).0)
            };
            if open.is_empty() { run() } else { pick.get(&open).enter(run) }
        });
        prop_assert_eq!(values(&allowed, "sentry-trace"), [parent.sentry_trace().to_string()]);
        let members = values(&allowed, "baggage").join(",");
        let ours: Vec<_> = members.split(',').filter(|member| member.starts_with("sentry-")).collect();
        prop_assert_eq!(ours.join(","), parent.baggage().unwrap_or_default());
        match parent.traceparent() {
            Some(traceparent) => {
                prop_assert_eq!(values(&allowed, "traceparent"), [traceparent.to_string()]);
            }
            // Those of other tools may pass through a service that trusts its caller and does not
            // propagate the W3C's header.
            None if matches!(served, Served::Refused | Served::RefusedAndFiltered) => {
                // A blank field has no meaning.
                prop_assert!(values(&allowed, "traceparent").concat().trim().is_empty(), "{allowed:?}");
            }
            None => {}
        }
        prop_assert_eq!(values(&denied, "sentry-trace"), [""; 0]);
        prop_assert!(!values(&denied, "baggage").concat().contains("sentry-"), "{denied:?}");
        // A caller's other traceparent, alone or beside a continued sentry-trace, is only
        // remembered if it is propagated here.
        if !says_a_trace(&came) || says_a_trace(&onward) || writes_w3c {
            prop_assert_eq!(values(&denied, "traceparent"), [""; 0]);
        }
    }
}
