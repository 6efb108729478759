//! Who set a trace header that is already on an outgoing request: the application, the caller, or
//! this process (ADR 28).

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sentrace_core::adapter::{CallSpan, OutgoingCall};
use sentrace_core::{
    Client, Options, Origin, SpanRef, TransactionOptions, current_span, inject, inject_headers,
    with_current_span,
};

use crate::support::{SAMPLED, client};

mod properties;

const OURS: &str = "http://ours.test/";
const THEIRS: &str = "http://theirs.test/";
const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "11111111111111111111111111111111-2222222222222222-0";
const OTHER_W3C: &str = "00-33333333333333333333333333333333-4444444444444444-01";

type Fields<'a> = &'a [(&'static str, &'a str)];

fn headers(fields: Fields<'_>) -> HeaderMap {
    fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).fold(
        HeaderMap::new(),
        |mut headers, (name, value): (_, HeaderValue)| {
            headers.append(name, value);
            headers
        },
    )
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.get_all(name).iter().map(text).collect()
}

fn options() -> Options {
    Options::new().traces_sample_rate(1.0).tracing_origins([Origin::host("ours.test")])
}

/// What happened to the request that is being served.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Served {
    Believed,
    Refused,
    Filtered,
    RefusedAndFiltered,
    WithoutTransaction,
}

const ALL: [Served; 5] = [
    Served::Believed,
    Served::Refused,
    Served::Filtered,
    Served::RefusedAndFiltered,
    Served::WithoutTransaction,
];

/// Runs `handler` while a request with these headers is being served.
fn serve<R>(client: &Client, request: &HeaderMap, served: Served, handler: impl FnOnce() -> R) -> R {
    let is_refused = matches!(served, Served::Refused | Served::RefusedAndFiltered);
    let is_filtered = matches!(served, Served::Filtered | Served::RefusedAndFiltered);
    if served == Served::WithoutTransaction {
        return client.continue_trace(request).enter(handler);
    }
    let incoming = if is_refused { client.extract_untrusted(request) } else { client.extract(request) };
    let options = TransactionOptions::new("GET /", "http.server").recorded(!is_filtered);
    client.start_transaction_from(incoming, &options).enter(handler)
}

/// How a handler makes its call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Directly,
    OverAnAdapter,
    InANestedTransaction,
    InATraceOfItsOwn,
    OnAnotherThread,
}

const WAYS: [Way; 5] = [
    Way::Directly,
    Way::OverAnAdapter,
    Way::InANestedTransaction,
    Way::InATraceOfItsOwn,
    Way::OnAnotherThread,
];

/// Sends a request with `onward` on it; returns what it carries, and what its parent is.
fn call(url: &str, mut onward: HeaderMap, way: Way) -> (HeaderMap, SpanRef) {
    let client = Client::current().unwrap();
    let here = |onward: &mut HeaderMap| {
        inject_headers(url, onward, None);
        current_span()
    };
    let parent = match way {
        Way::Directly => here(&mut onward),
        Way::OverAnAdapter => {
            let call = OutgoingCall::to(url, None).unwrap();
            let span = CallSpan::new(call.parent().start_span("http.client", url));
            call.inject(&span, &mut onward);
            SpanRef::clone(&span)
        }
        Way::InANestedTransaction => client.start_transaction("nested", "task").enter(|| here(&mut onward)),
        Way::InATraceOfItsOwn => client.start_new_trace().enter(|| here(&mut onward)),
        Way::OnAnotherThread => {
            let url = url.to_owned();
            let run = with_current_span(move || {
                inject_headers(&url, &mut onward, None);
                (onward, current_span())
            });
            return std::thread::spawn(run).join().unwrap();
        }
    };
    (onward, parent)
}

