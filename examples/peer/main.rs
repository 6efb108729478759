//! A service among services in other languages, which `tests/peers` runs with Node, Python and a
//! browser.
//!
//! A test drives it, and it shows in one place all the code that such a service needs.
//!
//! | what | where |
//! |---|---|
//! | an incoming call that is forwarded, with the trace | `relay.rs` |
//! | pages that a browser continues the trace of: `<meta>` tags, `Server-Timing` | `pages.rs` |
//! | jobs in Redis, to and from Celery | `jobs.rs` |
//!
//! ```sh
//! SENTRY_DSN=http://public@127.0.0.1:8969/1 SENTRY_TRACES_SAMPLE_RATE=1 cargo run --example peer
//! ```
//!
//! In addition to Sentry's variables, it reads `PEER_NAME`, `PEER_LIFECYCLE` (`static` or
//! `stream`), `PEER_ORIGINS` (hosts that may get trace headers), `PEER_PAGES` (an origin whose
//! pages may call), `PEER_CORS` (`plain` leaves [`SentryCorsLayer`] out), `PEER_SCRIPT` (the file
//! that pages load), and `PEER_REDIS` (`host:port`). It prints its address, and ends when its
//! standard input does.

mod jobs;
mod pages;
mod redis;
mod relay;

use std::env;

use axum::Router;
use axum::http::{HeaderValue, Method};
use sentrace::TraceLifecycle;
use sentrace::prelude::*;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;

/// Any error is printed and ends the demonstration.
type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let lifecycle = match var("PEER_LIFECYCLE").as_deref() {
        Some("stream") => TraceLifecycle::Stream,
        _ => TraceLifecycle::Static,
    };
    let origins = var("PEER_ORIGINS").unwrap_or_else(|| "127.0.0.1".to_owned());
    let _sentrace = sentrace::init(
        Options::from_env()
            .trace_lifecycle(lifecycle)
            .tracing_origins(origins.split(',').filter(|host| !host.is_empty()).map(Origin::host)),
    )?;

    let queue = var("PEER_REDIS").map(jobs::Queue::at);
    let name = var("PEER_NAME").unwrap_or_else(|| "rust".to_owned());
    let mut app = relay::router(name)?
        .merge(pages::router(var("PEER_SCRIPT")).await?)
        .merge(queue.clone().map_or_else(Router::new, jobs::router));
    if let Some(origin) = var("PEER_PAGES") {
        app = app.layer(
            CorsLayer::new().allow_origin(HeaderValue::try_from(origin)?).allow_methods([Method::GET]),
        );
        if var("PEER_CORS").as_deref() != Some("plain") {
            app = app.layer(SentryCorsLayer::new());
        }
    }

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let worker = tokio::spawn(async move {
        if let Some(queue) = queue {
            queue.work().await;
        }
    });
    axum::serve(listener, app).with_graceful_shutdown(end_of_input()).await?;
    worker.abort();
    Ok(())
}

/// Waits until standard input is closed, which happens even if the parent process is killed.
async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while input.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
}

fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
