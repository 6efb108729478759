//! Debug messages explain once why nothing was recorded, continued or propagated. The log is shared
//! by all threads, so this is a single test.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentrace_core::adapter::{CallSpan, OutgoingCall, OutgoingRequest};
use sentrace_core::carriers::job::JobTrace;
use sentrace_core::deliver::{Deliver, FinishedTransaction};
use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_core::testing::Capture;
use sentrace_core::{
    Client, IgnoreSpan, Options, Origin, Sampler, SpanRef, TraceLifecycle, TransactionOptions,
};

const NOWHERE: [Origin; 0] = [];

static SAID: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

const SAMPLED: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn said() -> Vec<(Level, String)> {
    std::mem::take(&mut *SAID.lock().unwrap())
}

fn client(options: Options) -> Client {
    Capture::client(options.continue_traceparent(true)).unwrap().0
}

#[test]
fn a_debug_log_says_once_what_cannot_be_used() {
    assert!(set_handler(|level, message| SAID.lock().unwrap().push((level, message.to_owned()))));
    let long = format!("sentry-a={}", "x".repeat(9_000));
    let different = SAMPLED.replacen('0', "1", 1);
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let foreign = "sentry-trace_id=85f29184b20d47c28dde78483288c3d7,sentry-sampled=true";
    let rows: [(Headers<'_>, &str, &str); 6] = [
        (&[("sentry-trace", "non\nsense")], "non\\nsense", "sentry-trace that cannot be read, escaped"),
        (&[("sentry-trace", SAMPLED), ("sentry-trace", &different)], "came twice", "two that disagree"),
        (
            &[("sentry-trace", SAMPLED), ("baggage", &long)],
            "1 of baggage's sentry- members",
            "an oversized member",
        ),
        (
            &[("sentry-trace", SAMPLED), ("baggage", foreign)],
            "ignored: they tell of trace \"85f29184b20d47c28dde78483288c3d7\"",
            "the context of another trace",
        ),
        (
            &[("traceparent", "01-nonsense")],
            "invalid traceparent `01-nonsense`",
            "traceparent that cannot be read",
        ),
        (
            &[("sentry-trace", SAMPLED), ("baggage", "sentry-org_id=2")],
            "organisation",
            "another organisation's",
        ),
    ];

    let silent = client(Options::new().org_id("1"));
    for (headers, _, _) in rows {
        silent.continue_trace(headers).trace_headers();
    }
    assert_eq!(said(), [], "without debug mode nothing is said, and nothing is used up");

    let client = client(Options::new().org_id("1").debug(true));
    for (headers, expected, reason) in rows {
        // Some headers are only read on demand.
        client.continue_trace(headers).trace_headers();
        let said = said();
        assert_eq!(said.len(), 1, "{reason}: {said:?}");
        assert_eq!(said[0].0, Level::Debug, "{reason}");
        assert!(said[0].1.contains(expected), "{reason}: {said:?}");
    }
    for (headers, _, _) in &rows[..5] {
        for _ in 0..100 {
            client.continue_trace(*headers);
        }
    }
    assert_eq!(said(), [], "a stranger cannot fill the log");
    client.continue_trace(&[("sentry-trace", SAMPLED), ("baggage", "other=\u{e9},x"), ("traceparent", W3C)]);
    assert_eq!(said(), [], "other tools' members are none of our business");
    why_nothing_is_recorded();
    why_there_is_no_span();
    wrong_rates_are_named_with_what_is_used_instead();
    what_is_set_wrong_is_named_with_what_is_sent();
    why_nothing_goes_out();
    a_log_has_an_end();
}

/// What is done, the expected messages, and the case.
type Row<'a> = (&'a dyn Fn(), &'a [&'a str], &'a str);

