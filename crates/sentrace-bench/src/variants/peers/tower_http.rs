//! tower-http's `TraceLayer`, which creates spans of the `tracing` crate and does not propagate.

use tower_http::trace::TraceLayer;

use crate::http::server::{Nothing, Server, router, user};
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::server("tower-http-no-subscriber", 0, no_subscriber),
    Variant::server("tower-http-registry", 0, registry),
];

fn no_subscriber(baggage: Baggage) -> Box<dyn Subject> {
    let router = router(user).layer(TraceLayer::new_for_http());
    Box::new(Server::new(router, RequestHead::new(baggage, true), Nothing))
}

fn registry(baggage: Baggage) -> Box<dyn Subject> {
    let registry = tracing_subscriber::registry();
    tracing::subscriber::set_global_default(registry).expect("there is no subscriber yet");
    no_subscriber(baggage)
}
