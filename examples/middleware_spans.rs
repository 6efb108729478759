//! Spans of middleware: where a request spends its time.
//!
//! `cargo run --example middleware_spans` sends two requests at once to a service that lets one in
//! at a time, authenticates them, and saves a session with the response. In the printed traces,
//! each of these is a span with its own time, next to the handler's. The second request waited for
//! the first in `limit`.

use std::error::Error;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::{Router, routing::get};
use sentrace::SentryMiddlewareSpanLayer;
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tower::limit::GlobalConcurrencyLimitLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let _sentrace =
        sentrace::init(Options::new().dsn(collector.dsn("1")).release("cart@1.0.0").traces_sample_rate(1.0))?;

    // The last layer is the outermost: first the limit, then authentication, then the session.
    let app = Router::new()
        .route("/cart", get(cart))
        .layer(SentryMiddlewareSpanLayer::new("session", from_fn(session)).response_span(true))
        .layer(SentryMiddlewareSpanLayer::new("auth", from_fn(auth)))
        .layer(SentryMiddlewareSpanLayer::new("limit", GlobalConcurrencyLimitLayer::new(1)))
        .layer(SentryTracingLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/cart", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    tokio::try_join!(reqwest::get(&url), reqwest::get(&url))?;

    collector.wait_for(|store| store.traces().len() == 2, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn auth(request: Request, next: Next) -> Response {
    sentrace::in_span("cache.get", "token", sleep(Duration::from_millis(2))).await; // below "auth"
    next.run(request).await // which ends here
}

async fn session(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    sentrace::in_span("cache.put", "session", sleep(Duration::from_millis(3))).await; // below the second "session"
    answer
}

async fn cart() -> &'static str {
    sentrace::in_span("db.query", "SELECT * FROM cart", sleep(Duration::from_millis(5))).await;
    "empty"
}