fn why_nothing_is_recorded() {
    let options = || Options::new().debug(true);
    let rate = |rate: f64| client(options().traces_sample_rate(rate));
    let pressed_by = |rate: f64| {
        let pressed: Arc<dyn Deliver> = Arc::new(Pressed);
        Client::new(options().traces_sample_rate(rate), pressed, Arc::default()).unwrap()
    };
    let filtered = || TransactionOptions::new("filtered", "task").recorded(false);
    let start = |client: &Client, name: &str| client.start_transaction(name, "task").finish();
    let rows: [Row<'_>; 14] = [
        (
            &|| start(&rate(0.0), "by rate"),
            &["by rate", "traces_sample_rate is 0", "sample_rand 0.", "with 1 all are"],
            "the rate",
        ),
        (
            &|| start(&client(options().traces_sampler(|_| 0.0)), "by sampler"),
            &["by sampler", "traces_sampler answered 0"],
            "the sampler",
        ),
        (
            &|| {
                let trace = rate(1.0).continue_trace(&[("sentry-trace", &*SAMPLED.replace("-1", "-0"))]);
                trace.start_transaction("by parent", "task").finish();
            },
            &["by parent", "its caller decided against it", "raise the caller's rate"],
            "the caller",
        ),
        (
            &|| {
                let explicit = TransactionOptions::new("by hand", "task").sampled(false);
                rate(1.0).start_transaction_with(&explicit).finish();
            },
            &["by hand", "whoever started it"],
            "whoever started it",
        ),
        (
            &|| start(&pressed_by(1.0), "in a flood"),
            &["in a flood", "halved 10 times", "lower"],
            "back-pressure",
        ),
        (
            &|| start(&client(options().traces_sample_rate(1.0).ignore_spans(["ping"])), "ping"),
            &["ping", "ignore_spans"],
            "a rule",
        ),
        (
            &|| rate(1.0).start_transaction_with(&filtered()).finish(),
            &["filtered", "the layer's filter"],
            "the layer's filter",
        ),
        (&|| start(&client(options()), "any"), &["neither", "SENTRY_TRACES_SAMPLE_RATE"], "tracing is off"),
        (
            &|| start(&Client::without_delivery(options().traces_sample_rate(1.0)).unwrap(), "any"),
            &["there is no DSN", "set SENTRY_DSN"],
            "no DSN, though a rate is set",
        ),
        (
            &|| {
                let client = Client::without_delivery(options()).unwrap();
                let own = TransactionOptions::new("own", "task").sample_rate(Some(1.0)).sampled(true);
                assert!(!client.start_transaction_with(&own).is_sampled(), "there is nowhere to send it");
            },
            &[],
            "no DSN, whatever a layer wants: it was said before",
        ),
        (
            &|| {
                let own = TransactionOptions::new("by layer", "task").sample_rate(Some(0.0));
                rate(1.0).start_transaction_with(&own).finish();
            },
            &["by layer", "the layer's sample_rate is 0"],
            "the layer's rate",
        ),
        (
            &|| {
                let sampler: Sampler = Arc::new(|_| 0.0);
                let own = TransactionOptions::new("by layer's sampler", "task").sampler(Some(&sampler));
                rate(1.0).start_transaction_with(&own).finish();
            },
            &["by layer's sampler", "the layer's sampler answered 0"],
            "the layer's sampler",
        ),
        (
            &|| JobTrace::default().process_with(&rate(1.0), "mails", "send mail").finish(),
            &["send mail", "\"mails\"", "its message carries none", "Publish::to"],
            "a job whose message carries no trace",
        ),
        (
            &|| start(&pressed_by(0.0), "pressed at 0"),
            &["pressed at 0", "traces_sample_rate is 0 (halved"],
            "the rate, which would be halved",
        ),
    ];
    assert_explained_once(&rows);
    start(&rate(1.0), "all is well");
    assert_eq!(said(), [], "what is recorded needs no words");
}

