//! Ten spans of the `tracing` crate in the handler, without a layer that processes them.

use crate::http::server::{Nothing, Server, router, user_with_tracing_spans};
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::server("tracing-10-spans-no-subscriber", 0, no_subscriber),
    Variant::server("tracing-10-spans-registry", 0, registry),
];

fn no_subscriber(baggage: Baggage) -> Box<dyn Subject> {
    Box::new(Server::new(router(user_with_tracing_spans), RequestHead::new(baggage, true), Nothing))
}

fn registry(baggage: Baggage) -> Box<dyn Subject> {
    let registry = tracing_subscriber::registry();
    tracing::subscriber::set_global_default(registry).expect("there is no subscriber yet");
    no_subscriber(baggage)
}
