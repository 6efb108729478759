//! Outgoing headers stay within their limits, regardless of the length of names, releases and
//! received contexts.

use std::process::Command;

use sentrace_core::carriers::env::TracedCommand;
use sentrace_core::carriers::job::{JobTrace, Publish};
use sentrace_core::{Client, Options, Origin, TransactionOptions};
use sentrace_protocol::baggage::{MAX_BYTES, MAX_MEMBERS};
use sentrace_protocol::{DynamicSamplingContext, TransactionSource};

use crate::support::{DEFERRED, SAMPLED, TRACE_ID, client, continued, only};

/// Returns the `baggage` of every way out while `span` is current.
fn exits(client: &Client, span: &sentrace_core::SpanRef, own: &str) -> Vec<(&'static str, String)> {
    span.enter(|| {
        let mut command = Command::new("true");
        command.prepare().finish();
        let variable = command.get_envs().find(|(name, _)| *name == "SENTRY_BAGGAGE");
        let (publish, job) = Publish::to("mails").start();
        publish.finish();
        let pairs: Vec<_> = job.headers().map(|(name, value)| (name, value.into_owned())).collect();
        let of_job = pairs.iter().find(|(name, _)| *name == "baggage").map(|(_, value)| value.clone());
        let mut fresh = http::HeaderMap::new();
        sentrace_core::inject_headers("http://localhost/", &mut fresh, Some(client));
        let mut merged = http::HeaderMap::new();
        merged.insert("baggage", own.parse().unwrap());
        sentrace_core::inject_headers("http://localhost/", &mut merged, Some(client));
        let header = |headers: &http::HeaderMap| {
            headers.get("baggage").map(|value| value.to_str().unwrap().to_owned())
        };
        let tags = sentrace_core::trace_meta_tags();
        let tag = tags.split("name=\"baggage\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
        [
            ("get_baggage", sentrace_core::get_baggage()),
            ("trace_headers", sentrace_core::trace_headers().and_then(|it| it.baggage().map(str::to_owned))),
            ("the environment", variable.and_then(|(_, value)| Some(value?.to_str()?.to_owned()))),
            ("a job", of_job),
            ("meta tags", tag.map(str::to_owned)),
            ("headers", header(&fresh)),
            ("the application's own baggage", header(&merged)),
        ]
        .into_iter()
        .filter_map(|(way, baggage)| Some((way, baggage?)))
        .collect()
    })
}

#[test]
fn names_and_releases_of_any_length_leave_the_rest() {
    let rows = [
        ("ü".repeat(3_000), "shop@1".to_owned(), "a name of umlauts"),
        ("😀".repeat(2_000), "shop@1".to_owned(), "of emojis"),
        ("x".repeat(8_000), "shop@1".to_owned(), "of letters"),
        (" ".repeat(9_000), "shop@1".to_owned(), "of blanks"),
        ("GET /users/{id}".to_owned(), "r".repeat(9_000), "a long release"),
        ("GET /users/{id}".to_owned(), "ü".repeat(9_000), "of umlauts"),
        ("\u{0}".repeat(9_000), "\u{1}".repeat(9_000), "both of control characters"),
        ("😀".repeat(9_000), "😀".repeat(9_000), "both of emojis"),
    ];
    for (name, release, reason) in rows {
        let options = Options::new().dsn("http://key@127.0.0.1:9/1").traces_sample_rate(1.0).release(release);
        let (client, capture) = client(options.org_id("7").environment("😀".repeat(9_000)));
        let start = TransactionOptions::new(&name, "task").source(TransactionSource::Custom);
        let transaction = client.start_transaction_with(&start);
        for own in ["tenant=7", &*format!("tenant={}", "x".repeat(MAX_BYTES - 200))] {
            let exits = exits(&client, &transaction, own);
            assert_eq!(exits.len(), 7, "{reason}: {exits:?}");
            for (way, baggage) in exits {
                assert!(baggage.len() <= MAX_BYTES, "{reason}, {way}: {} bytes", baggage.len());
                let context = DynamicSamplingContext::from_baggage(&baggage);
                if way == "the application's own baggage" && own.len() > 100 {
                    // 200 bytes hold no context at all: half a context is worse than none.
                    assert_eq!((&*baggage, context.is_empty()), (own, true), "{reason}");
                    continue;
                }
                for key in ["trace_id", "public_key", "sample_rate", "sample_rand", "sampled", "org_id"] {
                    assert!(context.get(key).is_some(), "{reason}, {way}: {key}");
                }
                let name = context.get("transaction").unwrap_or_default();
                assert!(name.chars().count() <= 200, "{reason}, {way}");
                assert_eq!(baggage.starts_with(own), way == "the application's own baggage", "{reason}");
            }
        }
        transaction.finish();
        let context = only(&capture).dynamic_sampling_context.unwrap();
        assert!(context.to_baggage().len() <= MAX_BYTES, "{reason}: the envelope's header");
        assert!(context.get("sampled").is_some(), "{reason}");
    }
}

#[test]
fn beside_the_applications_own_the_name_goes_first_and_then_the_release() {
    let options =
        Options::new().dsn("http://key@127.0.0.1:9/1").traces_sample_rate(1.0).release("shop@1.4.0");
    let (client, _) = client(options.tracing_origins([Origin::host("localhost")]));
    let transaction = client.start_transaction("checkout of a cart", "task");
    let ours = transaction.baggage().unwrap();
    let length = |left_out: &[&str]| {
        ours.split(',')
            .filter(|member| !left_out.iter().any(|key| member.contains(key)))
            .map(|it| it.len() + 1)
            .sum()
    };
    let [whole, no_name, neither]: [usize; 3] =
        [length(&[]), length(&["transaction"]), length(&["transaction", "release"])];
    let rows = [
        (whole, true, true, true, "room for all"),
        (whole - 1, true, true, false, "no room for the name"),
        (no_name, true, true, false, "just without the name"),
        (no_name - 1, true, false, false, "nor for the release"),
        (neither, true, false, false, "just without both"),
        (neither - 1, false, false, false, "for nothing"),
        (0, false, false, false, "the application fills it alone"),
    ];
    for (room, id, release, name, reason) in rows {
        let own = format!("t={}", "x".repeat(MAX_BYTES - 2 - room));
        let mut headers = http::HeaderMap::new();
        headers.insert("baggage", own.parse().unwrap());
        transaction.enter(|| sentrace_core::inject_headers("http://localhost/", &mut headers, Some(&client)));
        let sent = headers["baggage"].to_str().unwrap();
        assert!(sent.len() <= MAX_BYTES && sent.starts_with(&own), "{reason}: {}", sent.len());
        let context = DynamicSamplingContext::from_baggage(sent);
        let told = ["trace_id", "release", "transaction"].map(|key| context.get(key).is_some());
        assert_eq!(told, [id, release, name], "{reason}");
        assert!(headers.contains_key("sentry-trace"), "{reason}");
    }
}

#[test]
fn what_came_with_more_than_there_is_room_for_loses_its_name_first() {
    let id = format!("sentry-trace_id={TRACE_ID}");
    let long = |key: &str, bytes: usize| format!("sentry-{key}={}", "x".repeat(bytes));
    let many = (0..70).map(|number| format!("sentry-k{number}=v")).collect::<Vec<_>>().join(",");
    let rows: [(String, &[&str], &[&str], &str); 6] = [
        (
            format!("{},{id},sentry-release=r", long("transaction", 8_170)),
            &["trace_id", "release"],
            &["transaction"],
            "a long name before the rest",
        ),
        (
            format!("{},{},{id}", long("release", 5_000), long("transaction", 5_000)),
            &["trace_id", "release"],
            &["transaction"],
            "the name is enough",
        ),
        (
            format!("{},{},{id}", long("release", 8_170), long("transaction", 10)),
            &["trace_id"],
            &["transaction", "release"],
            "both have to go",
        ),
        (
            format!("{id},{}", long("transaction", 8_192 - 52 - 20)),
            &["trace_id"],
            &["transaction"],
            "what is told here needs the room",
        ),
        (format!("{id},{many}"), &["trace_id"], &[], "too many members"),
        (many.clone(), &["k0"], &[], "too many without an id"),
    ];
    for (came, kept, gone, reason) in rows {
        let (client, capture) = client(Options::new().traces_sample_rate(1.0));
        for sentry_trace in [DEFERRED, SAMPLED] {
            let trace = continued(&client, &[("sentry-trace", sentry_trace), ("baggage", &came)]);
            let transaction = trace.start_transaction("work", "task");
            let sent = transaction.baggage().unwrap();
            assert!(sent.len() <= MAX_BYTES, "{reason}: {} bytes", sent.len());
            assert!(sent.split(',').count() <= MAX_MEMBERS, "{reason}");
            let context = DynamicSamplingContext::from_baggage(&sent);
            assert!(kept.iter().all(|key| context.get(key).is_some()), "{reason}: {sent}");
            if sentry_trace == DEFERRED {
                assert_eq!(context.get("sample_rate"), Some("1"), "{reason}");
                assert!(gone.iter().all(|key| context.get(key).is_none()), "{reason}");
            }
            transaction.finish();
            assert_eq!(only(&capture).dynamic_sampling_context, Some(context), "{reason}");
        }
    }
}

#[test]
fn a_job_that_is_queued_again_carries_no_more_than_it_may() {
    let came = format!("tenant=7,sentry-trace_id={TRACE_ID},sentry-long={}", "x".repeat(100_000));
    let headers = [("sentry-trace", SAMPLED), ("baggage", &came)];
    let read = JobTrace::from_carrier(&headers[..]);
    let json = serde_json::json!({"sentry-trace": SAMPLED, "baggage": came});
    for job in [read, serde_json::from_value(json).unwrap()] {
        let sent: Vec<_> = job.headers().filter(|(name, _)| *name == "baggage").collect();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].1.len() <= MAX_BYTES && sent[0].1.contains(TRACE_ID), "{} bytes", sent[0].1.len());
    }
}