fn why_there_is_no_span() {
    let client = client(Options::new().debug(true).traces_sample_rate(1.0).ignore_spans(["noise"]));
    let plain = self::client(Options::new().debug(true).traces_sample_rate(1.0));
    let call = |parent: &SpanRef| {
        let request = OutgoingRequest { method: "GET", host: "api.test", path: "/x", ..Default::default() };
        CallSpan::http(parent, "auto.http.mine", None, &request).finish_with_status_code(200);
    };
    // First without a client, and then with one.
    let rows: [Row<'_>; 1] = [(
        &|| sentrace_core::start_span("task", "too early").finish(),
        &["too early", "nothing is initialised", "call init"],
        "no client",
    )];
    assert_explained_once(&rows);
    client.bind();
    let rows: [Row<'_>; 8] = [
        (
            &|| {
                // Like a task of tokio::spawn, which starts without a current span.
                plain.start_transaction("work", "task").enter(|| {
                    std::thread::scope(|scope| {
                        scope
                            .spawn(|| sentrace_core::start_span("task", "in a task").finish())
                            .join()
                            .unwrap();
                    });
                });
            },
            &["in a task", "(task)", "no transaction is current", "in_current_span", "with_current_span"],
            "a task without a context",
        ),
        (
            &|| call(&SpanRef::default()),
            &["GET http://api.test/x", "no transaction is current"],
            "a call outside any transaction is named by what it calls",
        ),
        (
            &|| {
                let transaction = plain.start_transaction("request", "task");
                let late = transaction.start_span("task", "a task that goes on");
                transaction.finish();
                late.finish();
            },
            &["a task that goes on", "still open when its transaction \"request\" ended"],
            "a span that outlives the request",
        ),
        (
            &|| {
                let transaction = plain.start_transaction("request", "task");
                let handle = SpanRef::clone(&transaction);
                transaction.finish();
                handle.enter(|| sentrace_core::start_span("task", "started late").finish());
            },
            &["started late", "had ended before it started", "TraceLifecycle::Stream"],
            "a span that starts when the request is over",
        ),
        (
            &|| {
                let transaction = plain.start_transaction("request", "task");
                let handle = SpanRef::clone(&transaction);
                transaction.finish();
                call(&handle);
            },
            &["http.client", "had ended before it started"],
            "a call that starts when the request is over",
        ),
        (
            &|| client.start_transaction("work", "task").start_span("task", "noise").finish(),
            &["noise", "a rule of ignore_spans"],
            "a rule",
        ),
        (
            &|| {
                let transaction = plain.start_transaction("work", "task");
                (0..1_001).for_each(|number| transaction.start_span("task", format!("n{number}")).finish());
            },
            &["n1000", "1000", "record fewer"],
            "more spans than a transaction may have",
        ),
        (
            &|| {
                let unsampled = TransactionOptions::new("by hand", "task").sampled(false);
                client.start_transaction_with(&unsampled).start_span("task", "unsampled").finish();
            },
            &[],
            "its transaction was explained",
        ),
    ];
    assert_explained_once(&rows);
    client.start_transaction("work", "task").enter(|| sentrace_core::start_span("task", "fine").finish());
    assert_eq!(said(), [], "what is recorded needs no words");
    client.unbind();
    said();
}

