//! What a request carries and what is recorded of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::Method;
use http::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Request, Response};
use reqwest_middleware::{ClientWithMiddleware, Middleware, Next};
use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Options, Origin};
use sentrace_protocol::TransactionSpan;
use sentrace_protocol::{Category, SentryTrace, SpanStatus, Value};
use sentrace_reqwest::{SentryTracingMiddleware, client};

use crate::support::run;
use crate::support::server::{Reply, World};
use crate::support::traced::{Setup, only};

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

fn data<'s>(span: &'s TransactionSpan<'_>, key: &str) -> Option<&'s Value<'s>> {
    span.data.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
}

fn text<'s>(span: &'s TransactionSpan<'_>, key: &str) -> Option<&'s str> {
    match data(span, key) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    }
}

/// Runs one request in a transaction; returns what arrived in Sentry.
async fn record(setup: Setup, builder: reqwest::ClientBuilder, request: Request) -> CapturedTransaction {
    let (http, sentrace, capture) = setup.build_with(builder);
    let transaction = sentrace.start_transaction("test", "task");
    let _ = transaction.scope(http.execute(request)).await;
    transaction.finish();
    only(&capture)
}

#[test]
fn a_request_is_a_child_span_and_the_server_finds_it_as_parent() {
    run(async {
        let world = World::new();
        world.home.on("/users/7", Reply::Status(200));
        let request = get(&world.home.at("/users/7?page=2&token=abc&q=a%20b#top"));
        let captured = record(Setup::new(world.allowed()), Client::builder(), request).await;
        let [span] = &captured.transaction.spans[..] else { panic!("{:?}", captured.transaction.spans) };

        assert_eq!(span.op, "http.client");
        assert_eq!(span.origin, "auto.http.reqwest");
        assert_eq!(span.description.as_deref(), Some(&*format!("GET {}", world.home.at("/users/7"))));
        assert_eq!(span.status, Some(SpanStatus::Ok));
        assert_eq!(span.parent_span_id, Some(captured.transaction.trace.span_id));
        let query = "page=2&token=[Filtered]&q=a%20b";
        let full = world.home.at(&format!("/users/7?{query}"));
        let (host, port) = world.home.host_and_port();
        let rows = [
            ("http.request.method", "GET".into()),
            ("server.address", host.into()),
            ("server.port", port.into()),
            ("url.path", "/users/7".into()),
            ("url.query", query.into()),
            ("url.domain", host.into()),
            ("url.scheme", "http".into()),
            ("sentry.kind", "client".into()),
            ("url.full", full.as_str().into()),
            ("http.response.status_code", 200.into()),
        ];
        for (key, value) in rows {
            assert_eq!(data(span, key), Some(&value), "{key}");
        }
        assert_eq!(data(span, "http.request.resend_count"), None, "nothing was redirected");

        let [seen] = &world.take_log()[..] else { panic!("one request") };
        let sent: SentryTrace = seen.header("sentry-trace").unwrap().parse().unwrap();
        assert_eq!(sent.trace_id, captured.transaction.trace.trace_id);
        assert_eq!(sent.span_id, span.span_id, "the span is the parent of what the server does");
        assert_eq!(sent.sampled, Some(true));
        assert!(seen.header("baggage").unwrap().contains(&format!("sentry-trace_id={}", sent.trace_id)));
        assert_eq!(seen.header("traceparent"), None, "only where it was asked for");
    });
}

#[test]
fn statuses_follow_the_answer() {
    run(async {
        let world = World::new();
        let rows = [
            (201, SpanStatus::Ok),
            (404, SpanStatus::NotFound),
            (429, SpanStatus::ResourceExhausted),
            (500, SpanStatus::InternalError),
            (503, SpanStatus::Unavailable),
        ];
        for (code, status) in rows {
            world.home.on("/", Reply::Status(code));
            let captured =
                record(Setup::new(world.allowed()), Client::builder(), get(&world.home.at("/"))).await;
            let span = &captured.transaction.spans[0];
            assert_eq!(span.status, Some(status), "{code}");
            assert_eq!(data(span, "http.response.status_code"), Some(&code.into()));
        }
    });
}

