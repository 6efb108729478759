//! An axum service: one layer, and manual spans.
//!
//! `cargo run --example axum` starts the service, asks it for a price that exists and one that does
//! not, and prints both traces. The transactions have the names of their routes; the second one is
//! `not_found`.

use std::error::Error;
use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Router, routing::get};
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Stands in for Sentry. A service takes its DSN from SENTRY_DSN: `Options::from_env()`.
    let collector = Collector::start("127.0.0.1:0").await?;
    let _sentrace = sentrace::init(
        Options::new().dsn(collector.dsn("1")).release("prices@1.0.0").traces_sample_rate(1.0), // all of them
    )?; // dropping this sends what is left

    // `Router::layer` runs after routing, so the layer knows the route.
    let app = Router::new().route("/prices/{id}", get(price)).layer(SentryTracingLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    for id in [7, 99] {
        reqwest::get(format!("{url}/prices/{id}")).await?;
    }

    collector.wait_for(|store| store.traces().len() == 2, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn price(Path(id): Path<u64>) -> Result<String, StatusCode> {
    // A span around a future, which is current inside: spans started by `load` would be its
    // children.
    let price = sentrace::in_span("db.query", "SELECT price FROM prices WHERE id = ?", load(id)).await;
    let price = price.ok_or(StatusCode::NOT_FOUND)?;

    // A span around synchronous code ends when it goes out of scope.
    let span = sentrace::start_span("task", "apply discounts");
    span.set_tag("plan", "gold");
    drop(span);

    // Outside of spans, the transaction is current.
    sentrace::current_span().set_data("price", price);
    Ok(format!("{price:.2}"))
}

async fn load(id: u64) -> Option<f64> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    (id == 7).then_some(12.5)
}