fn wrong_rates_are_named_with_what_is_used_instead() {
    const RULE: &str = "a rate is a number from 0 (nothing) to 1 (everything)";
    type Start<'a> = (Options, Option<Sampler>, Option<f64>, &'a str, &'a [&'a str], &'a str);
    let answering = |rate: f64| Options::new().debug(true).traces_sampler(move |_| rate);
    let layer = |rate: f64| -> Option<Sampler> { Some(Arc::new(move |_| rate)) };
    let plain = || Options::new().debug(true).traces_sample_rate(0.5);
    let rows: [Start<'_>; 12] = [
        (
            answering(25.0),
            None,
            None,
            "",
            &["traces_sampler answered 25 for", RULE, "0 is used instead"],
            "25",
        ),
        (
            answering(25.0).traces_sample_rate(0.5),
            None,
            None,
            "",
            &["25", "traces_sample_rate 0.5 is used"],
            "25, beside a rate",
        ),
        (answering(f64::NAN), None, None, "", &["NaN", RULE], "not a number"),
        (answering(-1.0), None, None, "", &["answered -1 ", RULE], "negative"),
        (answering(f64::INFINITY), None, None, "", &["inf", RULE], "infinite"),
        (answering(1.000_001), None, None, "", &["1.000001", RULE], "a little too much"),
        (
            answering(25.0),
            None,
            None,
            "-1",
            &["25", "the caller's decision, sampled, is used"],
            "beside a decision",
        ),
        (
            answering(25.0),
            None,
            None,
            "-0",
            &["25", "the caller's decision, not sampled, is used"],
            "beside another",
        ),
        (
            plain(),
            layer(25.0),
            None,
            "",
            &["the layer's sampler answered 25", "traces_sample_rate 0.5 is used"],
            "a layer's",
        ),
        (
            plain(),
            layer(25.0),
            Some(0.25),
            "",
            &["25", "the layer's sample_rate 0.25 is used"],
            "a layer's, beside its rate",
        ),
        (
            plain(),
            None,
            Some(25.0),
            "",
            &["sample_rate 25 of the layer", RULE, "traces_sample_rate 0.5 is used"],
            "a layer's rate",
        ),
        (
            plain(),
            None,
            Some(f64::NAN),
            "",
            &["sample_rate NaN of the layer"],
            "a layer's rate that is no number",
        ),
    ];
    for (row, (options, sampler, rate, flag, parts, reason)) in rows.into_iter().enumerate() {
        let client = client(options);
        let name = format!("wrong rate {row}");
        let start = TransactionOptions::new(&name, "task").sampler(sampler.as_ref()).sample_rate(rate);
        let sentry_trace = SAMPLED.replace("-1", flag);
        for _ in 0..3 {
            let trace = client.continue_trace(&[("sentry-trace", &*sentry_trace)]);
            let transaction = trace.start_transaction_with(&start);
            let context = transaction.trace_headers().unwrap();
            assert_eq!(context.baggage(), None, "{reason}: nothing came");
        }
        let (warnings, explained): (Vec<_>, Vec<_>) =
            said().into_iter().partition(|(level, _)| *level == Level::Warning);
        assert_eq!(warnings.len(), 1, "{reason}: {warnings:?}");
        assert!(parts.iter().all(|part| warnings[0].1.contains(part)), "{reason}: {warnings:?}");
        // Debug mode mentions neither the ignored result nor a rate that is not set.
        for (_, message) in &explained {
            let blames = ["answered", " 25 ", "NaN"].iter().any(|word| message.contains(word));
            assert!(!blames, "{reason}: {message}");
        }
    }
    let panics =
        client(Options::new().debug(true).traces_sample_rate(1.0).traces_sampler(|_| panic!("a bug")));
    for _ in 0..3 {
        panics.start_transaction("panics", "task").finish();
    }
    let said = said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].1.contains("traces_sampler panicked") && said[0].1.contains("traces_sample_rate 1 is used")
    );
}

fn what_is_set_wrong_is_named_with_what_is_sent() {
    let options = || Options::new().traces_sample_rate(1.0);
    let long = "x".repeat(100_000);
    let rows: [(Options, &[&str], &str); 10] = [
        (
            options().release("shop@1\n2"),
            &["release \"shop@1\\n2\"", "\"shop@1-2\"", "no line breaks"],
            "a line break",
        ),
        (options().release("shop/web@1"), &["\"shop-web@1\"", "no slashes"], "a slash"),
        (options().release("latest"), &["release \"latest\" is ignored"], "a reserved word"),
        (options().release(&long), &["at most 200 bytes"], "a long release"),
        (options().environment("a/b"), &["environment \"a/b\"", "\"a-b\""], "an environment"),
        (options().environment("none"), &["environment \"none\" is ignored"], "a reserved environment"),
        (options().server_name("a\nb"), &["server_name \"a\\nb\"", "\"a-b\""], "a server"),
        (options().release("").environment(" ").server_name("\n").org_id(" "), &[], "blank is unset"),
        (
            options().release(" shop@1\n").environment("production"),
            &[],
            "blanks around it are nobody's intention",
        ),
        (options().release("a/b").release("shop@1"), &[], "what was set last counts"),
    ];
    for (options, parts, reason) in rows {
        let client = client(options);
        client.start_transaction("work", "task").finish();
        let said = said();
        assert_eq!(said.len(), usize::from(!parts.is_empty()), "{reason}: {said:?}");
        for (level, message) in said {
            assert_eq!(level, Level::Warning, "{reason}");
            assert!(parts.iter().all(|part| message.contains(part)), "{reason}: {message}");
            assert!(message.len() < 1_200, "{reason}: {} bytes", message.len());
        }
    }
    contradictions();
    a_second_layer_around_a_client();
    let client = client(options());
    let transaction = client.start_transaction("work", "task");
    for _ in 0..3 {
        transaction.set_tag("my tag", "a\nhush");
        transaction.start_span("task", "child").set_tag("another tag", &long);
    }
    let said = said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].1.contains("the tag \"my tag\" is sent as \"my-tag\"") && !said[0].1.contains("hush"));
}

