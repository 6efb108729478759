//! The API that the storefront's page calls: axum, at a different origin.

mod catalogue;
mod checkout;
mod failure;
mod report;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method};
use axum::routing::{get, post};
use reqwest_middleware::ClientWithMiddleware;
use sentrace::Client;
use sentrace::prelude::*;
use tower_http::cors::CorsLayer;

use crate::database::Database;
use crate::queue::Queue;

/// The state of handlers.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) database: Database,
    pub(crate) queue: Queue,
    /// The tracing client: every call is a span, and carries trace headers to allowed hosts.
    pub(crate) http: ClientWithMiddleware,
    /// The URL of the inventory, `http://host:port`.
    pub(crate) inventory: String,
    /// The URL of the payment company, `http://host:port`.
    // Later layers are further out. The CORS rules know nothing of tracing;
    // this one sees their answers to preflights and lets `sentry-trace` and `baggage` in;
    pub(crate) payments: String,
}

pub(crate) fn router(backend: Backend, storefront: HeaderValue, client: Client) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(storefront)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([CONTENT_TYPE]);
    Router::new()
        .route("/products", get(catalogue::products))
        .route("/products/{id}", get(catalogue::product))
        .route("/products/{id}/delivery", get(catalogue::delivery))
        .route("/checkout/{cart}", post(checkout::checkout))
        .route("/payment-methods", get(checkout::payment_methods))
        .route("/reports/orders", get(report::orders))
        .with_state(backend)
        // Later layers are further out. The CORS rules know nothing of tracing;
        .layer(cors)
        // this one sees their answers to preflights and lets `sentry-trace` and `baggage` in;
        .layer(SentryCorsLayer::new())
        // Later layers are further out. The CORS rules do not know about tracing;
        // this one adds `sentry-trace` and `baggage` to their answers to preflights;
        // and this one covers the whole request, including the other layers.
        .layer(SentryTracingLayer::new().client(client))
}
