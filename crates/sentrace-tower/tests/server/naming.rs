//! Names of transactions and where they are from, by what a layer around everything knows.

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use http_body_util::BodyExt;
use sentrace_protocol::TransactionSource;
use tower::{Layer, ServiceExt};

use crate::support::{Always, get as request, layer, only};

#[tokio::test]
async fn around_the_router_paths_name_transactions() {
    let (layer, capture) = layer();
    let shop = Router::new().route("/users/{id}", get(|| async { "user" }));
    for (uri, name) in [("/users/7?tab=2", "GET /users/7"), ("/nope", "GET /nope"), ("/", "GET /")] {
        let response = layer.layer(shop.clone()).oneshot(request(uri)).await.unwrap();
        response.into_body().collect().await.unwrap();
        let captured = only(capture.take());
        assert_eq!(captured.transaction.name, name);
        assert_eq!(captured.transaction.source, TransactionSource::Url);
        let context = captured.dynamic_sampling_context.unwrap();
        assert_eq!(
            context.get("transaction"),
            None,
            "a name with ids in it stays out of the sampling context"
        );
    }
}

#[tokio::test]
async fn a_name_function_goes_first_where_it_answers() {
    let (layer, capture) = layer();
    let named = layer.name(|head| {
        let path = head.uri().path();
        assert_ne!(path, "/panics", "a bug of the function");
        path.starts_with("/rpc").then(|| ("rpc checkout".to_owned(), TransactionSource::Component))
    });
    let rows = [
        ("/rpc?call=7", "rpc checkout", TransactionSource::Component, "it answers"),
        ("/other", "GET /other", TransactionSource::Url, "it does not"),
        ("/panics", "GET /panics", TransactionSource::Url, "it panics"),
    ];
    for (uri, name, source, reason) in rows {
        let response = named.layer(Always::ok()).oneshot(request(uri)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{reason}");
        response.into_body().collect().await.unwrap();
        let captured = only(capture.take());
        assert_eq!((&*captured.transaction.name, captured.transaction.source), (name, source), "{reason}");
    }
}

#[tokio::test]
async fn kind_and_origin_are_those_of_a_server_layer() {
    let (layer, capture) = layer();
    let response = layer.layer(Always::ok()).oneshot(request("/x")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.op, "http.server");
    assert_eq!(captured.transaction.trace.origin, "auto.http.tower");
}