#[test]
fn errors_are_recorded_by_kind() {
    run(async {
        let world = World::new();
        world.home.on("/silent", Reply::Silence);
        world.home.on("/hangup", Reply::Hangup);
        world.home.redirects("/loop", 302, "/loop");
        let rows = [
            (world.home.at("/silent"), "timeout"),
            (world.home.at("/hangup"), "request"),
            (world.home.at("/loop"), "redirect"),
            ("http://127.0.0.1:1/".to_owned(), "connect"),
            ("ftp://127.0.0.1/".to_owned(), "builder"),
        ];
        for (url, kind) in rows {
            let builder = Client::builder().timeout(Duration::from_millis(300));
            let captured = record(Setup::new(world.allowed()), builder, get(&url)).await;
            let span = &captured.transaction.spans[0];
            assert_eq!(text(span, "error.type"), Some(kind), "{url}");
            assert_eq!(span.status, Some(SpanStatus::InternalError), "{url}");
            assert_eq!(data(span, "http.response.status_code"), None, "{url}");
        }
    });
}

#[test]
fn a_dropped_request_is_cancelled() {
    run(async {
        let world = World::new();
        world.home.on("/silent", Reply::Silence);
        let (http, sentrace, capture) = Setup::new(world.allowed()).build_with(Client::builder());
        let transaction = sentrace.start_transaction("test", "task");
        let call = transaction.scope(http.execute(get(&world.home.at("/silent"))));
        assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
        transaction.finish();
        assert_eq!(only(&capture).transaction.spans[0].status, Some(SpanStatus::Cancelled));
    });
}

#[test]
fn redirects_are_counted_over_a_foreign_hop() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 302, world.foreign.at("/second"));
        world.foreign.redirects("/second", 302, world.foreign.at("/end"));
        world.foreign.on("/end", Reply::Status(200));
        let captured =
            record(Setup::new(world.allowed()), Client::builder(), get(&world.home.at("/start"))).await;
        let [span] = &captured.transaction.spans[..] else { panic!("one call is one span") };
        assert_eq!(data(span, "http.request.resend_count"), Some(&2.into()));
        assert_eq!(span.description.as_deref(), Some(&*format!("GET {}", world.home.at("/start"))));
        assert_eq!(data(span, "http.response.status_code"), Some(&200.into()));
    });
}

#[test]
fn credentials_in_a_url_are_not_recorded() {
    run(async {
        let world = World::new();
        let url = world.home.at("/x?a=1").replace("http://", "http://user:secret@");
        let captured = record(Setup::new(world.allowed()), Client::builder(), get(&url)).await;
        let span = &captured.transaction.spans[0];
        assert_eq!(span.description.as_deref(), Some(&*format!("GET {}", world.home.at("/x"))));
        let filtered = world.home.at("/x?a=1").replace("http://", "http://[Filtered]:[Filtered]@");
        assert_eq!(text(span, "url.full"), Some(&*filtered));
        assert!(!format!("{span:?}").contains("secret"));
    });
}

#[test]
fn a_foreign_host_is_recorded_but_gets_no_headers() {
    run(async {
        let world = World::new();
        let captured =
            record(Setup::new(world.allowed()), Client::builder(), get(&world.foreign.at("/"))).await;
        assert_eq!(captured.transaction.spans.len(), 1);
        let seen = &world.take_log()[0];
        assert_eq!((seen.header("sentry-trace"), seen.header("baggage")), (None, None));
    });
}

#[test]
fn requests_to_sentry_are_neither_recorded_nor_given_headers() {
    run(async {
        let world = World::new();
        let options = Options::new()
            .dsn(world.home.at("/1").replace("http://", "http://key@"))
            .traces_sample_rate(1.0)
            .tracing_origins([Origin::host("127.0.0.1")]);
        let captured =
            record(Setup::with_options(options.clone()), Client::builder(), get(&world.home.at("/"))).await;
        assert_eq!(captured.transaction.spans.len(), 0);
        assert_eq!(world.take_log()[0].header("sentry-trace"), None);

        world.sister.redirects("/start", 307, world.home.at("/"));
        record(Setup::with_options(options), Client::builder(), get(&world.sister.at("/start"))).await;
        let carried: Vec<_> = world
            .take_log()
            .iter()
            .map(|seen| (seen.server, seen.header("sentry-trace").is_some()))
            .collect();
        assert_eq!(carried, [("sister", true), ("home", false)], "not after a redirect either");
    });
}

