//! Trace headers that were on a request before the middleware saw it (ADR 28).

use std::sync::{Arc, Mutex};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Method};
use reqwest::{Client, Request, Response};
use reqwest_middleware::{ClientWithMiddleware, Middleware, Next};
use sentrace_core::{Options, Origin, TransactionOptions};
use sentrace_protocol::SentryTrace;
use sentrace_reqwest::{SentryTracingMiddleware, WithTraceHeaders as _};

use crate::support::run;
use crate::support::server::{Reply, Seen, World};
use crate::support::setters::{OWN, Setter};
use crate::support::traced::{Setup, only};

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

fn setup(world: &World) -> Setup {
    let origins = world.allowed().map(Origin::contains);
    Setup::with_options(
        Options::new().traces_sample_rate(1.0).propagate_traceparent(true).tracing_origins(origins),
    )
}

fn sentry_trace(seen: &Seen) -> SentryTrace {
    seen.header("sentry-trace").unwrap().parse().unwrap()
}

#[test]
fn a_foreign_host_behind_a_redirect_sees_nothing_of_the_trace_whoever_set_it() {
    run(async {
        let world = World::new();
        world.foreign.redirects("/foreign", 307, world.sister.at("/end"));
        world.sister.on("/end", Reply::Status(200));
        for status in [301, 302, 303, 307, 308] {
            world.home.redirects("/start", status, world.foreign.at("/foreign"));
            for setter in Setter::ALL {
                let sent = setter.send(&world, setup(&world), &world.home.at("/start")).await;
                let claim = format!("{status}, {setter:?}: {sent:#?}");
                let servers: Vec<_> = sent.iter().map(|seen| seen.server).collect();
                assert_eq!(servers, ["home", "foreign", "sister"], "{claim}");
                assert!(sent[0].header("sentry-trace").is_some(), "{claim}");
                for seen in &sent[1..] {
                    setter.assert_bare(seen);
                }
                assert_eq!(sent[1].header("baggage").is_some(), setter.has_others_baggage(), "{claim}");
            }
        }
    });
}

#[test]
fn a_foreign_host_that_is_called_sees_what_the_application_chose_and_nothing_else() {
    run(async {
        let world = World::new();
        for setter in Setter::ALL {
            let sent = setter.send(&world, setup(&world), &world.foreign.at("/")).await;
            let expected = setter.is_the_applications().then_some(OWN);
            assert_eq!(sent[0].header("sentry-trace"), expected, "{setter:?}: {sent:#?}");
            if !setter.is_the_applications() {
                setter.assert_bare(&sent[0]);
            }
        }
    });
}

#[test]
fn default_headers_are_merged_as_the_requests_own_would_be() {
    const OTHER_W3C: &str = "00-33333333333333333333333333333333-4444444444444444-01";
    type Holds = fn(&Seen) -> bool;
    type Defaults = &'static [(&'static str, &'static str)];
    let rows: [(Defaults, Holds, Option<&str>, &str); 6] = [
        (
            &[("baggage", "tenant=7")],
            |seen| seen.header("baggage").is_some_and(|sent| sent.starts_with("tenant=7,sentry-trace_id=")),
            Some("tenant=7"),
            "other tools' baggage stays before ours",
        ),
        (
            &[("baggage", "tenant=7,sentry-release=old")],
            |seen| {
                seen.header("baggage").is_some_and(|sent| !sent.contains("old") && sent.contains("sentry-"))
            },
            Some("tenant=7"),
            "older members of ours are replaced",
        ),
        (
            &[("sentry-trace", OWN), ("baggage", "tenant=7")],
            |seen| seen.header("sentry-trace") == Some(OWN) && seen.header("baggage") == Some("tenant=7"),
            Some("tenant=7"),
            "a sentry-trace stays, and nothing is added",
        ),
        (
            &[("traceparent", OTHER_W3C)],
            |seen| seen.header("traceparent") == Some(OTHER_W3C) && seen.header("sentry-trace").is_some(),
            None,
            "a traceparent stays beside ours",
        ),
        (
            &[("sentry-trace", OWN), ("traceparent", OTHER_W3C)],
            |seen| seen.header("traceparent") == Some(OTHER_W3C) && seen.header("sentry-trace") == Some(OWN),
            None,
            "both stay",
        ),
        (&[("x-team", "shop")], |seen| seen.header("x-team") == Some("shop"), None, "others are not touched"),
    ];
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/end"));
        for (defaults, holds, others, reason) in rows {
            let defaults: HeaderMap = defaults
                .iter()
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            let of_reqwest = setup(&world).build(Client::builder().default_headers(defaults.clone()));
            let of_ours = setup(&world).default_headers(defaults).build(Client::builder());
            for (http, which) in [(of_reqwest, "reqwest's"), (of_ours, "ours")] {
                http.execute(get(&world.home.at("/start"))).await.unwrap();
                let sent = world.take_log();
                let [home, foreign] = &sent[..] else { panic!("two requests: {sent:#?}") };
                assert!(holds(home), "{which} builder, {reason}: {home:#?}");
                for name in ["sentry-trace", "traceparent"] {
                    let left = foreign.header(name).unwrap_or_default();
                    assert_eq!(left, "", "{which} builder, {reason}: {foreign:#?}");
                }
                assert_eq!(foreign.header("baggage"), others, "{which} builder, {reason}");
            }
        }
    });
}

