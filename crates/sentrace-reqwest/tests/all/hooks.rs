//! What a service may want otherwise for some of its calls.

use http::{Extensions, Method};
use reqwest::{Client, Request};
use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Options, Origin, testing::Capture};
use sentrace_protocol::SentryTrace;
use sentrace_reqwest::{ClientBuilder, client};

use crate::support::run;
use crate::support::server::{Reply, Seen, World};
use crate::support::traced::only;

/// Asks for `/users/7` in a transaction; returns what arrived in Sentry and at the server.
async fn ask(set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (CapturedTransaction, Seen) {
    let world = World::new();
    world.home.on("/users/7", Reply::Status(200));
    let origins = world.allowed().map(Origin::contains);
    let (sentrace, capture) =
        Capture::client(Options::new().traces_sample_rate(1.0).tracing_origins(origins)).unwrap();
    let http = set(client(Client::builder()).unwrap()).client(sentrace.clone()).build();
    let transaction = sentrace.start_transaction("test", "task");
    let request = Request::new(Method::GET, world.home.at("/users/7").parse().unwrap());
    let mut extensions = Extensions::new();
    extensions.insert(Named("GET /users/{id}"));
    transaction.scope(http.execute_with_extensions(request, &mut extensions)).await.unwrap();
    transaction.finish();
    (only(&capture), world.take_log().remove(0))
}

#[derive(Clone)]
struct Named(&'static str);

fn sentry_trace(seen: &Seen) -> Option<SentryTrace> {
    seen.header("sentry-trace").map(|value| value.parse().unwrap())
}

#[test]
fn a_filtered_call_is_no_span_and_finds_the_current_one_as_its_parent() {
    run(async {
        let (captured, seen) = ask(|http| http.filter(|request, _| request.url().path() != "/users/7")).await;
        assert_eq!(captured.transaction.spans.len(), 0);
        assert_eq!(sentry_trace(&seen).unwrap().span_id, captured.transaction.trace.span_id);
    });
}

#[test]
fn a_call_that_must_not_propagate_is_a_span_without_headers() {
    run(async {
        let (captured, seen) = ask(|http| http.propagate_if(|_, _| false)).await;
        assert_eq!(captured.transaction.spans.len(), 1);
        assert_eq!((seen.header("sentry-trace"), seen.header("baggage")), (None, None));
    });
}

#[test]
fn spans_are_named_by_what_goes_along_with_the_call() {
    run(async {
        let (captured, seen) =
            ask(|http| http.name(|_, extensions| extensions.get::<Named>().map(|name| name.0.to_owned())))
                .await;
        let span = captured.expect_span("GET /users/{id}");
        assert_eq!(span.op, "http.client");
        assert_eq!(sentry_trace(&seen).unwrap().span_id, span.span_id);
        assert!(span.data.iter().any(|(key, value)| key == "url.path" && *value == "/users/7".into()));
    });
}

#[test]
fn a_name_that_is_none_leaves_the_usual_one() {
    run(async {
        let (captured, _) = ask(|http| http.name(|_, _| None)).await;
        let name = captured.transaction.spans[0].description.as_deref().unwrap();
        assert!(name.starts_with("GET http://127.0.0.1:") && name.ends_with("/users/7"), "{name}");
    });
}

#[test]
fn hooks_that_panic_have_said_nothing() {
    run(async {
        let (captured, seen) = ask(|http| {
            http.filter(|_, _| panic!("a filter may panic")).name(|_, _| panic!("a namer may panic"))
        })
        .await;
        assert_eq!(captured.transaction.spans.len(), 1, "the call is recorded");
        assert!(sentry_trace(&seen).is_some(), "and carries the trace");
        let (_, seen) = ask(|http| http.propagate_if(|_, _| panic!("this one, too"))).await;
        assert!(sentry_trace(&seen).is_none(), "what cannot be judged carries nothing");
    });
}
