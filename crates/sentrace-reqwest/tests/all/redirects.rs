//! Redirects behave as reqwest's own in everything but the trace headers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, REFERER};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, ClientBuilder, Request};
use sentrace_reqwest::RedirectPolicy;

use crate::support::run;
use crate::support::server::{Reply, World};
use crate::support::traced::{Setup, traced};
use crate::support::trip::Trip;

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// Sends the same request twice and requires the same outcome; returns which requests carried the trace.
async fn compare(
    world: &World,
    builder: impl Fn() -> ClientBuilder,
    request: impl Fn() -> Request,
    claim: &str,
) -> Vec<bool> {
    let plain = Trip::plain(world, builder(), request()).await;
    let traced = Trip::traced(world, &traced(world, builder()), request()).await;
    let carried = traced.carried();
    assert_eq!(plain, traced.without_trace(), "{claim}");
    carried
}

fn request(method: Method, url: String) -> Request {
    Request::new(method, url.parse().unwrap())
}

fn with_body(mut request: Request, body: Body) -> Request {
    *request.body_mut() = Some(body);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    request
}

/// A body that cannot be sent twice.
fn stream(text: &str) -> Body {
    Body::wrap(text.to_owned())
}

#[test]
fn every_redirect_is_followed_as_reqwest_does_and_carries_the_trace_only_to_allowed_hosts() {
    run(async {
        let world = World::new();
        world.sister.on("/end", Reply::Status(200));
        world.foreign.on("/end", Reply::Status(200));
        type MakeBody = fn() -> Option<Body>;
        let bodies: [(&str, MakeBody); 4] = [
            ("without a body", || None),
            ("with bytes", || Some(Body::from("upload"))),
            ("with a stream", || Some(stream("upload"))),
            ("with an empty stream", || Some(stream(""))),
        ];
        for status in STATUSES {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE] {
                for (which, body) in bodies {
                    for (end, allowed) in [(world.sister.at("/end"), true), (world.foreign.at("/end"), false)]
                    {
                        world.home.redirects("/start", status, end);
                        let make = || match body() {
                            Some(body) => {
                                with_body(request(method.clone(), world.home.at("/start?a=1#top")), body)
                            }
                            None => request(method.clone(), world.home.at("/start?a=1#top")),
                        };
                        let claim = format!("{method} {which}, {status}, allowed: {allowed}");
                        let carried = compare(&world, Client::builder, make, &claim).await;
                        match carried[..] {
                            [true] => {
                                assert_eq!(which, "with a stream", "only a stream is not sent on: {claim}");
                            }
                            _ => assert_eq!(carried, [true, allowed], "{claim}"),
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn a_redirect_between_host_names_of_one_machine_is_judged_by_the_name() {
    run(async {
        let world = World::new();
        let by_name = world.foreign.at("/end").replace("127.0.0.1", "localhost");
        world.home.redirects("/start", 307, by_name);
        let carried = compare(
            &world,
            Client::builder,
            || request(Method::GET, world.home.at("/start")),
            "another name",
        )
        .await;
        assert_eq!(carried, [true, false]);
    });
}

#[test]
fn once_the_trace_has_left_it_stays_off() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.sister.at("/second"));
        world.sister.redirects("/second", 302, world.foreign.at("/third"));
        world.foreign.redirects("/third", 307, "/fourth");
        world.foreign.redirects("/fourth", 308, world.home.at("/end"));
        world.home.on("/end", Reply::Status(200));
        let carried = compare(
            &world,
            Client::builder,
            || with_body(request(Method::POST, world.home.at("/start")), "upload".into()),
            "five requests over three hosts",
        )
        .await;
        assert_eq!(carried, [true, true, false, false, false]);
    });
}

#[test]
fn what_a_location_may_say_makes_no_difference() {
    run(async {
        let world = World::new();
        world.home.on("/end", Reply::Status(200));
        world.foreign.on("/end", Reply::Status(200));
        let foreign = world.foreign.authority();
        let rows = [
            ("/end".to_owned(), "an absolute path"),
            ("end?x=1#y".to_owned(), "a relative path"),
            (format!("//{foreign}/end"), "another host in the same scheme"),
            (format!("http://user:secret@{foreign}/end"), "credentials"),
            (
                format!("http://{foreign}/end?to=http://{}/", world.home.authority()),
                "an allowed host in the query",
            ),
            (format!("http://{}@{foreign}/end", world.home.authority()), "an allowed host as userinfo"),
            (format!("http://{foreign}/\u{e4} b#fragment"), "characters to be escaped"),
            (String::new(), "nothing"),
            ("http://".to_owned(), "no host"),
            ("http://[::1".to_owned(), "a broken address"),
            ("ftp://example.test/file".to_owned(), "another scheme"),
            ("mailto:somebody@example.test".to_owned(), "no place at all"),
            ("http://127.0.0.1:1/end".to_owned(), "a port on which nobody listens"),
        ];
        for status in [302, 307] {
            for (location, reason) in &rows {
                world.home.redirects("/start", status, location);
                compare(
                    &world,
                    Client::builder,
                    || request(Method::GET, world.home.at("/start#top")),
                    reason,
                )
                .await;
            }
        }
    });
}

#[test]
fn credentials_do_not_come_along_to_a_foreign_host() {
    run(async {
        let world = World::new();
        for (to, claim) in [(world.sister.at("/end"), "allowed"), (world.foreign.at("/end"), "foreign")] {
            world.home.redirects("/start", 307, to);
            let make = || {
                let mut request = request(Method::GET, world.home.at("/start"));
                for name in [
                    "authorization",
                    "cookie",
                    "cookie2",
                    "proxy-authorization",
                    "www-authenticate",
                    "x-kept",
                ] {
                    request.headers_mut().insert(name, HeaderValue::from_static("value"));
                }
                request
            };
            compare(&world, Client::builder, make, claim).await;
        }
    });
}

#[test]
fn credentials_do_not_come_back_within_the_foreign_host() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/second"));
        world.foreign.redirects("/second", 307, world.foreign.at("/end"));
        let mut request = request(Method::GET, world.home.at("/start"));
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("value"));
        let trip = Trip::traced(&world, &traced(&world, Client::builder()), request).await;
        let sent: Vec<_> = trip.hops.iter().map(|seen| seen.header("authorization")).collect();
        assert_eq!(sent, [Some("value"), None, None], "reqwest alone sends it again on the last");
    });
}