#[test]
fn a_requests_own_baggage_takes_the_place_of_a_default_one() {
    run(async {
        let world = World::new();
        let defaults = HeaderMap::from_iter([(BAGGAGE, HeaderValue::from_static("tenant=7"))]);
        let http = setup(&world).build(Client::builder().default_headers(defaults));
        let mut request = get(&world.home.at("/"));
        request.headers_mut().insert(BAGGAGE, HeaderValue::from_static("tenant=8"));
        http.execute(request).await.unwrap();
        let sent = world.take_log();
        assert!(sent[0].header("baggage").unwrap().starts_with("tenant=8,sentry-"), "{sent:#?}");
    });
}

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

fn sensitive(value: &'static str) -> HeaderValue {
    let mut value = HeaderValue::from_static(value);
    value.set_sensitive(true);
    value
}

/// Keeps the headers that it sees.
#[derive(Clone, Default)]
struct Look(Arc<Mutex<Vec<HeaderMap>>>);

#[async_trait::async_trait]
impl Middleware for Look {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        self.0.lock().unwrap().push(request.headers().clone());
        next.run(request, extensions).await
    }
}

/// `http` with a middleware between its own ones and the wire.
fn with_inside(http: ClientWithMiddleware, inside: impl Middleware) -> ClientWithMiddleware {
    reqwest_middleware::ClientBuilder::from_client(http).with(inside).build()
}

#[test]
fn a_sensitive_default_header_stays_sensitive() {
    run(async {
        let world = World::new();
        let defaults = || HeaderMap::from_iter([(BAGGAGE, sensitive("tenant=7"))]);
        let look = Look::default();
        let http = setup(&world).default_headers(defaults()).build(Client::builder());
        with_inside(http, look.clone()).execute(get(&world.home.at("/"))).await.unwrap();
        assert!(look.0.lock().unwrap()[0]["baggage"].is_sensitive());
        assert!(world.take_log()[0].header("baggage").unwrap().starts_with("tenant=7,sentry-"));

        // What reqwest hides cannot be merged: the service's own value goes first.
        let http = setup(&world).build(Client::builder().default_headers(defaults()));
        world.home.redirects("/start", 307, world.foreign.at("/end"));
        http.execute(get(&world.home.at("/start"))).await.unwrap();
        let sent = world.take_log();
        assert_eq!(sent[0].header("baggage"), Some("tenant=7"));
        assert!(sent[0].header("sentry-trace").is_some());
        assert_eq!(sent[1].header("sentry-trace"), None);

        let defaults = HeaderMap::from_iter([(HeaderName::from_static("sentry-trace"), sensitive(OWN))]);
        let http = setup(&world).build(Client::builder().default_headers(defaults));
        http.execute(get(&world.home.at("/start"))).await.unwrap();
        let sent = world.take_log();
        assert_eq!((sent[0].header("sentry-trace"), sent[0].header("baggage")), (Some(OWN), None));
        assert_eq!(sent[1].header("sentry-trace"), Some(""), "reqwest cannot leave it out");
    });
}

#[test]
fn a_request_that_is_kept_and_sent_again_carries_the_trace_of_each_time() {
    run(async {
        let world = World::new();
        world.home.on("/", Reply::Status(200));
        let (http, sentrace, capture) = setup(&world).build_with(Client::builder());
        let first = sentrace.start_transaction("first", "task");
        let template = first.enter(|| get(&world.home.at("/")).with_trace_headers());
        assert!(template.headers().contains_key("sentry-trace"));
        first.finish();
        only(&capture);

        let plain = Client::new();
        for _ in 0..2 {
            let transaction = sentrace.start_transaction("again", "task");
            let again = || template.try_clone().unwrap();
            transaction.scope(http.execute(again())).await.unwrap();
            let by_hand = transaction.enter(|| again().with_trace_headers());
            plain.execute(by_hand).await.unwrap();
            let span_id = transaction.span_id().unwrap();
            transaction.finish();
            let captured = only(&capture);
            let sent = world.take_log();
            assert_eq!(sentry_trace(&sent[0]).trace_id, captured.transaction.trace.trace_id);
            assert_eq!(sentry_trace(&sent[0]).span_id, captured.transaction.spans[0].span_id);
            assert_eq!(sentry_trace(&sent[1]).span_id, span_id);
            for seen in &sent {
                let trace_id = captured.transaction.trace.trace_id.to_string();
                assert!(seen.header("baggage").unwrap().contains(&trace_id), "{seen:#?}");
                assert!(seen.header("traceparent").unwrap().contains(&trace_id), "{seen:#?}");
            }
        }
    });
}

/// Sends each request twice.
struct Twice;

