//! Allows a browser's trace headers, independently of the CORS rules for other headers.
//!
//! `cargo run --example cors` sends the preflight of a page at `https://shop.example`, and of one
//! that is not allowed, and prints the answers: the first lists `sentry-trace` and `baggage`, and
//! the second allows nothing.

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
    // The service's own rules for origins and headers.
    let cors = CorsLayer::new()
        .allow_origin([HeaderValue::from_static("https://shop.example")])
        .allow_methods([Method::POST])
        .allow_headers([CONTENT_TYPE]);

    let app = Router::new()
        .route("/checkout", post(|| async { "paid" }))
        .layer(cors)
        // Added later, so outside: `CorsLayer` answers preflights itself, so inner layers never see
        // them.
        .layer(SentryCorsLayer::new())
        // Outermost. Preflights are not recorded, unless `trace_options_requests(true)` is set.
        .layer(SentryTracingLayer::new());

    for origin in ["https://shop.example", "https://elsewhere.example"] {
        // The preflight of a browser before a call with such headers to another origin.
        let preflight = Request::options("/checkout")
            .header(ORIGIN, origin)
            .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(ACCESS_CONTROL_REQUEST_HEADERS, "baggage,content-type,sentry-trace")
            .body(Body::empty())?;
        let answer = app.clone().oneshot(preflight).await?;
        println!("the answer to a page at {origin} is {}", answer.status());
        for (name, value) in answer.headers() {
            println!("    {name}: {}", value.to_str().unwrap_or("?"));
        }
    }
    Ok(())
}