#[test]
fn what_a_request_came_with_is_replaced_where_the_trace_may_go_and_removed_elsewhere() {
    let joined = format!("{SAMPLED}, {SAMPLED}");
    let rows: [(Fields<'_>, Fields<'_>, &str); 17] = [
        (&[("sentry-trace", SAMPLED)], &[], "one readable value"),
        (&[("sentry-trace", "nonsense")], &[], "nonsense"),
        (&[("sentry-trace", "")], &[], "nothing"),
        (&[("sentry-trace", "undefined")], &[], "what JavaScript writes for nothing"),
        (&[("sentry-trace", SAMPLED), ("sentry-trace", OTHER)], &[], "two that differ"),
        (&[("sentry-trace", SAMPLED), ("sentry-trace", "nonsense")], &[], "one readable value of two"),
        (&[("sentry-trace", &joined)], &[], "joined by a proxy"),
        (&[("sentry-trace", &joined)], &[("sentry-trace", SAMPLED)], "one of those that were joined"),
        (
            &[("sentry-trace", SAMPLED), ("sentry-trace", OTHER)],
            &[("sentry-trace", OTHER), ("sentry-trace", SAMPLED)],
            "in another order",
        ),
        (
            &[("sentry-trace", "a, b")],
            &[("sentry-trace", "b"), ("sentry-trace", "  a ")],
            "taken apart, with other blanks",
        ),
        (
            &[("sentry-trace", SAMPLED)],
            &[("sentry-trace", "0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331")],
            "in upper case and without its decision",
        ),
        (&[("traceparent", W3C)], &[], "traceparent alone"),
        (&[("sentry-trace", SAMPLED), ("traceparent", W3C)], &[("traceparent", W3C)], "only traceparent"),
        (&[("sentry-trace", SAMPLED), ("traceparent", OTHER_W3C)], &[], "traceparent of another trace"),
        (&[("sentry-trace", "nonsense"), ("traceparent", "nonsense")], &[], "neither can be read"),
        (&[("baggage", "sentry-sampled=true")], &[], "a context without a trace"),
        (
            &[("sentry-trace", SAMPLED), ("baggage", "sentry-sampled=true")],
            &[("baggage", "sentry-sampled=true")],
            "only the context",
        ),
    ];
    for rate in [None, Some(0.0), Some(1.0)] {
        for strict in [false, true] {
            let mut options = Options::new()
                .tracing_origins([Origin::host("ours.test")])
                .continue_traceparent(true)
                .propagate_traceparent(true)
                .org_id("7")
                .strict_trace_continuation(strict);
            if let Some(rate) = rate {
                options = options.traces_sample_rate(rate);
            }
            let (client, _) = client(options);
            for (came, onward, reason) in rows {
                let came = headers(came);
                let mut onward = if onward.is_empty() { came.clone() } else { headers(onward) };
                onward.append("baggage", HeaderValue::from_static("tenant=7"));
                for served in ALL {
                    for way in WAYS {
                        let claim = format!("{reason}: {served:?}, {way:?}, rate {rate:?}, strict {strict}");
                        serve(&client, &came, served, || {
                            let (sent, parent) = call(OURS, onward.clone(), way);
                            let expected = parent.trace_headers().unwrap();
                            assert_eq!(
                                values(&sent, "sentry-trace"),
                                [expected.sentry_trace().to_string()],
                                "{claim}"
                            );
                            let traceparent = expected.traceparent().unwrap().to_string();
                            assert_eq!(values(&sent, "traceparent"), [traceparent], "{claim}");
                            let ours = expected.baggage().map(|ours| format!("tenant=7,{ours}"));
                            let baggage = ours.unwrap_or_else(|| "tenant=7".to_owned());
                            assert_eq!(values(&sent, "baggage"), [baggage], "{claim}");

                            let (sent, _) = call(THEIRS, onward.clone(), way);
                            assert_eq!(values(&sent, "sentry-trace"), [""; 0], "{claim}");
                            assert_eq!(values(&sent, "traceparent"), [""; 0], "{claim}");
                            assert_eq!(values(&sent, "baggage"), ["tenant=7"], "{claim}");
                        });
                    }
                }
            }
        }
    }
}

#[test]
fn what_the_application_chose_stays_beside_what_it_hands_on() {
    let (client, _) = client(options().propagate_traceparent(true));
    for served in ALL {
        for url in [OURS, THEIRS] {
            serve(&client, &headers(&[("sentry-trace", SAMPLED), ("traceparent", W3C)]), served, || {
                let own: Fields<'_> = &[("sentry-trace", OTHER), ("baggage", "sentry-release=own")];
                let (sent, _) = call(url, headers(own), Way::Directly);
                assert_eq!(sent, headers(own), "{served:?}, {url}");

                let mixed = [("sentry-trace", SAMPLED), ("sentry-trace", OTHER), ("traceparent", W3C)];
                let (sent, _) = call(url, headers(&mixed), Way::Directly);
                assert_eq!(sent, headers(&[("sentry-trace", OTHER)]), "{served:?}, {url}");

                let own = headers(&[("traceparent", OTHER_W3C)]);
                let (sent, _) = call(url, own, Way::Directly);
                assert_eq!(values(&sent, "traceparent"), [OTHER_W3C], "{served:?}, {url}");
            });
        }
    }
}