#[test]
fn credentials_stay_where_only_the_path_is_foreign() {
    run(async {
        let world = World::new();
        world.home.redirects("/inside/start", 307, world.home.at("/outside"));
        let inside = [format!("{}/inside", world.home.authority())];
        let make = || {
            let mut request = request(Method::GET, world.home.at("/inside/start"));
            request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("value"));
            request
        };
        let plain = Trip::plain(&world, Client::builder(), make()).await;
        let client = Setup::new(inside).build(Client::builder());
        let traced = Trip::traced(&world, &client, make()).await;
        assert_eq!(traced.carried(), [true, false]);
        assert_eq!(traced.hops[1].header("authorization"), Some("value"), "as in {plain:?}");
        assert_eq!(plain, traced.without_trace());
    });
}

#[test]
fn default_headers_of_sentraces_builder_are_taken_off_as_reqwest_takes_off_its_own() {
    run(async {
        let world = World::new();
        let defaults = HeaderMap::from_iter([
            (AUTHORIZATION, HeaderValue::from_static("Bearer secret")),
            (COOKIE, HeaderValue::from_static("a=b")),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (http::header::ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        for status in STATUSES {
            world.home.redirects("/start", status, world.foreign.at("/end"));
            let make = || {
                let mut request = request(Method::POST, world.home.at("/start"));
                *request.body_mut() = Some("{}".into());
                request
            };
            let plain =
                Trip::plain(&world, Client::builder().default_headers(defaults.clone()), make()).await;
            let client =
                Setup::new(world.allowed()).default_headers(defaults.clone()).build(Client::builder());
            let traced = Trip::traced(&world, &client, make()).await;
            assert_eq!(traced.hops[0].header("authorization"), Some("Bearer secret"));
            assert_eq!(plain, traced.without_trace(), "{status}");
        }
    });
}

#[test]
fn default_headers_of_reqwests_builder_never_give_a_credential_away() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/end"));
        let mut secret = HeaderValue::from_static("Bearer secret");
        secret.set_sensitive(true);
        let builder = Client::builder().default_headers(HeaderMap::from_iter([(AUTHORIZATION, secret)]));
        let trip =
            Trip::traced(&world, &traced(&world, builder), request(Method::GET, world.home.at("/start")))
                .await;
        assert_eq!(trip.hops[0].header("authorization"), Some("Bearer secret"));
        assert_eq!(trip.hops[1].server, "foreign");
        assert_eq!(
            trip.hops[1].header("authorization"),
            Some(""),
            "reqwest cannot leave it out, but empty it is"
        );
        assert_eq!(trip.hops[1].header("cookie"), None, "only what was among the defaults is emptied");
    });
}