#[test]
fn without_a_transaction_the_trace_still_goes_on() {
    run(async {
        let world = World::new();
        let (http, sentrace, _) = Setup::new(world.allowed()).build_with(Client::builder());
        http.execute(get(&world.home.at("/"))).await.unwrap();
        let incoming = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0")];
        sentrace.continue_trace(&incoming).scope(http.execute(get(&world.home.at("/")))).await.unwrap();
        let sent: Vec<SentryTrace> = world
            .take_log()
            .iter()
            .map(|seen| seen.header("sentry-trace").unwrap().parse().unwrap())
            .collect();
        assert_eq!(sent[0].trace_id, sentrace.process_trace().trace_id().unwrap());
        assert_eq!(sent[1].trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(sent[1].sampled, Some(false), "the decision passes on");
    });
}

#[test]
fn an_unsampled_transaction_stays_unsampled_downstream() {
    run(async {
        let world = World::new();
        let options =
            Options::new().traces_sample_rate(0.0).tracing_origins(world.allowed().map(Origin::contains));
        let (http, sentrace, capture) = Setup::with_options(options).build_with(Client::builder());
        let transaction = sentrace.start_transaction("test", "task");
        let parent = transaction.span_id();
        transaction.scope(http.execute(get(&world.home.at("/")))).await.unwrap();
        transaction.finish();
        let sent: SentryTrace = world.take_log()[0].header("sentry-trace").unwrap().parse().unwrap();
        assert_eq!((sent.sampled, Some(sent.span_id)), (Some(false), parent));
        assert_eq!(capture.take().len(), 0);
    });
}

#[test]
fn what_the_caller_set_is_respected() {
    run(async {
        let world = World::new();
        const THEIRS: &[u8] = b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
        type Set = &'static [(&'static str, &'static [u8])];
        type Holds = fn(&HeaderMap) -> bool;
        let rows: [(Set, Holds, &str); 5] = [
            (
                &[("baggage", b"vendor=1;p=2, sentry-release=old"), ("baggage", b"other=3")],
                |sent| {
                    let value = sent["baggage"].to_str().unwrap();
                    sent.get_all("baggage").iter().count() == 1
                        && value.contains("vendor=1;p=2")
                        && value.contains("other=3")
                        && value.contains("sentry-trace_id=")
                        && !value.contains("old")
                },
                "other vendors' members stay, older ones of ours go",
            ),
            (
                &[("sentry-trace", THEIRS), ("baggage", b"vendor=1")],
                |sent| sent["sentry-trace"].as_bytes().starts_with(b"0af7") && sent["baggage"] == "vendor=1",
                "a trace of the caller's own stays, alone",
            ),
            (&[("traceparent", b"mine")], |sent| sent["traceparent"] == "mine", "so does a traceparent"),
            (&[], |sent| sent["traceparent"].to_str().unwrap().starts_with("00-"), "which is sent otherwise"),
            (
                &[("baggage", b"\xff\xfe"), ("traceparent", b"\xff")],
                |sent| sent.contains_key("sentry-trace"),
                "headers that are not text do no harm",
            ),
        ];
        for (headers, holds, claim) in rows {
            let options = Options::new()
                .traces_sample_rate(1.0)
                .propagate_traceparent(true)
                .tracing_origins(world.allowed().map(Origin::contains));
            let mut request = get(&world.home.at("/"));
            for (name, value) in headers {
                request.headers_mut().append(*name, HeaderValue::from_bytes(value).unwrap());
            }
            record(Setup::with_options(options), Client::builder(), request).await;
            let seen = &world.take_log()[0];
            let sent: HeaderMap = seen
                .headers
                .iter()
                .map(|(name, value)| {
                    (name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
                })
                .collect();
            assert!(holds(&sent), "{claim}: {seen:#?}");
        }
    });
}

#[test]
fn the_callers_baggage_goes_on_to_a_foreign_host_without_ours() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/end"));
        let mut request = get(&world.home.at("/start"));
        request.headers_mut().insert("baggage", HeaderValue::from_static("vendor=1"));
        record(Setup::new(world.allowed()), Client::builder(), request).await;
        let log = world.take_log();
        assert!(log[0].header("baggage").unwrap().starts_with("vendor=1,sentry-"));
        assert_eq!(log[1].header("baggage"), Some("vendor=1"));
    });
}

/// Tries again after an answer of 503, and counts what it sees.
struct Retry;

