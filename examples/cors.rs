//! Lets a browser's trace headers in, whatever the CORS rules say about other headers.
//!
//! `cargo run --example cors` sends the preflight of a page at `https://shop.example`, and of one that is not let
//! in, and prints the answers: the first lists `sentry-trace` and `baggage`, the second grants nothing.

use std::error::Error;

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN,
};
use axum::http::{HeaderValue, Method, Request};
use axum::{Router, routing::post};
use sentrace::prelude::*;
use tower::ServiceExt as _;
use tower_http::cors::CorsLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What the service has anyway: who may call, and with what.
    let cors = CorsLayer::new()
        .allow_origin([HeaderValue::from_static("https://shop.example")])
        .allow_methods([Method::POST])
        .allow_headers([CONTENT_TYPE]);

    let app = Router::new()
        .route("/checkout", post(|| async { "paid" }))
        .layer(cors)
        // Later, so outside: `CorsLayer` answers preflights itself, and what is inside it never sees one.
        .layer(SentryCorsLayer::new())
        // Outermost. Preflights leave no transaction, unless `trace_options_requests(true)` says so.
        .layer(SentryTracingLayer::new());

    for origin in ["https://shop.example", "https://elsewhere.example"] {
        // What a browser asks before it makes a call with such headers to another origin.
        let preflight = Request::options("/checkout")
            .header(ORIGIN, origin)
            .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(ACCESS_CONTROL_REQUEST_HEADERS, "baggage,content-type,sentry-trace")
            .body(Body::empty())?;
        let answer = app.clone().oneshot(preflight).await?;
        println!("a page at {origin} asks and is told {}", answer.status());
        for (name, value) in answer.headers() {
            println!("    {name}: {}", value.to_str().unwrap_or("?"));
        }
    }
    Ok(())
}