#[test]
fn default_headers_yield_to_those_of_the_request() {
    run(async {
        let world = World::new();
        let mut defaults = HeaderMap::new();
        defaults.append("x-team", HeaderValue::from_static("one"));
        defaults.append("x-team", HeaderValue::from_static("two"));
        defaults.append("x-own", HeaderValue::from_static("default"));
        let client = Setup::new(world.allowed()).default_headers(defaults).build(Client::builder());
        let mut request = request(Method::GET, world.home.at("/start"));
        request.headers_mut().insert("x-own", HeaderValue::from_static("mine"));
        let trip = Trip::traced(&world, &client, request).await;
        let sent: Vec<_> = trip.hops[0].headers.iter().filter(|(name, _)| name.starts_with("x-")).collect();
        let expected = [("x-own", "mine"), ("x-team", "one"), ("x-team", "two")];
        assert!(sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected), "{sent:?}");
    });
}

#[test]
fn the_hop_limit_goes_on_over_a_foreign_hop() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 302, world.home.at("/second"));
        world.home.redirects("/second", 302, world.foreign.at("/third"));
        world.foreign.redirects("/third", 302, world.foreign.at("/fourth"));
        world.foreign.redirects("/fourth", 302, world.home.at("/end"));
        world.home.on("/end", Reply::Status(200));
        for max in 0..6 {
            let builder = || Client::builder().redirect(Policy::limited(max));
            let make = || request(Method::GET, world.home.at("/start"));
            compare(&world, builder, make, &format!("limited to {max}")).await;
        }
        compare(
            &world,
            || Client::builder().redirect(Policy::none()),
            || request(Method::GET, world.home.at("/start")),
            "following nothing",
        )
        .await;
    });
}

#[test]
fn a_redirect_loop_ends_in_reqwests_own_error() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 302, world.foreign.at("/back"));
        world.foreign.redirects("/back", 302, world.home.at("/start"));
        let carried =
            compare(&world, Client::builder, || request(Method::GET, world.home.at("/start")), "ten hops")
                .await;
        assert_eq!(carried.len(), 11);
        assert_eq!(carried.iter().filter(|carried| **carried).count(), 1);
    });
}

#[test]
fn a_custom_policy_decides_about_every_hop_and_sees_all_before_it() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 302, world.foreign.at("/second"));
        world.foreign.redirects("/second", 302, world.foreign.at("/third"));
        world.foreign.redirects("/third", 302, world.home.at("/end"));
        for stop_at in ["/second", "/third", "/end", "nowhere"] {
            for fail in [false, true] {
                let plain = Client::builder().redirect(Policy::custom(move |attempt| {
                    let describe = format!("{} {:?}", attempt.url(), attempt.previous());
                    match (attempt.url().path() == stop_at, fail) {
                        (true, true) => attempt.error(describe),
                        (true, false) => attempt.stop(),
                        _ => attempt.follow(),
                    }
                }));
                let guarded = RedirectPolicy::custom(move |attempt| {
                    let describe = format!("{} {:?}", attempt.url(), attempt.previous());
                    match (attempt.url().path() == stop_at, fail) {
                        (true, true) => attempt.error(describe),
                        (true, false) => attempt.stop(),
                        _ => attempt.follow(),
                    }
                });
                let make = || request(Method::GET, world.home.at("/start"));
                let plain = Trip::plain(&world, plain, make()).await;
                let client = Setup::new(world.allowed()).policy(guarded).build(Client::builder());
                let traced = Trip::traced(&world, &client, make()).await;
                traced.carried();
                assert_eq!(plain, traced.without_trace(), "stops at {stop_at}, fails: {fail}");
            }
        }
    });
}

#[test]
fn the_time_limit_goes_on_over_a_foreign_hop() {
    run(async {
        let world = World::new();
        let slow = Duration::from_millis(600);
        world.home.on("/start", Reply::SlowRedirect(302, world.foreign.at("/silent"), slow));
        world.foreign.on("/silent", Reply::Silence);
        let limit = Duration::from_millis(900);
        let of_client = || Client::builder().timeout(limit);
        let of_request = || {
            let mut request = request(Method::GET, world.home.at("/start#top"));
            *request.timeout_mut() = Some(limit);
            request
        };
        let began = Instant::now();
        compare(&world, of_client, || request(Method::GET, world.home.at("/start#top")), "the client's")
            .await;
        compare(&world, Client::builder, of_request, "the request's").await;
        assert!(began.elapsed() < 4 * limit + slow, "the limit began anew: {:?}", began.elapsed());
    });
}