#[async_trait::async_trait]
impl Middleware for Twice {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let again = request.try_clone().unwrap();
        next.clone().run(request, extensions).await?;
        next.run(again, extensions).await
    }
}

#[test]
fn attempts_inside_the_middleware_share_its_span() {
    run(async {
        let world = World::new();
        let (http, sentrace, capture) = setup(&world).build_with(Client::builder());
        let transaction = sentrace.start_transaction("work", "task");
        let http = with_inside(http, Twice);
        transaction.scope(http.execute(get(&world.home.at("/")))).await.unwrap();
        transaction.finish();
        let span = only(&capture).transaction.spans[0].span_id;
        let sent: Vec<_> = world.take_log().iter().map(|seen| sentry_trace(seen).span_id).collect();
        assert_eq!(sent, [span, span]);
    });
}

#[test]
fn a_middleware_further_in_is_guarded_where_the_hook_of_the_outer_one_says_no() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/end"));
        let (_, sentrace, _) = setup(&world).build_with(Client::builder());
        let guarded = sentrace_reqwest::client(Client::builder()).unwrap();
        let http = guarded.client(sentrace.clone()).propagate_if(|_, _| false).build();
        let http = with_inside(http, SentryTracingMiddleware::new());
        let transaction = sentrace.start_transaction("work", "task");
        transaction.scope(http.execute(get(&world.home.at("/start")))).await.unwrap();
        let carried: Vec<_> =
            world.take_log().iter().map(|seen| seen.header("sentry-trace").is_some()).collect();
        assert_eq!(carried, [true, false]);
    });
}

#[test]
fn of_two_middlewares_the_inner_one_is_the_parent() {
    run(async {
        let world = World::new();
        let (http, sentrace, capture) = setup(&world).build_with(Client::builder());
        let http = with_inside(http, SentryTracingMiddleware::new());
        let transaction = sentrace.start_transaction("work", "task");
        transaction.scope(http.execute(get(&world.home.at("/")))).await.unwrap();
        transaction.finish();
        let spans = only(&capture).transaction.spans;
        let sent = sentry_trace(&world.take_log()[0]).span_id;
        assert_eq!(spans.iter().position(|span| span.span_id == sent), Some(1), "{spans:#?}");
    });
}

#[test]
fn a_gateway_does_not_forward_its_callers_trace() {
    run(async {
        let world = World::new();
        world.home.redirects("/moved", 307, world.foreign.at("/end"));
        let came = HeaderMap::from_iter([
            (HeaderName::from_static("sentry-trace"), HeaderValue::from_static(CALLER)),
            (BAGGAGE, HeaderValue::from_static("sentry-release=theirs,tenant=7")),
            (HeaderName::from_static("x-request-id"), HeaderValue::from_static("17")),
        ]);
        for believed in [true, false] {
            for recorded in [true, false] {
                let (http, sentrace, _) = setup(&world).build_with(Client::builder());
                let unguarded = reqwest_middleware::ClientBuilder::new(Client::new())
                    .with(SentryTracingMiddleware::new())
                    .build();
                let incoming =
                    if believed { sentrace.extract(&came) } else { sentrace.extract_untrusted(&came) };
                let options = TransactionOptions::new("GET /", "http.server").recorded(recorded);
                let transaction = sentrace.start_transaction_from(incoming, &options);
                transaction
                    .scope(async {
                        let with = |url: String| {
                            let mut request = get(&url);
                            *request.headers_mut() = came.clone();
                            request
                        };
                        http.execute(with(world.home.at("/moved"))).await.unwrap();
                        unguarded.execute(with(world.home.at("/"))).await.unwrap();
                        Client::new().execute(with(world.home.at("/")).with_trace_headers()).await.unwrap();
                        for http in [&http, &unguarded] {
                            http.execute(with(world.foreign.at("/"))).await.unwrap();
                        }
                    })
                    .await;
                let ours = transaction.sentry_trace().unwrap();
                assert_eq!(believed, ours.trace_id.to_string() == CALLER[..32]);
                let mut sent = world.take_log();
                let foreign: Vec<_> = sent.extract_if(.., |seen| seen.server == "foreign").collect();
                let claim = format!("believed {believed}, recorded {recorded}: {sent:#?}");
                assert_eq!((sent.len(), foreign.len()), (3, 3), "{claim}");
                for seen in sent {
                    assert_eq!(sentry_trace(&seen).trace_id, ours.trace_id, "{claim}");
                    if !believed || recorded {
                        assert_ne!(seen.header("sentry-trace"), Some(CALLER), "{claim}");
                    }
                    let baggage = seen.header("baggage").unwrap();
                    assert!(baggage.starts_with("tenant=7"), "{claim}");
                    assert_eq!(baggage.contains("theirs"), believed, "{claim}");
                }
                for seen in foreign {
                    assert_eq!(seen.header("sentry-trace"), None, "{claim}");
                    assert_eq!(seen.header("baggage"), Some("tenant=7"), "{claim}");
                    assert_eq!(seen.header("x-request-id"), Some("17"), "{claim}");
                }
            }
        }
    });
}
