//! What a service may want otherwise for some of its calls.

use sentrace_core::testing::CapturedTransaction;
use sentrace_protocol::SentryTrace;
use sentrace_tower::SentryClientLayer;
use tower::{Layer, ServiceExt};

use crate::support::{echo, get, hyper, in_time, lines, only, only_span, recording};

/// Asks for `/users/7` in a transaction; returns what arrived in Sentry and at the server.
async fn ask(
    set: impl FnOnce(SentryClientLayer) -> SentryClientLayer,
) -> (CapturedTransaction, Option<SentryTrace>) {
    let (client, capture) = recording();
    let http = set(SentryClientLayer::new()).client(client.clone()).layer(hyper());
    let mut request = get(format!("http://{}/users/7", echo().await));
    request.extensions_mut().insert(Named("GET /users/{id}"));
    let transaction = client.start_transaction("test", "task");
    let sent = lines(transaction.scope(in_time(http.oneshot(request))).await.unwrap()).await;
    transaction.finish();
    (only(&capture).await, sent[0].parse().ok())
}

#[derive(Clone)]
struct Named(&'static str);

#[tokio::test]
async fn a_filtered_call_is_no_span_and_finds_the_current_one_as_its_parent() {
    let (captured, sent) = ask(|layer| layer.filter(|call| call.uri().path() != "/users/7")).await;
    assert!(captured.transaction.spans.is_empty());
    assert_eq!(sent.unwrap().span_id, captured.transaction.trace.span_id);
}

#[tokio::test]
async fn a_call_that_must_not_propagate_is_a_span_without_headers() {
    let (captured, sent) = ask(|layer| layer.propagate_if(|call| call.method() != http::Method::GET)).await;
    only_span(&captured);
    assert_eq!(sent, None);
}

#[tokio::test]
async fn spans_are_named_by_what_goes_along_with_the_call() {
    let (captured, sent) =
        ask(|layer| layer.name(|call| Some(call.extensions().get::<Named>()?.0.to_owned()))).await;
    assert_eq!(sent.unwrap().span_id, captured.expect_span("GET /users/{id}").span_id);
}

#[tokio::test]
async fn hooks_that_panic_have_said_nothing() {
    let (captured, sent) =
        ask(|layer| layer.filter(|_| panic!("a filter may panic")).name(|_| panic!("a namer may panic")))
            .await;
    only_span(&captured);
    assert!(sent.is_some(), "the call carries the trace");
    let (_, sent) = ask(|layer| layer.propagate_if(|_| panic!("this one, too"))).await;
    assert_eq!(sent, None, "what cannot be judged carries nothing");
}
