//! sentry-tower with both layers, in the order that its documentation requires for axum.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use http::Request;
use sentry::integrations::tower::{NewSentryLayer, SentryHttpLayer};
use sentry::{ClientOptions, TransportFactory};
use tracing_subscriber::layer::SubscriberExt as _;

use super::counting::{Counter, HandingOver};
use crate::http::server::{Nothing, Server, router, user, user_with_tracing_spans};
use crate::http::sink::NOWHERE;
use crate::payload::DESCRIPTION;
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::server("sentry-tower-dropped", 1, dropped),
    Variant::server("sentry-tower-handed-over", 1, handed_over),
    Variant::server("sentry-tower-unsampled", 0, unsampled),
    Variant::server("sentry-tower-off", 0, off),
    Variant::server("sentry-tower-no-client", 0, no_client),
    Variant::server("sentry-tower-10-spans", 11, ten_spans),
    Variant::server("sentry-tower-10-spans-unsampled", 0, ten_spans_unsampled),
    Variant::server("sentry-tracing-10-spans", 11, ten_tracing_spans),
    Variant::server("sentry-tracing-10-spans-unsampled", 0, ten_tracing_spans_unsampled),
];

fn layered(router: Router) -> Router {
    router
        .layer(SentryHttpLayer::new().enable_transaction())
        .layer(NewSentryLayer::<Request<Body>>::new_from_top())
}

/// Initialises sentry for the rest of the process.
pub fn init(transport: impl TransportFactory + 'static, rate: f32) {
    let options = ClientOptions::new()
        .release("shop@1.4.0")
        .environment("production")
        .traces_sample_rate(rate)
        .transport(transport);
    std::mem::forget(sentry::init((NOWHERE, options)));
}

/// Sampled, with a transport that drops envelopes on the sending thread.
pub fn init_dropping() -> Counter {
    let counter = Counter::default();
    init(Arc::new(counter.clone()), 1.0);
    counter
}

fn dropped(baggage: Baggage) -> Box<dyn Subject> {
    let counter = init_dropping();
    Box::new(Server::new(layered(router(user)), RequestHead::new(baggage, true), counter))
}

fn handed_over(baggage: Baggage) -> Box<dyn Subject> {
    let counter = Counter::default();
    init(Arc::new(HandingOver::new(counter.clone())), 1.0);
    Box::new(Server::new(layered(router(user)), RequestHead::new(baggage, true), counter))
}

fn unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let counter = init_dropping();
    Box::new(Server::new(layered(router(user)), RequestHead::new(baggage, false), counter))
}

/// A rate of 0 is not sufficient, since an incoming decision takes precedence.
fn off(baggage: Baggage) -> Box<dyn Subject> {
    let counter = Counter::default();
    init(Arc::new(counter.clone()), 0.0);
    Box::new(Server::new(layered(router(user)), RequestHead::undecided(baggage), counter))
}

fn no_client(baggage: Baggage) -> Box<dyn Subject> {
    Box::new(Server::new(layered(router(user)), RequestHead::new(baggage, true), Nothing))
}

fn ten_spans(baggage: Baggage) -> Box<dyn Subject> {
    let counter = init_dropping();
    Box::new(Server::new(layered(router(user_with_spans)), RequestHead::new(baggage, true), counter))
}

fn ten_spans_unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let counter = init_dropping();
    Box::new(Server::new(layered(router(user_with_spans)), RequestHead::new(baggage, false), counter))
}

fn ten_tracing_spans(baggage: Baggage) -> Box<dyn Subject> {
    with_tracing(baggage, true)
}

fn ten_tracing_spans_unsampled(baggage: Baggage) -> Box<dyn Subject> {
    with_tracing(baggage, false)
}

fn with_tracing(baggage: Baggage, sampled: bool) -> Box<dyn Subject> {
    let counter = init_dropping();
    let subscriber = tracing_subscriber::registry().with(sentry::integrations::tracing::SpanLayer::new());
    tracing::subscriber::set_global_default(subscriber).expect("there is no subscriber yet");
    let router = layered(router(user_with_tracing_spans));
    Box::new(Server::new(router, RequestHead::new(baggage, sampled), counter))
}

async fn user_with_spans(path: Path<u64>) -> &'static str {
    if let Some(parent) = sentry::configure_scope(|scope| scope.get_span()) {
        for _ in 0..10 {
            parent.start_child("db.query", DESCRIPTION).finish();
        }
    }
    user(path).await
}

/// Returns a router whose transactions are all sent to `dsn` by the default transport.
pub fn delivering(dsn: &str) -> Router {
    let options =
        ClientOptions::new().release("shop@1.4.0").environment("production").traces_sample_rate(1.0);
    std::mem::forget(sentry::init((dsn, options)));
    layered(router(user))
}
