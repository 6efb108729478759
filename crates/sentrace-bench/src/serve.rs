//! Servers on real sockets, for load tests: a variant's router, and a collector for what is
//! delivered.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use sentrace::{SamplingContext, SentryTracingLayer};
use tokio::net::TcpListener;

use crate::http::server::{router, runtime, user};
use crate::http::sink::options;
use crate::request::Baggage;
use crate::variants;

/// Prints its address and serves until the process ends.
///
/// # Errors
/// Returns an error if there is no such variant, or it is not a server.
pub fn variant(name: &str, collector: &str) -> Result<(), String> {
    let router = match name {
        "sentrace-delivers-1000" => delivering(collector, Some(1_000.0)),
        "sentrace-delivers-all" => delivering(collector, None),
        #[cfg(feature = "peers")]
        "sentry-tower-delivers-all" => variants::sentry_delivering(collector),
        name => {
            let subject = (variants::named(name)?.build)(Baggage::Mixed);
            let router = subject.router().ok_or_else(|| format!("{name} is not a server"))?;
            // The subject owns the worker.
            std::mem::forget(subject);
            router
        }
    };
    run(router);
    Ok(())
}

/// Returns a router that samples all requests, or at most `rate` per second, and delivers them.
fn delivering(collector: &str, rate: Option<f64>) -> Router {
    let mut options = options(collector);
    if let Some(rate) = rate {
        options = options.traces_sampler(at_most(rate));
    }
    let guard = sentrace::init(options).expect("the worker starts");
    std::mem::forget(guard);
    router(user).layer(SentryTracingLayer::new())
}

/// Returns a sampler for at most this many requests per second, regardless of the caller's
/// decision.
fn at_most(rate: f64) -> impl Fn(&SamplingContext<'_>) -> f64 + Send + Sync + 'static {
    let (start, sampled) = (Instant::now(), AtomicU64::new(0));
    move |_| {
        let due = (start.elapsed().as_secs_f64() * rate) as u64;
        if sampled.load(Ordering::Relaxed) >= due {
            return 0.0;
        }
        sampled.fetch_add(1, Ordering::Relaxed);
        1.0
    }
}

/// Serves a collector that accepts every envelope at once. `GET /count` returns their number.
pub fn collector() {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let take = async move |body: Bytes| {
        drop(body);
        count.fetch_add(1, Ordering::Relaxed);
    };
    let router = Router::new()
        .route("/api/{project}/envelope/", post(take))
        .route("/count", get(async move || counted.load(Ordering::Relaxed).to_string()))
        .layer(DefaultBodyLimit::disable());
    run(router);
}

fn run(router: Router) {
    runtime().block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has free ports");
        println!("{}", listener.local_addr().expect("a bound socket has an address"));
        axum::serve(listener, router).await.expect("it is ended from outside");
    });
}
