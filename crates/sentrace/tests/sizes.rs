//! What futures and bodies add to the size of those inside them. They are moved several times for each request, and the cost
//! depends on their size.
#![cfg(all(feature = "axum", feature = "sentry", feature = "tracing", target_pointer_width = "64"))]

use std::convert::Infallible;
use std::future::Ready;
use std::mem::size_of;

use http::Response;
use sentrace::{Scoped, sentry, tower, tracing};

type Inner = Box<[u8; 4]>;
type Future = Ready<Result<Response<Inner>, Infallible>>;

#[test]
fn futures_and_bodies_stay_small() {
    let future = size_of::<Option<Future>>();
    let body = size_of::<Option<Inner>>();
    let rows = [
        ("ResponseFuture", size_of::<tower::ResponseFuture<Future>>() - future, 80),
        ("ResponseBody", size_of::<tower::ResponseBody<Inner>>() - body, 72),
        ("JobFuture", size_of::<tower::JobFuture<Future>>() - future, 24),
        (
            "MiddlewareSpanFuture",
            size_of::<tower::middleware_span::MiddlewareSpanFuture<Future>>() - future,
            32,
        ),
        ("InnerFuture", size_of::<tower::middleware_span::InnerFuture<Future>>() - future, 32),
        ("ClientFuture", size_of::<tower::ClientFuture<Future>>() - future, 40),
        ("ClientBody", size_of::<tower::ClientBody<Inner>>() - body, 40),
        ("HubFuture", size_of::<sentry::HubFuture<Future>>() - future, 16),
        ("HubBody", size_of::<sentry::HubBody<Inner>>() - body, 8),
        ("RequestSpanFuture", size_of::<tracing::RequestSpanFuture<Future>>() - future, 40),
        ("RequestSpanBody", size_of::<tracing::RequestSpanBody<Inner>>() - body, 40),
        ("Scoped", size_of::<Scoped<Future>>() - future, 24),
    ];
    for (name, own, max) in rows {
        assert!(own <= max, "{name} takes {own} bytes beside what is inside it, {max} at most");
    }
}
