//! Names of transactions by axum's routes, for layers inside the router.

use axum::Router;
use axum::routing::{get, post};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_protocol::TransactionSource;
use tower::ServiceExt;

use crate::support::{data, get as request, layer, only};

fn shop() -> Router {
    Router::new()
        .route("/users/{id}", get(|| async { "user" }).post(|| async { "changed" }))
        .route("/files/{*path}", get(|| async { "file" }))
        .nest("/api", Router::new().route("/orders/{id}", post(|| async { "ordered" })))
        .fallback(|| async { (StatusCode::NOT_FOUND, "none") })
}

async fn captured_of(app: Router, capture: &Capture, method: Method, uri: &str) -> CapturedTransaction {
    let mut request = request(uri);
    *request.method_mut() = method;
    let response = app.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    only(capture.take())
}

#[tokio::test]
async fn inside_the_router_routes_name_transactions() {
    let rows = [
        (Method::GET, "/users/7?tab=2", "GET /users/{id}", TransactionSource::Route, "a parameter"),
        (
            Method::POST,
            "/users/7",
            "POST /users/{id}",
            TransactionSource::Route,
            "the method belongs to the name",
        ),
        (Method::GET, "/files/a/b.txt", "GET /files/{*path}", TransactionSource::Route, "a wildcard"),
        (Method::POST, "/api/orders/9", "POST /api/orders/{id}", TransactionSource::Route, "a nested router"),
        (Method::GET, "/nope/abc", "GET /nope/abc", TransactionSource::Url, "no route matched"),
        (
            Method::PUT,
            "/users/7",
            "PUT /users/{id}",
            TransactionSource::Route,
            "a method that the route has not",
        ),
    ];
    for (method, uri, name, source, reason) in rows {
        let (layer, capture) = layer();
        let captured = captured_of(shop().layer(layer), &capture, method, uri).await;
        assert_eq!(captured.transaction.name, name, "{reason}");
        assert_eq!(captured.transaction.source, source, "{reason}");
        assert_eq!(
            data(&captured, "url.path"),
            uri.split('?').next(),
            "the path itself is there, too: {reason}"
        );
        let route =
            name.split_once(' ').map(|(_, route)| route).filter(|_| source == TransactionSource::Route);
        assert_eq!(data(&captured, "http.route"), route, "{reason}");
    }
}

#[tokio::test]
async fn inside_a_nested_router_names_and_paths_are_whole() {
    let (layer, capture) = layer();
    let orders = Router::new()
        .route("/orders/{id}", get(|| async { "order" }))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(layer);
    let app = Router::new().nest("/api", orders);
    let captured = captured_of(app.clone(), &capture, Method::GET, "/api/orders/9").await;
    assert_eq!(captured.transaction.name, "GET /api/orders/{id}");
    assert_eq!(
        data(&captured, "url.path"),
        Some("/api/orders/9"),
        "axum takes the prefix from the URI it hands on"
    );
    let captured = captured_of(app, &capture, Method::GET, "/api/nope").await;
    assert_eq!(captured.transaction.name, "GET /api/nope");
    assert_eq!(captured.transaction.source, TransactionSource::Url);
}

#[tokio::test]
async fn route_names_enter_the_dynamic_sampling_context() {
    let (layer, capture) = layer();
    let captured = captured_of(shop().layer(layer), &capture, Method::GET, "/users/7").await;
    assert_eq!(captured.dynamic_sampling_context.unwrap().get("transaction"), Some("GET /users/{id}"));
}
