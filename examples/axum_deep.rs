//! An axum service with the layer around the router, behind a proxy.
//!
//! `cargo run --example axum_deep` asks the service for a user, a missing one, a file and a page
//! that does not exist, as a proxy on this machine would. The transactions are named after routes
//! although the layer runs before routing, and those without a route share one name. It prints each
//! with client, queue time and error.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use sentrace::prelude::*;
use sentrace::{CurrentTransaction, DataCollection, HandlerError, SentryRouteLayer, TrustedProxies};
use sentrace_collector::Collector;
use tokio::net::TcpListener;
use tower::Layer as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let _sentrace = sentrace::init(
        Options::new().dsn(collector.dsn("1")).release("users@1.0.0").traces_sample_rate(1.0),
    )?;

    let files = SentryRouteLayer::named("/files/{*path}").layer(get(async || "a file"));
    let app = Router::new()
        .route("/users/{id}", get(user))
        .nest_service("/files", files) // no route that axum would tell
        .route_layer(SentryRouteLayer::new()); // tells the others
    // Around the router, like layers that rewrite URIs before routing.
    let traced = SentryTracingLayer::new()
        .late_route(true)
        .trusted_proxies(TrustedProxies::new(["127.0.0.0/8"])?)
        .data_collection(DataCollection::new().user_info(true)) // addresses name people: only where asked for
        .layer(app);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    // axum serves routers, so this one passes everything on.
    let service = Router::new().fallback_service(traced);
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, service).into_future());

    let http = reqwest::Client::new();
    for path in ["/users/7", "/users/99", "/files/terms.pdf", "/wp-login.php"] {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let request = http.get(format!("{url}{path}")).header("x-forwarded-for", "203.0.113.7");
        request.header("x-request-start", format!("t={:.6}", now.as_secs_f64())).send().await?;
    }

    collector.wait_for(|store| store.traces().len() == 4, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        for transaction in &trace.transactions {
            println!("{} ({})", transaction.name, transaction.status.as_deref().unwrap_or("no status"));
            for key in [
                "url.path",
                "client.address",
                "http.server.request.time_in_queue",
                "user.plan",
                "error.message",
            ] {
                if let Some(value) = transaction.data.get(key) {
                    println!("    {key}: {value}");
                }
            }
        }
    }
    Ok(())
}

async fn user(transaction: CurrentTransaction, Path(id): Path<u64>) -> Result<&'static str, NoSuchUser> {
    transaction.set_data("user.plan", "gold");
    if id == 7 { Ok("Ada") } else { Err(NoSuchUser(id)) }
}

#[derive(Debug)]
struct NoSuchUser(u64);

impl fmt::Display for NoSuchUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {} is not in the directory", self.0)
    }
}

impl Error for NoSuchUser {}

impl IntoResponse for NoSuchUser {
    fn into_response(self) -> Response {
        // Sentry receives the reason, and the client only a general message.
        (StatusCode::NOT_FOUND, HandlerError::new(self), "no such user").into_response()
    }
}
