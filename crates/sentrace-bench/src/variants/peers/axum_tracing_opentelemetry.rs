//! axum-tracing-opentelemetry: spans of the `tracing` crate, converted to OpenTelemetry's.

use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use opentelemetry::trace::TracerProvider as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::counting::Counter;
use super::opentelemetry::provider;
use crate::http::server::{Server, router, user, user_with_tracing_spans};
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::server("axum-tracing-opentelemetry-dropped", 1, dropped),
    Variant::server("axum-tracing-opentelemetry-unsampled", 0, unsampled),
    Variant::server("axum-tracing-opentelemetry-10-spans", 11, ten_spans),
    Variant::server("axum-tracing-opentelemetry-10-spans-unsampled", 0, ten_spans_unsampled),
];

fn subscriber() -> Counter {
    let (provider, counter) = provider();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("there is no subscriber yet");
    counter
}

fn dropped(baggage: Baggage) -> Box<dyn Subject> {
    let router = router(user).layer(OtelAxumLayer::default());
    Box::new(Server::new(router, RequestHead::w3c(baggage, true), subscriber()))
}

fn unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let router = router(user).layer(OtelAxumLayer::default());
    Box::new(Server::new(router, RequestHead::w3c(baggage, false), subscriber()))
}

fn ten_spans(baggage: Baggage) -> Box<dyn Subject> {
    let router = router(user_with_tracing_spans).layer(OtelAxumLayer::default());
    Box::new(Server::new(router, RequestHead::w3c(baggage, true), subscriber()))
}

fn ten_spans_unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let router = router(user_with_tracing_spans).layer(OtelAxumLayer::default());
    Box::new(Server::new(router, RequestHead::w3c(baggage, false), subscriber()))
}