fn a_second_layer_around_a_client() {
    let client = client(Options::new().debug(true).traces_sample_rate(1.0));
    let transaction = client.start_transaction("work", "task");
    let request = OutgoingRequest { method: "GET", host: "localhost", path: "/x", ..Default::default() };
    let layer = |headers: &mut http::HeaderMap| {
        let call = OutgoingCall::to("http://localhost/x", Some(&client)).unwrap();
        let span = CallSpan::http(call.parent(), "auto.http.mine", None, &request);
        assert!(call.inject(&span, headers));
        span
    };
    let by_hand = |headers: &mut http::HeaderMap| {
        assert!(sentrace_core::inject_headers("http://localhost/x", headers, Some(&client)));
    };
    type Call<'a> = &'a dyn Fn(&mut http::HeaderMap);
    let rows: [(Call<'_>, &str); 4] = [
        (&|headers| layer(headers).finish_with_status_code(200), "one layer"),
        (
            &|headers| (by_hand(headers), layer(headers).finish_with_status_code(200)).1,
            "headers by hand, and a layer",
        ),
        (&|headers| (by_hand(headers), by_hand(headers)).1, "a request that is sent again by hand"),
        (
            &|headers| {
                // A redirect, or a retry inside the layer.
                let call = OutgoingCall::to("http://localhost/x", Some(&client)).unwrap();
                let span = CallSpan::http(call.parent(), "auto.http.mine", None, &request);
                assert!(call.inject(&span, headers) && call.inject(&span, headers));
                span.finish_with_status_code(200);
            },
            "the same call once more",
        ),
    ];
    for (call, reason) in rows {
        transaction.enter(|| call(&mut http::HeaderMap::new()));
        assert_eq!(said(), [], "{reason}");
    }
    for _ in 0..3 {
        let mut headers = http::HeaderMap::new();
        transaction.enter(|| {
            let (outer, inner) = (layer(&mut headers), layer(&mut headers));
            inner.finish_with_status_code(200);
            outer.finish_with_status_code(200);
        });
    }
    let said = said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].0 == Level::Warning && said[0].1.contains("wrap the same HTTP client"), "{said:?}");
}

fn contradictions() {
    let options = Options::new;
    let (stream, second) = (TraceLifecycle::Stream, Duration::from_secs(1));
    let rows: [(Options, &[&str], &str); 24] = [
        (
            options().strict_trace_continuation(true),
            &["strict_trace_continuation", "set org_id"],
            "strict without an id",
        ),
        (options().strict_trace_continuation(true).org_id("1"), &[], "strict with one"),
        (
            options().strict_trace_continuation(true).dsn("http://k@o7.ingest.test/1"),
            &[],
            "or one of the DSN",
        ),
        (options().org_id("acme"), &["\"acme\" is not a number"], "a name in place of an id"),
        (
            options().propagate_traceparent(true).tracing_origins(NOWHERE),
            &["tracing_origins is empty"],
            "nowhere to go",
        ),
        (options().tracing_origins(NOWHERE), &[], "nowhere is an intention"),
        (options().spool_bytes(1), &["spool_bytes", "set spool_dir"], "bytes without a folder"),
        (
            options().spool_dir("/nowhere").spool_bytes(0),
            &["spool_dir has no effect"],
            "a folder without bytes",
        ),
        (options().spool_dir("/nowhere").spool_bytes(1), &[], "both"),
        (options().queue_bytes(0), &["queue_bytes is 0", "queue_overflow"], "no queue"),
        (options().queue_bytes(1_000), &["queue_bytes is 1000"], "hardly any queue"),
        (options().queue_bytes(1024 * 1024), &[], "a small one"),
        (options().span_flush_interval(second), &["span_flush_interval", "TraceLifecycle::Stream"], "static"),
        (options().span_flush_interval(second).trace_lifecycle(stream), &[], "streamed"),
        (
            options().before_send_transaction(|_| true).trace_lifecycle(stream),
            &["before_send_transaction is never called"],
            "a hook for what there is not",
        ),
        (options().before_send_transaction(|_| true), &[], "a hook for what there is"),
        (
            options().ignore_spans([""]),
            &["IgnoreSpan::contains(\"\") matches every span"],
            "a rule without a name",
        ),
        (options().ignore_spans([IgnoreSpan::any()]), &["matches every span"], "a rule without conditions"),
        (options().ignore_spans([IgnoreSpan::any().op("")]), &["matches every span"], "every op"),
        (options().ignore_spans([IgnoreSpan::regex(".*").unwrap()]), &["matches every span"], "every name"),
        (options().ignore_spans([IgnoreSpan::regex("^$").unwrap()]), &[], "no name"),
        (options().ignore_spans([IgnoreSpan::any().attribute("url.path", "")]), &[], "requests"),
        (options().idle_timeout(60 * second), &["idle_timeout 60s", "final_timeout 30s"], "never idle"),
        (options().final_timeout(second / 10), &["final_timeout 100ms"], "over before it is idle"),
    ];
    for (options, parts, reason) in rows {
        client(options);
        let said = said();
        assert_eq!(said.len(), usize::from(!parts.is_empty()), "{reason}: {said:?}");
        for (level, message) in said {
            assert_eq!(level, Level::Warning, "{reason}");
            assert!(parts.iter().all(|part| message.contains(part)), "{reason}: {message}");
        }
    }
    let whole: Arc<dyn Deliver> = Arc::new(Pressed);
    Client::new(options().trace_lifecycle(stream), whole, Arc::default()).unwrap();
    assert!(said()[0].1.contains("takes whole transactions only"));
    Client::without_delivery(options().trace_lifecycle(stream)).unwrap();
    assert_eq!(said(), [], "without a DSN nothing is sent in any way");
}

