//! Outgoing calls with hyper's client: the same as with reqwest, as a tower layer.
//!
//! `cargo run --example hyper_client` makes three calls in a transaction: one plain, one whose span
//! is named by a hook, and one that a hook excludes. It prints which parent each request arrived
//! with, and the trace. Then it sets the headers of a request without any layer.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;
use tower::{Service as _, ServiceBuilder};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let _sentrace = sentrace::init(
        // Without `tracing_origins`, trace headers are only sent to this machine, where the service
        // below runs.
        Options::new().dsn(collector.dsn("1")).release("caller@1.0.0").traces_sample_rate(1.0),
    )?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let service = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, Router::new().fallback(tell)).into_future());

    let hyper = legacy::Client::builder(TokioExecutor::new()).build_http();
    let layer = SentryClientLayer::new()
        .name(|call| call.uri().path().starts_with("/users/").then(|| "GET /users/{id}".to_owned()))
        .filter(|call| call.uri().path() != "/health");
    let mut http = ServiceBuilder::new().layer(layer).service(hyper.clone());

    let transaction = sentrace::start_transaction("ask around", "task");
    for path in ["/stock/7", "/users/7", "/health"] {
        let request = Request::get(format!("{service}{path}")).body(Empty::<Bytes>::new())?;
        // The span is a child of the current transaction and ends with the head of the response.
        let answer = transaction.scope(async { http.call(request).await }).await?;
        println!("{}", String::from_utf8_lossy(&answer.into_body().collect().await?.to_bytes()));
    }
    // Without the layer: headers, but no span. Returns `false` if the host is not in
    // `tracing_origins`.
    let mut request = Request::get(format!("{service}/by-hand")).body(Empty::new())?;
    assert!(transaction.enter(|| sentrace::inject(&mut request)));
    let answer = hyper.request(request).await?;
    println!("{}\n", String::from_utf8_lossy(&answer.into_body().collect().await?.to_bytes()));
    transaction.finish();

    collector.wait_for(|store| !store.traces().is_empty(), Duration::from_secs(5)).await;
    for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

/// Returns the trace headers of a request.
async fn tell(uri: Uri, headers: HeaderMap) -> String {
    let value = headers.get("sentry-trace").and_then(|value| value.to_str().ok()).unwrap_or("none");
    format!("{:<10}  sentry-trace  {value}", uri.path())
}
