//! A service on plain hyper: the layer around a tower service.
//!
//! `cargo run --example hyper` starts the service, calls it with the trace headers of another
//! service, and prints the trace: it has that caller's id, and its parent is marked as an orphan
//! because the caller does not report here.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    // With a rate of 0, traces that start here are not recorded. An incoming decision takes
    // precedence.
    let options = Options::new().dsn(collector.dsn("1")).release("inventory@1.0.0").traces_sample_rate(0.0);
    let _sentrace = sentrace::init(options)?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/stock/7", listener.local_addr()?);
    tokio::spawn(serve(listener));

    let http = reqwest::Client::new();
    http.get(&url).send().await?; // begins a trace, which is not recorded
    let caller = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"; // trace, span, and yes: it is recorded
    http.get(&url).header("sentry-trace", caller).send().await?;

    collector.wait_for(|store| !store.traces().is_empty(), Duration::from_secs(5)).await;
    for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn serve(listener: TcpListener) {
    let service = ServiceBuilder::new().layer(SentryTracingLayer::new()).service(service_fn(stock));
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            // An error here means that the client disconnected; its transaction is `cancelled`.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn stock(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let walk = tokio::time::sleep(Duration::from_millis(5));
    sentrace::in_span("task", "count the shelf", walk).await;
    Ok(Response::new(Full::from("12")))
}