#[async_trait::async_trait]
impl Middleware for Retry {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let again = request.try_clone().unwrap();
        let answer = next.clone().run(request, extensions).await?;
        assert!(!answer.status().is_redirection(), "the guard works below every middleware");
        if answer.status() != 503 {
            return Ok(answer);
        }
        next.run(again, extensions).await
    }
}

#[test]
fn a_retrying_middleware_gets_a_span_for_every_attempt() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/down"));
        world.foreign.on("/down", Reply::Status(503));
        let (_, sentrace, capture) = Setup::new(world.allowed()).build_with(Client::builder());
        let http = client(Client::builder()).unwrap().client(sentrace.clone()).with(Retry).build();
        let transaction = sentrace.start_transaction("test", "task");
        transaction.scope(http.execute(get(&world.home.at("/start")))).await.unwrap();
        transaction.finish();
        assert_eq!(only(&capture).transaction.spans.len(), 2);
        let carried: Vec<_> =
            world.take_log().iter().map(|seen| seen.header("sentry-trace").is_some()).collect();
        assert_eq!(carried, [true, false, true, false]);
    });
}

#[test]
fn a_middleware_without_any_client_leaves_requests_alone() {
    run(async {
        let world = World::new();
        let http: ClientWithMiddleware = reqwest_middleware::ClientBuilder::new(Client::new())
            .with_arc(Arc::new(SentryTracingMiddleware::new()))
            .build();
        assert_eq!(http.execute(get(&world.home.at("/"))).await.unwrap().status(), 404);
        assert_eq!(world.take_log()[0].header("sentry-trace"), None);
    });
}

#[test]
fn signatures_of_presigned_urls_are_filtered() {
    run(async {
        let world = World::new();
        world.home.on("/report.pdf", Reply::Status(200));
        let parameters = [
            "X-Amz-Credential",
            "X-Amz-Signature",
            "X-Amz-Security-Token",
            "AWSAccessKeyId",
            "Signature",
            "sig",
            "X-Goog-Signature",
            "X-Goog-Credential",
            "Policy",
            "Key-Pair-Id",
            "code",
        ];
        for parameter in parameters {
            let url = world.home.at(&format!("/report.pdf?page=2&{parameter}=SECRET&state=open"));
            let captured = record(Setup::new(world.allowed()), Client::builder(), get(&url)).await;
            let sent = format!("{:?}", captured.transaction);
            assert!(!sent.contains("SECRET"), "{sent}");
            let query = format!("page=2&{parameter}=[Filtered]&state=open");
            assert_eq!(text(&captured.transaction.spans[0], "url.query"), Some(&*query));
        }
    });
}

#[test]
fn spans_in_the_body_of_an_upload_belong_to_its_call() {
    run(async {
        for sampled in [true, false] {
            let world = World::new();
            world.home.on("/upload", Reply::Status(200));
            let (http, sentrace, capture) = Setup::new(world.allowed()).build_with(Client::builder());
            let rows = futures_util::stream::iter(["one", "two"]).map(|row| {
                sentrace_core::start_span("task", format!("write {row}")).finish();
                Ok::<_, std::convert::Infallible>(http_body::Frame::data(bytes::Bytes::from_static(
                    row.as_bytes(),
                )))
            });
            let mut request = Request::new(Method::POST, world.home.at("/upload").parse().unwrap());
            *request.body_mut() = Some(reqwest::Body::wrap(http_body_util::StreamBody::new(rows)));
            let options = sentrace_core::TransactionOptions::new("test", "task").sampled(sampled);
            let transaction = sentrace.start_transaction_with(&options);
            let answer = transaction.scope(http.execute(request)).await.unwrap();
            assert_eq!(answer.status(), 200);
            transaction.finish();
            if sampled {
                let captured = only(&capture);
                let call = captured.transaction.spans.iter().find(|span| span.op == "http.client").unwrap();
                for row in ["write one", "write two"] {
                    assert_eq!(captured.expect_span(row).parent_span_id, Some(call.span_id));
                }
            } else {
                let lost = sentrace.stats().lost.into_iter().filter(|lost| lost.category == Category::Span);
                assert_eq!(
                    lost.map(|lost| lost.quantity).sum::<u64>(),
                    4,
                    "the transaction's, the call's and two"
                );
            }
        }
    });
}