#[test]
fn the_header_of_other_tools_passes_through_a_service_that_does_not_speak_it() {
    let (client, _) = client(options());
    let rows: [(Fields<'_>, Served, &str, &[&str], &str); 5] = [
        (&[("traceparent", OTHER_W3C)], Served::Believed, OURS, &[OTHER_W3C], "as the W3C asks"),
        (&[("traceparent", OTHER_W3C)], Served::Believed, THEIRS, &[], "but not to foreign hosts"),
        (&[("traceparent", OTHER_W3C)], Served::Refused, OURS, &[], "nor from those who are not believed"),
        (
            &[("sentry-trace", SAMPLED), ("traceparent", W3C)],
            Served::Believed,
            OURS,
            &[],
            "nor if it names the caller, who is not the parent of the next service",
        ),
        (
            &[("sentry-trace", SAMPLED), ("traceparent", OTHER_W3C)],
            Served::Believed,
            OURS,
            &[OTHER_W3C],
            "beside a trace of Sentry's",
        ),
    ];
    for (came, served, url, expected, reason) in rows {
        let came = headers(came);
        let (sent, _) = serve(&client, &came, served, || call(url, came.clone(), Way::Directly));
        assert_eq!(values(&sent, "traceparent"), expected, "{reason}");
    }
}

#[test]
fn headers_are_known_again_when_the_transaction_is_over() {
    let (client, _) = client(options());
    for (served, came) in [(Served::Believed, SAMPLED), (Served::Refused, SAMPLED), (Served::Believed, "?")] {
        let came = headers(&[("sentry-trace", came)]);
        let late =
            serve(&client, &came, served, || with_current_span(|| call(OURS, came.clone(), Way::Directly)));
        let (sent, parent) = late();
        assert_eq!(values(&sent, "sentry-trace"), [parent.sentry_trace().unwrap().to_string()], "{served:?}");
    }
}

#[test]
fn a_task_without_a_context_does_not_hand_on_what_was_refused() {
    let (client, _) = client(options());
    let came = headers(&[("sentry-trace", SAMPLED), ("baggage", "sentry-sampled=true,tenant=7")]);
    serve(&client, &came, Served::Refused, || ());
    let mut sent = came.clone();
    assert!(inject_headers(OURS, &mut sent, Some(&client)));
    let process = client.process_trace().trace_headers().unwrap();
    assert_eq!(values(&sent, "sentry-trace"), [process.sentry_trace().to_string()]);
    let mut sent = came;
    assert!(!inject_headers(THEIRS, &mut sent, Some(&client)));
    assert_eq!(sent, headers(&[("baggage", "tenant=7")]));
}

#[test]
fn a_task_without_a_context_forwards_nothing_to_a_foreign_host() {
    let (client, _) = client(options());
    let came = headers(&[("sentry-trace", SAMPLED), ("baggage", "sentry-sampled=true,tenant=7")]);
    for served in ALL {
        serve(&client, &came, served, || ());
        let mut sent = came.clone();
        assert!(!inject_headers(THEIRS, &mut sent, Some(&client)));
        assert_eq!(sent, headers(&[("baggage", "tenant=7")]), "{served:?}");
    }
    let mut sent = headers(&[("traceparent", OTHER_W3C)]);
    assert!(!inject_headers(THEIRS, &mut sent, Some(&client)));
    assert_eq!(
        sent,
        headers(&[("traceparent", OTHER_W3C)]),
        "the header of another tool in this process stays"
    );
}

#[test]
fn a_call_to_sentry_itself_takes_nothing_along_that_a_tunnel_hands_on() {
    let (client, _) = client(options().dsn("http://key@ingest.test/1"));
    let came = headers(&[("sentry-trace", SAMPLED), ("baggage", "tenant=7,sentry-sampled=true")]);
    let (sent, _) = serve(&client, &came, Served::Believed, || {
        call("http://ingest.test/api/1/envelope/", came.clone(), Way::Directly)
    });
    assert_eq!(sent, headers(&[("baggage", "tenant=7")]));
}

#[test]
fn a_host_that_is_not_known_gets_nothing_that_is_handed_on() {
    let (client, _) = client(options());
    let came = headers(&[("sentry-trace", SAMPLED)]);
    let mut request = Request::get("/stock/7").body(()).unwrap();
    *request.headers_mut() = came.clone();
    assert!(!serve(&client, &came, Served::Believed, || inject(&mut request)));
    assert!(request.headers().is_empty());
}

#[test]
fn a_request_that_is_sent_again_carries_the_trace_that_is_current_then() {
    let caller = headers(&[("sentry-trace", SAMPLED)]);
    let other = headers(&[("sentry-trace", OTHER)]);
    for rate in [None, Some(0.0), Some(1.0)] {
        let mut options =
            Options::new().tracing_origins([Origin::host("ours.test")]).propagate_traceparent(true);
        if let Some(rate) = rate {
            options = options.traces_sample_rate(rate);
        }
        let (client, _) = client(options);
        for first in ALL {
            for second in ALL {
                let mut kept = headers(&[("baggage", "tenant=7")]);
                serve(&client, &caller, first, || assert!(inject_headers(OURS, &mut kept, None)));
                let claim = format!("rate {rate:?}, first {first:?}, then {second:?}");
                serve(&client, &other, second, || {
                    let mut again = kept.clone();
                    assert!(inject_headers(OURS, &mut again, None), "{claim}");
                    let current = current_span().trace_headers().unwrap();
                    assert_eq!(
                        values(&again, "sentry-trace"),
                        [current.sentry_trace().to_string()],
                        "{claim}"
                    );
                    assert_eq!(
                        values(&again, "traceparent"),
                        [current.traceparent().unwrap().to_string()],
                        "{claim}"
                    );
                    let baggage = values(&again, "baggage").concat();
                    assert!(baggage.starts_with("tenant=7"), "{claim}: {baggage}");
                    assert_eq!(
                        baggage.strip_prefix("tenant=7,").unwrap_or_default(),
                        current.baggage().unwrap_or_default(),
                        "{claim}"
                    );
                });
                let mut outside = kept.clone();
                assert!(inject_headers(OURS, &mut outside, Some(&client)), "{claim}");
                let process = client.process_trace().trace_headers().unwrap();
                assert_eq!(
                    values(&outside, "sentry-trace"),
                    [process.sentry_trace().to_string()],
                    "outside any trace: {claim}"
                );
                let mut elsewhere = kept;
                assert!(!inject_headers(THEIRS, &mut elsewhere, Some(&client)), "{claim}");
                assert_eq!(elsewhere, headers(&[("baggage", "tenant=7")]), "{claim}");
            }
        }
    }
}

#[test]
fn a_reused_request_carries_the_current_trace() {
    let (client, _) = client(options());
    let mut kept = Request::get(OURS).body(()).unwrap();
    client.start_transaction("first", "task").enter(|| inject(&mut kept));
    let second = client.start_transaction("second", "task");
    assert!(second.enter(|| inject(&mut kept)));
    let sent = values(kept.headers(), "sentry-trace");
    assert_eq!(sent, [second.sentry_trace().unwrap().to_string()]);
}

#[test]
fn a_sensitive_baggage_stays_sensitive() {
    let (client, _) = client(options());
    let mut sensitive = HeaderValue::from_static("tenant=7,sentry-sampled=true");
    sensitive.set_sensitive(true);
    let transaction = client.start_transaction("work", "task");
    for (url, fields) in [(OURS, 1), (OURS, 2), (THEIRS, 1), (THEIRS, 2)] {
        let mut headers = HeaderMap::new();
        for _ in 1..fields {
            headers.append("baggage", HeaderValue::from_static("other=1"));
        }
        headers.append("baggage", sensitive.clone());
        transaction.enter(|| inject_headers(url, &mut headers, None));
        assert_eq!(values(&headers, "baggage").len(), 1, "one field");
        assert!(headers["baggage"].is_sensitive(), "{url}, {fields} fields");
    }
    let mut plain = headers(&[("baggage", "tenant=7")]);
    transaction.enter(|| inject_headers(OURS, &mut plain, None));
    assert!(!plain["baggage"].is_sensitive());
}
