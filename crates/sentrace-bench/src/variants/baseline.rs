//! The cost without tracing: the server itself, and a layer that does nothing.

use std::task::{Context, Poll};

use tower_layer::layer_fn;
use tower_service::Service;

use crate::http::server::{Nothing, Server, router, user};
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] =
    &[Variant::server("bare", 0, bare), Variant::server("noop-layer", 0, noop_layer)];

fn bare(baggage: Baggage) -> Box<dyn Subject> {
    Box::new(Server::new(router(user), RequestHead::new(baggage, true), Nothing))
}

fn noop_layer(baggage: Baggage) -> Box<dyn Subject> {
    let router = router(user).layer(layer_fn(Noop));
    Box::new(Server::new(router, RequestHead::new(baggage, true), Nothing))
}

/// A service that only calls the inner one.
#[derive(Debug, Clone)]
pub struct Noop<S>(pub S);

impl<S: Service<R>, R> Service<R> for Noop<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}
