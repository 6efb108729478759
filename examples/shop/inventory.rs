//! The stock of warehouses: a service on plain hyper.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sentrace::Client;
use sentrace::protocol::TransactionSource;
use sentrace::tower::{RequestHead, SentryTracingLayer};
use serde_json::json;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

use crate::database::Item;

pub(crate) async fn serve(listener: TcpListener, client: Client) {
    let service = ServiceBuilder::new()
        // Without a router, the service has to name the routes: a name for each path would be too
        // many.
        .layer(SentryTracingLayer::new().client(client).name(route))
        .service(service_fn(answer));
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            // An error here means that the client disconnected, which its transaction has recorded.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn route(request: &RequestHead<'_>) -> Option<(String, TransactionSource)> {
    let name = match segments(request.uri().path())[..] {
        ["warehouses", _, "stock", _] => "/warehouses/{place}/stock/{product}",
        ["reservations"] => "/reservations",
        _ => return None,
    };
    Some((format!("{} {name}", request.method()), TransactionSource::Route))
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let answer = match (&head.method, &segments(head.uri.path())[..]) {
        (&Method::GET, ["warehouses", place, "stock", product]) => stock(place, product).await,
        (&Method::POST, ["reservations"]) => reserve(body).await,
        _ => (StatusCode::NOT_FOUND, json!({ "error": "no such thing in the inventory" })),
    };
    let (status, json) = answer;
    let mut response = Response::new(Full::from(json.to_string()));
    *response.status_mut() = status;
    Ok(response)
}

/// Counts the stock. The farther the warehouse, the longer it takes.
async fn stock(place: &str, product: &str) -> (StatusCode, serde_json::Value) {
    let (walk, days) = match place {
        "downtown" => (60, 1),
        "harbour" => (180, 3),
        "overseas" => (620, 21),
        _ => return (StatusCode::NOT_FOUND, json!({ "error": "no such warehouse" })),
    };
    sentrace::in_span("task", "count the shelf", tokio::time::sleep(Duration::from_millis(walk))).await;
    (StatusCode::OK, json!({ "place": place, "product": product, "days": days }))
}

async fn reserve(body: Incoming) -> (StatusCode, serde_json::Value) {
    let Ok(body) = Limited::new(body, 64 * 1024).collect().await else {
        return (StatusCode::BAD_REQUEST, json!({ "error": "the list of items did not arrive" }));
    };
    let Ok(items) = serde_json::from_slice::<Vec<Item>>(&body.to_bytes()) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": "not a list of items" }));
    };
    for item in &items {
        let label = format!("put {} × {} aside", item.quantity, item.name);
        sentrace::in_span("task", label, tokio::time::sleep(Duration::from_millis(4))).await;
    }
    (StatusCode::CREATED, json!({ "reserved": items.len() }))
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_matches('/').split('/').collect()
}
