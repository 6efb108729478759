//! Where requests go on: a gateway that hands on its caller's headers, and redirects.

use std::convert::Infallible;

use axum::Router;
use axum::response::Redirect;
use http::Request;
use sentrace_core::Origin;
use sentrace_protocol::SentryTrace;
use sentrace_tower::{SentryClientLayer, SentryTracingLayer};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::follow_redirect::FollowRedirectLayer;

use crate::support::{echo, get, hyper, in_time, lines, only, only_span, recording, recording_to, serve};

#[tokio::test]
async fn headers_that_a_request_came_with_are_replaced_when_they_are_handed_on() {
    let (client, capture) = recording();
    let behind = echo().await;
    let http = SentryClientLayer::new().client(client.clone()).layer(hyper());
    let forward = service_fn(move |request: Request<axum::body::Body>| {
        let http = http.clone();
        async move {
            let mut onward = get(format!("http://{behind}/"));
            *onward.headers_mut() = request.headers().clone();
            let answer = http.oneshot(onward).await.unwrap();
            Ok::<_, Infallible>(answer.map(axum::body::Body::new))
        }
    });
    let gateway =
        serve(Router::new().fallback_service(forward).layer(SentryTracingLayer::new().client(client))).await;

    let mut request = get(format!("http://{gateway}/"));
    let caller = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
    request.headers_mut().insert("sentry-trace", caller.parse().unwrap());
    request.headers_mut().insert("baggage", "tenant=7,sentry-release=edge%401".parse().unwrap());
    let sent = lines(in_time(hyper().request(request)).await.unwrap()).await;

    let captured = only(&capture).await;
    let trace: SentryTrace = sent[0].parse().unwrap();
    assert_eq!(trace.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(trace.span_id, only_span(&captured).span_id, "the gateway's own call is the parent");
    assert_eq!(sent[1].matches("sentry-release=").count(), 1, "{sent:?}");
    assert!(sent[1].starts_with("tenant=7,"), "handed on by the gateway itself: {sent:?}");
}

#[tokio::test]
async fn a_redirect_that_is_followed_outside_the_layer_carries_nothing_to_a_foreign_host() {
    let foreign = format!("http://{}/elsewhere", echo().await);
    let elsewhere = foreign.clone();
    let router = Router::new().fallback(async move || Redirect::temporary(&elsewhere));
    let home = serve(router).await;
    let (client, capture) = recording_to(Origin::contains(home.to_string()));
    let http = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(SentryClientLayer::new().client(client.clone()))
        .service(hyper());
    let transaction = client.start_transaction("test", "task");
    let call = http.oneshot(get(format!("http://{home}/moved")));
    let sent = lines(transaction.scope(in_time(call)).await.unwrap()).await;
    transaction.finish();
    assert_eq!(sent, ["none", "none", "none"]);
    let captured = only(&capture).await;
    captured.expect_span(&format!("GET http://{home}/moved"));
    captured.expect_span(&format!("GET {foreign}"));
}
