//! Server-sent events: transactions that last as long as the stream, or not.
//!
//! `cargo run --example sse` reads a stream of three prices twice. By default the transaction lasts
//! as long as the stream, and the work for an event is a span of it. This is right for streams of
//! seconds, such as generated answers. For streams of hours, the transaction ends with the head of
//! the response, and the work for an event is a separate transaction in the same trace. It prints
//! both traces.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::{Router, routing::get};
use futures_util::stream::{self, Stream, StreamExt as _};
use sentrace::LongLived;
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let _sentrace = sentrace::init(
        Options::new().dsn(collector.dsn("1")).release("prices@1.0.0").traces_sample_rate(1.0),
    )?;

    let at_head = SentryTracingLayer::new().event_streams(LongLived::EndAtHead);
    let app = Router::new()
        .route("/prices/now", get(prices_now).layer(SentryTracingLayer::new()))
        .route("/prices/forever", get(prices_forever).layer(at_head));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, app).into_future());

    for path in ["/prices/now", "/prices/forever"] {
        let events = reqwest::get(format!("http://{address}{path}")).await?.text().await?;
        println!("{path}: {:?}", events.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>());
    }

    let complete = |store: &sentrace_collector::Store| {
        store.traces().iter().map(|trace| trace.transactions).sum::<usize>() == 5
    };
    collector.wait_for(complete, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("\n{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn prices_now() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // The request is current while its body is produced.
    Sse::new(
        stream::iter(1..=3).then(|number| sentrace::in_span("task", "look at the market", price(number))),
    )
}

async fn prices_forever() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::iter(1..=3).then(async |number| {
        let transaction = sentrace::start_transaction("look at the market", "task");
        transaction.scope(price(number)).await
    }))
}

async fn price(number: u32) -> Result<Event, Infallible> {
    tokio::time::sleep(Duration::from_millis(10)).await;
    Ok(Event::default().data(format!("{}.50", 10 + number)))
}
