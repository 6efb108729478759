//! Trace headers on requests of a plain client.

use http_body_util::Full;
use reqwest::{Body, Client};
use sentrace_core::testing::Capture;
use sentrace_core::{Options, Origin};
use sentrace_protocol::SentryTrace;
use sentrace_reqwest::WithTraceHeaders as _;

use crate::support::run;
use crate::support::server::{Reply, World};

fn sentrace(world: &World) -> sentrace_core::Client {
    let origins = world.allowed().map(Origin::contains);
    let options = Options::new().traces_sample_rate(1.0).tracing_origins(origins);
    Capture::client(options).unwrap().0
}

#[test]
fn a_plain_request_carries_the_current_span_to_an_allowed_host_only() {
    run(async {
        let world = World::new();
        for server in [&world.home, &world.foreign] {
            server.on("/", Reply::Status(200));
        }
        let span = sentrace(&world).start_transaction("test", "task");
        span.scope(async {
            let http = Client::new();
            for server in [&world.home, &world.foreign] {
                let call = http.get(server.at("/")).header("baggage", "tenant=7").with_trace_headers();
                call.send().await.unwrap();
            }
        })
        .await;
        let [home, foreign] = &world.take_log()[..] else { panic!("two requests") };
        let sent: SentryTrace = home.header("sentry-trace").unwrap().parse().unwrap();
        assert_eq!(Some(sent.span_id), span.span_id());
        let baggage = home.header("baggage").unwrap();
        assert!(baggage.starts_with("tenant=7,sentry-"), "{baggage}");
        assert_eq!(foreign.header("sentry-trace"), None);
        assert_eq!(foreign.header("baggage"), Some("tenant=7"));
    });
}

#[test]
fn a_body_that_cannot_be_cloned_is_no_obstacle() {
    run(async {
        let world = World::new();
        world.home.on("/", Reply::Status(200));
        let body = Body::wrap(Full::new(&b"hello"[..]));
        let request = Client::new().post(world.home.at("/")).body(body);
        let transaction = sentrace(&world).start_transaction("test", "task");
        transaction.scope(async { request.with_trace_headers().send().await.unwrap() }).await;
        assert!(world.take_log()[0].header("sentry-trace").is_some());
    });
}

#[test]
fn an_error_in_a_builder_stays_what_it_is() {
    let broken = || Client::new().get("http://127.0.0.1/").header("line\nbreak", "x");
    let plain = format!("{:?}", broken().build().unwrap_err());
    assert_eq!(format!("{:?}", broken().with_trace_headers().build().unwrap_err()), plain);
}

#[test]
fn without_a_client_of_sentrace_a_request_stays_as_it_is() {
    // This test binary binds no global client.
    let request = Client::new().get("http://127.0.0.1/").with_trace_headers().build().unwrap();
    assert!(request.headers().is_empty());
}
