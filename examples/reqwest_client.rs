//! Which hosts receive the trace headers of outgoing calls.
//!
//! `cargo run --example reqwest_client` calls a host that is among the `tracing_origins`, one that
//! is not, and the first one again for a redirect to the second. It prints which trace headers each
//! request arrived with, and the trace: one `http.client` span for each call.

use std::error::Error;
use std::time::Duration;

use axum::http::{HeaderMap, Uri};
use axum::response::Redirect;
use axum::{Router, routing::get};
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let _sentrace = sentrace::init(
        Options::new()
            .dsn(collector.dsn("1"))
            .release("caller@1.0.0")
            .traces_sample_rate(1.0)
            // This host and its subdomains, on any port. Without a list, only this machine.
            .tracing_origins([Origin::host("ours.example")]),
    )?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let elsewhere = format!("http://theirs.example:{}/moved-here", addr.port());
    let app = Router::new()
        .route(
            "/moved",
            get(async move |uri: Uri, headers: HeaderMap| {
                tell(uri, headers).await;
                Redirect::temporary(&elsewhere)
            }),
        )
        .fallback(tell);
    tokio::spawn(axum::serve(listener, app).into_future());

    // Both names resolve to the server above. The builder is reqwest's own, with any settings.
    let builder = reqwest::Client::builder().no_proxy();
    let builder = builder.resolve("ours.example", addr).resolve("theirs.example", addr);
    // The middleware, and redirects that cannot carry the headers to other hosts.
    let http = sentrace::reqwest::client(builder)?.build();

    let transaction = sentrace::start_transaction("ask around", "task");
    for (host, path) in [("ours.example", "/"), ("theirs.example", "/"), ("ours.example", "/moved")] {
        let call = http.get(format!("http://{host}:{}{path}", addr.port())).send();
        transaction.scope(call).await?; // below the transaction, because that is current
    }
    transaction.finish();

    collector.wait_for(|store| !store.traces().is_empty(), Duration::from_secs(5)).await;
    for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

/// Prints the trace headers of a request.
async fn tell(uri: Uri, headers: HeaderMap) {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
    println!("{}{uri}\n    sentry-trace  {}", value("host"), value("sentry-trace"));
    println!("    baggage       {:.80}\n", value("baggage")); // the beginning of it
}
