//! Failed requests as events, where they are asked for.

use std::io;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get as route;
use axum::{Extension, Router};
use sentrace_sentry::HandlerError;
use sentry::Level;
use serde_json::Value;
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};

use crate::support::{Project, Tap, get, serve};

async fn with_error() -> Response {
    #[derive(Debug)]
    struct LoadError(io::Error);
    impl std::fmt::Display for LoadError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the cart cannot be loaded")
        }
    }
    impl std::error::Error for LoadError {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = HandlerError::new(LoadError(io::Error::other("disk full")));
    (StatusCode::INTERNAL_SERVER_ERROR, Extension(error)).into_response()
}

async fn captures_itself() -> StatusCode {
    sentry::capture_message("its own event", Level::Error);
    StatusCode::INTERNAL_SERVER_ERROR
}

fn routes() -> Router {
    Router::new()
        .route("/carts/{id}", route(async || StatusCode::SERVICE_UNAVAILABLE))
        .route("/error", route(with_error))
        .route("/missing", route(async || StatusCode::NOT_FOUND))
        .route("/itself", route(captures_itself))
}

/// The events of one request, whose transaction is told, too.
async fn events_of(path: &str, layers: impl FnOnce(Router, &Project) -> Router) -> (Vec<Value>, Value) {
    let tap = Tap::start();
    let project = Project::new(&tap);
    let url = serve(layers(routes(), &project)).await;
    get(format!("{url}{path}")).await;
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
    let transaction = tap.item("transaction").payload;
    tap.assert_no_problems();
    (tap.so_far("event").into_iter().map(|item| item.payload).collect(), transaction)
}

fn capturing(routes: Router, project: &Project) -> Router {
    routes.layer(project.hubs().capture_failed_requests(true)).layer(project.tracing())
}

#[tokio::test]
async fn an_answer_of_5xx_is_an_event_of_its_route_and_trace() {
    let (events, transaction) = events_of("/carts/7?token=secret", capturing).await;
    let [event] = &events[..] else { panic!("{events:#?}") };
    assert_eq!(event["transaction"], "GET /carts/{id}");
    let exception = &event["exception"]["values"][0];
    assert_eq!(exception["value"], "HTTP Server Error with status code: 503");
    assert_eq!(exception["mechanism"]["handled"], true);
    assert_eq!(event["fingerprint"], serde_json::json!(["http-server-error", "GET /carts/{id}", "503"]));
    assert_eq!(event["contexts"]["trace"]["trace_id"], transaction["contexts"]["trace"]["trace_id"]);
    assert_eq!(event["contexts"]["trace"]["span_id"], transaction["contexts"]["trace"]["span_id"]);
    assert_eq!(event["request"]["method"], "GET");
    assert!(event["request"]["url"].as_str().unwrap().ends_with("/carts/7"), "without its query: {event:#}");
}

#[tokio::test]
async fn an_error_that_the_handler_hands_out_is_captured_with_its_causes() {
    let (events, _) = events_of("/error", capturing).await;
    let [event] = &events[..] else { panic!("{events:#?}") };
    let values: Vec<_> =
        event["exception"]["values"].as_array().unwrap().iter().map(|one| &one["value"]).collect();
    assert_eq!(values, ["disk full", "the cart cannot be loaded"]);
    assert_eq!(event["exception"]["values"][1]["type"], "LoadError");
}

#[tokio::test]
async fn what_is_no_failure_or_not_asked_for_or_told_already_is_not_captured() {
    let off = |routes: Router, project: &Project| routes.layer(project.hubs()).layer(project.tracing());
    let narrow = |routes: Router, project: &Project| {
        let hubs = project.hubs().capture_failed_requests(true).failed_request_statuses([500..=502]);
        routes.layer(hubs).layer(project.tracing())
    };
    assert_eq!(events_of("/missing", capturing).await.0.len(), 0, "404 is an answer");
    assert_eq!(events_of("/carts/7", off).await.0.len(), 0, "nobody asked");
    assert_eq!(events_of("/carts/7", narrow).await.0.len(), 0, "503 is not among the statuses");
    let (events, _) = events_of("/itself", capturing).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["message"], "its own event");
}

#[tokio::test]
async fn two_layers_capture_once_and_any_status_can_be_a_failure() {
    let (events, _) = events_of("/missing", |routes, project| {
        let hubs = project.hubs().capture_failed_requests(true).failed_request_statuses([404..=404]);
        routes.layer(hubs.clone()).layer(hubs).layer(project.tracing())
    })
    .await;
    assert_eq!(events.len(), 1, "{events:#?}");
}

#[tokio::test]
async fn a_service_that_fails_without_an_answer_is_an_unhandled_error() {
    let tap = Tap::start();
    let project = Project::new(&tap);
    let failing = service_fn(async |_: axum::extract::Request| {
        Err::<Response, _>(tower::BoxError::from(io::Error::other("no backend")))
    });
    let layer = project.hubs().capture_failed_requests(true);
    let mut service = project.tracing().layer(layer.layer(failing));
    let request = axum::extract::Request::builder()
        .uri("http://shop.test/pay")
        .body(axum::body::Body::empty())
        .unwrap();
    let error = service.ready().await.unwrap().call(request).await.map(drop).unwrap_err();
    assert_eq!(error.to_string(), "no backend", "the error is the caller's as it was");
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
    let event = tap.item("event").payload;
    let exception = &event["exception"]["values"][0];
    assert_eq!((&exception["type"], &exception["value"]), (&"Custom".into(), &"no backend".into()));
    assert_eq!(exception["mechanism"]["handled"], false);
    assert_eq!(event["request"]["url"], "http://shop.test/pay");
    assert_eq!(
        event["contexts"]["trace"]["trace_id"],
        tap.item("transaction").payload["contexts"]["trace"]["trace_id"]
    );
}

#[tokio::test]
async fn outside_of_the_tracing_layer_events_come_without_our_trace() {
    let (events, transaction) = events_of("/carts/7", |routes, project| {
        routes.layer(project.tracing()).layer(project.hubs().capture_failed_requests(true))
    })
    .await;
    let [event] = &events[..] else { panic!("{events:#?}") };
    assert_eq!(event["transaction"], "GET /carts/{id}", "the name is known anyway");
    assert_ne!(event["contexts"]["trace"]["trace_id"], transaction["contexts"]["trace"]["trace_id"]);
}
