//! Layers in the wrong place are named once. The client is global and the log one for all threads, so it is one test.
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::ops::RangeInclusive;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::Request;
use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options};
use sentrace_tower::{CurrentTransaction, SentryMiddlewareSpanLayer, SentryRouteLayer, SentryTracingLayer};
use tower::ServiceExt;
use tower::layer::util::Identity;

static SAID: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

fn said() -> Vec<(Level, String)> {
    std::mem::take(&mut *SAID.lock().unwrap())
}

fn routes() -> Router {
    Router::new().route("/users/{id}", any(async || "user"))
}

fn extracting() -> Router {
    Router::new().route("/users/{id}", any(async |_: CurrentTransaction| "user"))
}

/// Sends a request of each kind to it, three times.
async fn use_it(app: &Router) {
    let sampled_against = ("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0");
    for _ in 0..3 {
        for (method, header) in [("GET", ("x", "y")), ("OPTIONS", ("x", "y")), ("GET", sampled_against)] {
            let request = Request::builder().method(method).uri("/users/7").header(header.0, header.1);
            app.clone().oneshot(request.body(Body::empty()).unwrap()).await.map(drop).unwrap();
        }
    }
}

#[tokio::test]
async fn what_belongs_inside_of_a_tracing_layer_says_once_that_it_is_not() {
    assert!(set_handler(|level, message| SAID.lock().unwrap().push((level, message.to_owned()))));
    let misplaced = [
        (routes().route_layer(SentryRouteLayer::new()), "SentryRouteLayer"),
        (
            routes().layer(SentryMiddlewareSpanLayer::new("auth", Identity::new())),
            "SentryMiddlewareSpanLayer",
        ),
        (extracting(), "CurrentTransaction"),
    ];
    for (app, layer) in &misplaced {
        use_it(app).await;
        assert_eq!(said(), [], "nothing is initialised, so nothing is wrong: {layer}");
    }

    for rate in [Some(1.0), Some(0.0), None] {
        let options = rate.map_or_else(Options::new, |rate| Options::new().traces_sample_rate(rate));
        Capture::client(options).unwrap().0.bind();
        for layer in [SentryTracingLayer::new(), SentryTracingLayer::new().filter(|_| false)] {
            for app in [
                routes().route_layer(SentryRouteLayer::new()),
                routes().layer(SentryMiddlewareSpanLayer::new("auth", Identity::new())),
                extracting(),
            ] {
                use_it(&app.layer(layer.clone())).await;
                assert_eq!(said(), [], "each is in its place, whether a request is recorded or not");
            }
        }
    }

    for (app, layer) in &misplaced {
        use_it(app).await;
        let said = said();
        assert_eq!(said.len(), 1, "{layer}: {said:?}");
        assert_eq!(said[0].0, Level::Warning);
        for part in [layer, "no SentryTracingLayer has seen", "after it with axum's Router::layer"] {
            assert!(said[0].1.contains(part), "{part}: {said:?}");
        }
    }
    Client::global().unwrap().unbind();

    let odd = SentryTracingLayer::new().ignore_statuses([404..=404, 4..=5, RangeInclusive::new(599, 500)]);
    let said = said();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].1.contains("4..=5") && said[1].1.contains("599..=500"), "{said:?}");
    drop(odd);
}
