//! How the cost of sentrace's layer grows with spans, headers, baggage, concurrency and time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use sentrace::SentryTracingLayer;
use serde::{Deserialize, Serialize};
use tower_layer::layer_fn;
use tower_service::Service as _;

use crate::http::server::{Nothing, Server, router, user};
use crate::http::sink::{Dropping, HandedOver, NOWHERE, options};
use crate::process;
use crate::request::{Baggage, RequestHead};
use crate::timing::time::median;
use crate::variant::Subject as _;
use crate::variants::Noop;

/// The points of a curve.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Curve {
    /// The name.
    pub name: String,
    /// The amount and its cost.
    pub points: Vec<(f64, f64)>,
}

/// All curves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Growth {
    /// Spans of a request; nanoseconds over a layer that does nothing.
    pub spans: Vec<Curve>,
    /// Header fields of a request; nanoseconds over a layer that does nothing.
    pub headers: Vec<Curve>,
    /// Bytes of baggage; nanoseconds over a layer that does nothing.
    pub baggage: Vec<Curve>,
    /// Concurrent requests on two processors; requests per second.
    pub concurrency: Vec<Curve>,
    /// Transactions so far; MiB of memory.
    pub memory: Vec<Curve>,
}

/// Measures all curves.
pub fn measure() -> Growth {
    Growth {
        memory: vec![Curve { name: "handed over to the worker".to_owned(), points: memory() }],
        spans: vec![
            Curve { name: "side by side".to_owned(), points: spans(side_by_side) },
            Curve { name: "each below the one before".to_owned(), points: spans(nested) },
        ],
        headers: vec![Curve { name: "fields".to_owned(), points: headers() }],
        baggage: vec![
            Curve { name: "of other vendors".to_owned(), points: baggage("vendor") },
            Curve { name: "of Sentry".to_owned(), points: baggage("sentry-member") },
        ],
        concurrency: vec![
            Curve {
                name: "a layer that does nothing".to_owned(),
                points: concurrency(layered_noop(router(user))),
            },
            Curve {
                name: "sentrace, sampled and dropped".to_owned(),
                points: concurrency(layered(router(user))),
            },
        ],
    }
}

fn layered(router: Router) -> Router {
    Dropping::client(options(NOWHERE));
    router.layer(SentryTracingLayer::new())
}

fn layered_noop(router: Router) -> Router {
    router.layer(layer_fn(Noop))
}

/// Returns the cost of sentrace's layer over one that does nothing, in alternating batches.
fn over_noop(handler: Router, request: &RequestHead, calls: u32) -> f64 {
    let mut ours = Server::new(layered(handler.clone()), request.clone(), Nothing);
    let mut noop = Server::new(layered_noop(handler), request.clone(), Nothing);
    let mut differences = Vec::new();
    let batches = 60;
    let batch = (calls / batches).max(2);
    for number in 0..batches {
        let (first, second) = (took(&mut ours, batch), took(&mut noop, batch));
        // The first batches are warm-up.
        if number >= 10 {
            differences.push(first - second);
        }
    }
    median(&mut differences)
}

fn took(server: &mut Server, calls: u32) -> f64 {
    let start = Instant::now();
    server.run(calls);
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}

fn spans(open: fn(u32)) -> Vec<(f64, f64)> {
    let request = RequestHead::new(Baggage::Mixed, true);
    let point = |count: u32| {
        let handler = router(async move |path: Path<u64>| {
            open(count);
            user(path).await
        });
        // With the layer that does nothing, no span is current, so none is recorded.
        (f64::from(count), over_noop(handler, &request, 20_000 / count))
    };
    [1, 10, 100, 1_000].into_iter().map(point).collect()
}

fn side_by_side(count: u32) {
    for _ in 0..count {
        sentrace::start_span("db.query", crate::payload::DESCRIPTION).finish();
    }
}

