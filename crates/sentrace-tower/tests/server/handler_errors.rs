//! Why a handler answered as it did, in the transaction's data.

use std::convert::Infallible;
use std::fmt;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use sentrace_protocol::SpanStatus;
use sentrace_tower::HandlerError;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Server, data, get as request, layer, only};

#[derive(Debug)]
struct OutOfStock(u64);

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "article {} is out of stock", self.0)
    }
}

impl std::error::Error for OutOfStock {}

impl IntoResponse for OutOfStock {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, HandlerError::new(self), "sorry").into_response()
    }
}

#[tokio::test]
async fn the_error_behind_an_answer_is_told_to_sentry_and_not_to_the_client() {
    let (layer, capture) = layer();
    let handler = async || Err::<&'static str, _>(OutOfStock(7));
    let server = Server::start(Router::new().route("/buy", get(handler)).layer(layer)).await;
    let answer = server.ask("GET /buy HTTP/1.1\r\nHost: shop.test\r\n").await;
    assert_eq!(answer.status(), 409);
    assert!(answer.contains("sorry") && !answer.contains("out of stock"), "{answer:?}");
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(data(&captured, "error.message"), Some("article 7 is out of stock"));
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::AlreadyExists), "the code's status stays");
}

#[tokio::test]
async fn services_without_a_framework_tell_it_too() {
    let (layer, capture) = layer();
    let service = service_fn(async |_| {
        let mut answer = http::Response::new(String::new());
        answer.extensions_mut().insert(HandlerError::msg("the disk is full"));
        Ok::<_, Infallible>(answer)
    });
    layer.layer(service).oneshot(request("/x")).await.map(drop).unwrap();
    assert_eq!(data(&only(capture.take()), "error.message"), Some("the disk is full"));
}