#[test]
fn the_time_limit_covers_the_body_after_a_foreign_hop() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 302, world.foreign.at("/half"));
        world.foreign.on("/half", Reply::HalfABody);
        let builder = || Client::builder().timeout(Duration::from_millis(300));
        compare(&world, builder, || request(Method::GET, world.home.at("/start")), "half a body").await;
    });
}

#[test]
fn a_failing_foreign_hop_fails_with_reqwests_error_and_url() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 302, world.foreign.at("/hangup"));
        world.foreign.on("/hangup", Reply::Hangup);
        compare(&world, Client::builder, || request(Method::GET, world.home.at("/start#top")), "a hang-up")
            .await;
    });
}

#[test]
fn the_http_version_goes_on_over_a_foreign_hop() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/end"));
        let make = || {
            let mut request = request(Method::GET, world.home.at("/start"));
            *request.version_mut() = http::Version::HTTP_10;
            request
        };
        compare(&world, Client::builder, make, "HTTP/1.0").await;
    });
}

#[test]
fn referer_is_sent_or_not_as_the_client_was_told() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 302, world.foreign.at("/second"));
        world.foreign.redirects("/second", 302, world.foreign.at("/end"));
        for referer in [true, false] {
            let make = || {
                let url = world.home.at("/start?q=1#top").replace("http://", "http://user:secret@");
                let mut request = request(Method::GET, url);
                request.headers_mut().insert(REFERER, HeaderValue::from_static("http://caller.test/"));
                request
            };
            compare(&world, || Client::builder().referer(referer), make, &format!("referer: {referer}"))
                .await;
        }
    });
}

/// Finds every name on this machine, but asks a service about it first.
struct AskingResolver {
    http: reqwest_middleware::ClientWithMiddleware,
    ask: String,
}

impl Resolve for AskingResolver {
    fn resolve(&self, _: Name) -> Resolving {
        let question = self.http.get(&self.ask).send();
        Box::pin(async move {
            question.await?;
            let addresses: Addrs = Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
            Ok(addresses)
        })
    }
}

#[test]
fn a_call_within_a_call_leaves_the_outer_one_guarded() {
    run(async {
        let world = World::new();
        world.home.redirects("/start", 307, world.foreign.at("/end"));
        let by_name = world.home.at("/start").replace("127.0.0.1", "home.test");
        let rows = [
            (&world.sister, &world.foreign, "one that is guarded itself"),
            (&world.foreign, &world.sister, "one that carries nothing"),
        ];
        for (asked, answering, reason) in rows {
            asked.redirects("/lookup", 307, answering.at("/answer"));
            let resolver =
                AskingResolver { http: traced(&world, Client::builder()), ask: asked.at("/lookup") };
            let allowed = [by_name.replace("http://", "").replace("/start", "")];
            let client = Setup::new(allowed).build(Client::builder().dns_resolver(Arc::new(resolver)));
            let trip = Trip::traced(&world, &client, request(Method::GET, by_name.clone())).await;
            let seen: Vec<_> = trip.hops.iter().map(|seen| seen.server).zip(trip.carried()).collect();
            let (first, second) = ((asked.name, asked.name == "sister"), (answering.name, false));
            assert_eq!(seen, [first, second, ("home", true), ("foreign", false)], "{reason}");
        }
    });
}

#[test]
fn concurrent_calls_on_one_thread_do_not_take_each_others_hops() {
    run(async {
        let world = World::new();
        world.home.redirects("/away", 307, world.foreign.at("/end"));
        world.home.redirects("/near", 307, world.sister.at("/end"));
        let client = traced(&world, Client::builder());
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                let calls = (0..50).map(|n| {
                    let path = if n % 2 == 0 { "/away" } else { "/near" };
                    let (client, request) = (client.clone(), request(Method::GET, world.home.at(path)));
                    tokio::task::spawn_local(async move { client.execute(request).await.unwrap() })
                });
                for call in calls.collect::<Vec<_>>() {
                    call.await.unwrap();
                }
            })
            .await;
        for seen in world.take_log() {
            assert_eq!(seen.header("sentry-trace").is_some(), seen.server != "foreign", "{seen:?}");
        }
    });
}