fn nested(count: u32) {
    let mut open = vec![sentrace::start_span("db.query", crate::payload::DESCRIPTION)];
    while open.len() < count as usize {
        if let Some(parent) = open.last() {
            let child = parent.start_span("db.query", crate::payload::DESCRIPTION);
            open.push(child);
        }
    }
    while let Some(span) = open.pop() {
        span.finish();
    }
}

fn headers() -> Vec<(f64, f64)> {
    let point = |count: usize| {
        let names: Vec<&'static str> =
            (0..count).map(|number| &*Box::leak(format!("x-header-{number}").into_boxed_str())).collect();
        let request = RequestHead::with_fields(names.into_iter().map(|name| (name, "0123456789abcdef")));
        (count as f64, over_noop(router(user), &request, 20_000))
    };
    [10, 25, 50, 64, 100, 200].into_iter().map(point).collect()
}

fn baggage(key: &str) -> Vec<(f64, f64)> {
    let point = |bytes: usize| {
        let members =
            (0..).map(|number| format!("{key}{number}=0123456789abcdef0123456789abcdef0123456789abcdef"));
        let mut value = format!("sentry-trace_id={}", crate::request::TRACE_ID);
        for member in members {
            if value.len() + member.len() + 1 > bytes {
                break;
            }
            value.push(',');
            value.push_str(&member);
        }
        let sentry_trace = format!("{}-{}-1", crate::request::TRACE_ID, crate::request::PARENT_SPAN_ID);
        let fields = [("sentry-trace", sentry_trace.as_str()), ("baggage", value.as_str())];
        (value.len() as f64, over_noop(router(user), &RequestHead::with_fields(fields), 20_000))
    };
    [256, 512, 1_024, 2_048, 4_096, 8_192].into_iter().map(point).collect()
}

/// Runs a task per concurrent request, which yields after each request.
fn concurrency(router: Router) -> Vec<(f64, f64)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("two threads");
    let request = Arc::new(RequestHead::new(Baggage::Mixed, true));
    let point = |tasks: u32| {
        let each = 60_000 / tasks;
        let mut rates: Vec<f64> = (0..5)
            .map(|_| {
                let start = Instant::now();
                runtime.block_on(async {
                    let tasks: Vec<_> = (0..tasks)
                        .map(|_| {
                            let (mut router, request) = (router.clone(), Arc::clone(&request));
                            tokio::spawn(async move {
                                for _ in 0..each {
                                    let answer = router.call(request.fresh()).await;
                                    drop(answer);
                                    tokio::task::yield_now().await;
                                }
                            })
                        })
                        .collect();
                    for task in tasks {
                        task.await.expect("no handler panics");
                    }
                });
                f64::from(each * tasks) / start.elapsed().as_secs_f64()
            })
            .collect();
        (f64::from(tasks), median(&mut rates))
    };
    [1, 2, 4, 8, 16, 32, 64].into_iter().map(point).collect()
}

/// Records a million transactions as fast as the worker processes them.
fn memory() -> Vec<(f64, f64)> {
    const BATCH: u32 = 2_000;
    const BATCHES: u32 = 500;
    let request = RequestHead::new(Baggage::Mixed, true);
    let router = router(user).layer(SentryTracingLayer::new());
    let worker = HandedOver::start(|_| Server::new(router.clone(), request.clone(), Nothing).run(1));
    let mut server = Server::new(router, request, Nothing);
    let (mut points, mut expected) = (Vec::new(), worker.recycled());
    for batch in 0..=BATCHES {
        if batch % 25 == 0 {
            points.push((f64::from(batch * BATCH), process::memory().0 as f64 / f64::from(1 << 20)));
        }
        server.run(BATCH);
        expected += u64::from(BATCH);
        let start = Instant::now();
        while worker.recycled() < expected {
            assert!(start.elapsed() < Duration::from_secs(10), "the worker takes everything");
            std::thread::sleep(Duration::from_micros(500));
        }
    }
    points
}
