//! Reading and writing are inverse, for any text.

use proptest::collection::vec;
use proptest::prelude::*;
use sentrace_core::Options;
use sentrace_protocol::baggage::{MAX_BYTES, MAX_MEMBERS, copy_sentry_members, merge};
use sentrace_protocol::{DynamicSamplingContext, SentryTrace, Traceparent};

use crate::support::{carried, client};

/// A list member as another tool writes it: key, value, properties, unusual whitespace.
fn third_party() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,8} ?=[!-+.-:<-~ ]{0,16}(;[a-z]{1,4}(=[a-z0-9%]{0,6})?){0,2}"
        .prop_map(|member| member.trim().to_owned())
        .prop_filter("it is not Sentry's", |member| !member.starts_with("sentry-"))
}

fn ours() -> impl Strategy<Value = String> {
    "sentry-[a-z_]{1,9}=[a-zA-Z0-9%._~-]{0,12}"
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_and_written_the_same(
        trace_id in 1_u128..,
        span_id in 1_u64..,
        sampled: Option<bool>,
        upper: bool,
        blanks in "[ \t]{0,3}",
    ) {
        let flag = sampled.map_or("", |sampled| if sampled { "-1" } else { "-0" });
        let written = format!("{trace_id:032x}-{span_id:016x}{flag}");
        let sent = if upper { written.to_uppercase() } else { written.clone() };
        let read = SentryTrace::parse(format!("{blanks}{sent}{blanks}").as_bytes()).unwrap();
        prop_assert_eq!(read.to_string(), written.clone(), "print is a fixpoint");
        prop_assert_eq!(SentryTrace::parse(read.to_string().as_bytes()).unwrap(), read);

        let parent = Traceparent { trace_id: read.trace_id, parent_id: read.span_id, sampled: upper };
        prop_assert_eq!(Traceparent::parse(parent.to_string().as_bytes()).unwrap(), parent);
    }

    #[test]
    fn whatever_is_read_can_be_written_and_read_again(text in "[0-9a-fA-F]{32}-[0-9a-fA-F]{16}(-[01])?|.{0,60}") {
        if let Ok(read) = SentryTrace::parse(text.as_bytes()) {
            prop_assert_eq!(read.to_string().parse::<SentryTrace>().unwrap(), read);
        }
        if let Ok(read) = Traceparent::parse(text.as_bytes()) {
            prop_assert_eq!(read.to_string().parse::<Traceparent>().unwrap(), read);
        }
    }

    #[test]
    fn a_context_is_a_fixpoint_of_writing_and_reading(
        members in vec(prop_oneof![ours(), third_party(), "\\PC{0,20}"], 0..12),
    ) {
        let read = DynamicSamplingContext::from_baggage(&members.join(","));
        let written = read.to_baggage();
        prop_assert_eq!(&DynamicSamplingContext::from_baggage(&written), &read);
        prop_assert_eq!(DynamicSamplingContext::from_baggage(&written).to_baggage(), written);
    }

    #[test]
    fn merging_loses_no_third_party_member_and_repeats_none_of_ours(
        existing in vec(prop_oneof![3 => third_party(), 1 => ours()], 0..50),
        cut in 0_usize..50,
        new in vec(ours(), 0..10),
    ) {
        let (first, second) = existing.split_at(cut.min(existing.len()));
        let (first, second, new) = (first.join(","), second.join(", "), new.join(","));
        let fields = [first.as_bytes(), second.as_bytes()];
        let merged = merge(fields.into_iter(), &new);
        let theirs: Vec<_> = existing.iter().filter(|member| !member.starts_with("sentry-")).cloned().collect();
        let expected: Vec<_> =
            theirs.iter().map(String::as_str).chain((!new.is_empty()).then_some(&*new)).collect();
        prop_assert_eq!(&merged, &expected.join(","), "byte for byte, in order, ours behind");
        prop_assert!(merged.len() <= MAX_BYTES && merged.split(',').count() <= MAX_MEMBERS);
        prop_assert_eq!(merge(std::iter::once(merged.as_bytes()), &new), merged, "merging again changes nothing");
    }

    #[test]
    fn beyond_the_limits_the_callers_own_members_go_first(
        existing in vec(third_party(), 55..80),
        new in vec(ours(), 1..12),
    ) {
        let (field, ours) = (existing.join(","), new.join(","));
        let merged = merge(std::iter::once(field.as_bytes()), &ours);
        prop_assert!(merged.starts_with(&field), "all of theirs");
        let fits = existing.len() + new.len() <= MAX_MEMBERS;
        let expected = if fits { format!("{field},{ours}") } else { field };
        prop_assert_eq!(merged, expected, "ours whole or not at all");
    }

    #[test]
    fn a_continued_context_goes_on_as_it_came(fields in vec(vec(prop_oneof![ours(), third_party()], 0..9), 0..4)) {
        let (client, _) = client(Options::new());
        let fields: Vec<String> = fields.iter().map(|members| members.join(",")).collect();
        let mut headers = vec![("sentry-trace", crate::support::SAMPLED)];
        headers.extend(fields.iter().map(|field| ("baggage", field.as_str())));
        let sent = carried(&client.continue_trace(&headers)).baggage().unwrap_or_default().to_owned();
        let mut expected = String::new();
        copy_sentry_members(fields.iter().map(String::as_bytes), &mut expected);
        let added = sent.strip_prefix(&*expected).unwrap();
        prop_assert!(added.is_empty() || added.starts_with(",sentry-sample_rand="), "{}", added);
        // In the next service, nothing is left to add.
        let further = client.continue_trace(&[("sentry-trace", crate::support::SAMPLED), ("baggage", &sent)]);
        let carried = carried(&further);
        prop_assert_eq!(carried.baggage().unwrap_or_default(), sent);
    }

    #[test]
    fn nothing_in_a_carrier_can_make_continuing_fail(
        names in vec("sentry-trace|baggage|traceparent|SENTRY_TRACE|\\PC{0,9}", 0..6),
        values in vec("\\PC{0,40}|[0-9a-f-]{40,60}|(sentry-[a-z_]{1,12}[=;,% ]{0,3}){0,6}", 6),
    ) {
        let options = Options::new().continue_traceparent(true).traces_sample_rate(0.5).org_id("1");
        let (client, _) = client(options);
        let headers: Vec<_> = names.iter().zip(&values).collect();
        let transaction = client.continue_trace(&headers.as_slice()).start_transaction("work", "task");
        let sent = transaction.trace_headers().unwrap();
        prop_assert!(sent.baggage().is_none_or(|baggage| baggage.len() <= MAX_BYTES));
        for (_, value) in sent {
            prop_assert!(http::HeaderValue::try_from(value).is_ok(), "it can be sent");
        }
    }
}