fn why_nothing_goes_out() {
    let options = Options::new().debug(true).dsn("http://key@ingest.test/1");
    let client = client(options.tracing_origins([Origin::host("ours.test")]).traces_sample_rate(1.0));
    let call = |url: &str| OutgoingCall::to(url, Some(&client));
    let rows: [Row<'_>; 6] = [
        (
            &|| drop(call("http://theirs.test/x?ours.test")),
            &["theirs.test", "Origin::host(\"ours.test\")", "add Origin::host(\"theirs.test\")"],
            "a foreign host",
        ),
        (&|| drop(call("/x")), &["its host is unknown"], "no host"),
        (&|| drop(call("http://ingest.test/")), &["ingest.test", "the DSN's host"], "Sentry itself"),
        (&|| drop(call("http://ours.test/").map(OutgoingCall::without_headers)), &["hook"], "a hook"),
        (
            &|| {
                let mut headers = http::HeaderMap::new();
                headers.insert("sentry-trace", SAMPLED.parse().unwrap());
                client.start_transaction("work", "task").enter(|| {
                    call("http://ours.test/").unwrap().inject(&CallSpan::none(), &mut headers);
                });
            },
            &["a sentry-trace that the application set"],
            "headers by hand",
        ),
        (
            &|| {
                client.bind();
                client.unbind();
                client.unbind();
            },
            &["the global client is taken away", "bind the guard"],
            "a guard that was dropped",
        ),
    ];
    assert_explained_once(&rows[..5]);
    rows[5].0();
    let said = said();
    assert!(said.len() == 1 && rows[5].1.iter().all(|part| said[0].1.contains(part)), "{said:?}");
}

fn a_log_has_an_end() {
    let client = client(Options::new().debug(true).traces_sample_rate(0.0));
    for number in 0..1_000 {
        client.start_transaction(format!("/wp-admin/{number}"), "http.server").finish();
    }
    let said = said();
    assert!(said.len() <= 64, "{}", said.len());
    assert!(said.last().unwrap().1.contains("no more is said of this kind"), "{said:?}");
}

fn assert_explained_once(rows: &[Row<'_>]) {
    for (run, parts, reason) in rows {
        for _ in 0..3 {
            run();
        }
        let said = said();
        assert_eq!(said.len(), usize::from(!parts.is_empty()), "{reason}: {said:?}");
        for (level, message) in &said {
            assert_eq!(*level, Level::Debug, "{reason}");
            assert!(parts.iter().all(|part| message.contains(part)), "{reason}: {said:?}");
        }
    }
}

/// Cannot keep up with delivery.
#[derive(Debug)]
struct Pressed;

impl Deliver for Pressed {
    fn deliver(&self, _finished: FinishedTransaction) {}

    fn downsample_factor(&self) -> u32 {
        10
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}
