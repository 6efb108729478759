//! A service that uses the official `sentry` crate for errors and sentrace for traces.
//!
//! `cargo run --example with_sentry` starts the service and requests three carts: one is fine, one
//! cannot be paid, for which the handler answers 500 with an error, and one makes it panic. It
//! prints which events the official client sent with which trace and span, and the traces.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router, routing::get};
use sentrace::prelude::*;
use sentrace::sentry::{HandlerError, SentraceIntegration, SentryHubLayer, options_from};
use sentrace_collector::{Collector, waterfall};
use sentry::protocol::{Context, Event};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let mut official = sentry::ClientOptions::new()
        .dsn(&collector.dsn("1"))
        .release("carts@1.0.0")
        .add_integration(SentraceIntegration::new()); // events, logs and panics name our trace
    official.before_send = Some(Arc::new(|event| {
        println!("{}", described(&event));
        Some(event)
    }));
    let sentry = sentry::init(official);

    // The same project, release and environment. Only the sample rate is left to set.
    let _sentrace = sentrace::init(options_from(&sentry).traces_sample_rate(1.0))?;

    let app = Router::new()
        .route("/carts/{id}", get(cart))
        .layer(SentryHubLayer::new().capture_failed_requests(true)) // a scope for each request, 5xx as events
        .layer(SentryTracingLayer::new()); // outermost: the span is current in the Hub layer, too
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    for id in [7, 99, 13] {
        match reqwest::get(format!("{url}/carts/{id}")).await {
            Ok(answer) => println!("cart {id}: {}", answer.status()),
            Err(_) => println!("cart {id}: no answer"), // the handler panicked
        }
    }

    collector.wait_for(|store| store.traces().len() == 3, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("\n{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn cart(Path(id): Path<u64>) -> Response {
    sentry::configure_scope(|scope| scope.set_tag("cart", id)); // stays with this request
    match sentrace::try_in_span("task", "pay", pay(id)).await {
        Ok(()) => "paid".into_response(),
        // The layer captures the error with its causes, which are not sent to the caller.
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, Extension(HandlerError::new(error))).into_response()
        }
    }
}

async fn pay(cart: u64) -> Result<(), io::Error> {
    match cart {
        7 => Ok(()),
        13 => unlucky(),
        _ => Err(io::Error::other("the card was declined")),
    }
}

#[expect(clippy::panic, reason = "to show what becomes of it")]
fn unlucky() -> Result<(), io::Error> {
    panic!("nobody buys thirteen")
}

fn described(event: &Event<'_>) -> String {
    let what = event.exception.last().and_then(|exception| exception.value.as_deref()).unwrap_or("a message");
    let whose = event.transaction.as_deref().unwrap_or("no transaction");
    match event.contexts.get("trace") {
        Some(Context::Trace(trace)) => {
            format!("event {what:?} of {whose}: trace {}, span {}", trace.trace_id, trace.span_id)
        }
        _ => format!("event {what:?} of {whose}, without a trace"),
    }
}
