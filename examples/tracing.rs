//! A service that is instrumented with `tracing`: its spans become spans of the request, and its
//! log lines contain the trace.
//!
//! `cargo run --example tracing` starts the service, requests two carts, one of which cannot be
//! paid, runs a job outside of requests, and prints the log and the traces. The failed payment
//! marks its span as failed. The job's span is a separate transaction because of its field.

use std::error::Error;
use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::{Router, routing::get};
use sentrace::prelude::*;
use sentrace::tracing::WithTraceId;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;
use tracing::{Instrument, info, info_span, instrument};
use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let options = Options::new().dsn(collector.dsn("1")).release("carts@1.0.0").traces_sample_rate(1.0);
    let _sentrace = sentrace::init(options)?;

    // Log lines start with trace and span. The filter of the log is independent.
    let log = fmt::layer().event_format(WithTraceId(fmt::format().compact())).with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(log).with(sentrace::tracing::layer()).init();

    let app = Router::new().route("/carts/{id}", get(cart)).layer(SentryTracingLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    for id in [7, 99] {
        reqwest::get(format!("{url}/carts/{id}")).await?;
    }
    nightly_report().await;

    collector.wait_for(|store| store.traces().len() == 3, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn cart(Path(id): Path<u64>) -> Result<&'static str, StatusCode> {
    info_span!("apply discounts", sentry.op = "task", tags.plan = "gold")
        .in_scope(|| info!("discounts are known"));

    // A spawned task stays part of the request if it is instrumented with the span.
    let mail = tokio::time::sleep(Duration::from_millis(2)).instrument(info_span!("send mail"));
    let mail = tokio::spawn(mail);

    pay(id, 12.5).await.map_err(|_| StatusCode::PAYMENT_REQUIRED)?;
    mail.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok("paid")
}

/// Arguments become data of the span. With `err`, a failure is an event at `ERROR`, which marks the
/// span as failed.
#[instrument(err)]
async fn pay(cart: u64, amount: f64) -> Result<(), String> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    if cart == 7 { Ok(()) } else { Err(format!("cart {cart} has no card")) }
}

#[instrument(fields(sentry.transaction = "nightly report", sentry.op = "cron"))]
async fn nightly_report() {
    info_span!("sum up").in_scope(|| info!("nothing was sold"));
}
