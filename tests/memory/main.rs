//! What a recorded request keeps alive. The only test of its process, since it counts the bytes of
//! the heap.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::alloc::System;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use sentrace::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace::{Client, Options, SentryTracingLayer};
use sentrace_tests::{Wire, serve_hyper};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tower::{Layer, service_fn};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const UPLOADS: usize = 300;
const UPLOAD: usize = 60 * 1024;

fn live_bytes() -> i64 {
    let stats = HEAP.stats();
    stats.bytes_allocated as i64 - stats.bytes_deallocated as i64
}

/// A deliverer that keeps every record.
#[derive(Debug, Default)]
struct Held(Mutex<Vec<FinishedTransaction>>);

impl Held {
    fn assert_whole(&self) {
        let records = self.0.lock().unwrap();
        let transaction = records.last().unwrap().transaction().unwrap();
        assert_eq!(transaction.request.as_ref().unwrap().method, "POST", "the records are whole");
    }
}

impl Deliver for Held {
    fn deliver(&self, finished: FinishedTransaction) {
        self.0.lock().unwrap().push(finished);
    }

    fn flush(&self, _: Duration) -> bool {
        true
    }
}

async fn upload_all(base: &str) {
    let body = "x".repeat(UPLOAD);
    for n in 0..UPLOADS {
        // Head and body in one write, so that they share hyper's buffer.
        let head = format!(
            "POST /upload/{n} HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {UPLOAD}\r\nConnection: close\r\n\
             sentry-trace: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1\r\n\
             baggage: sentry-release=a\r\nAccept: text/plain\r\nUser-Agent: wire/1\r\nX-Tenant: {n}\r\n"
        );
        let mut wire = Wire::connect(base).await;
        wire.send(format!("{head}\r\n{body}")).await;
        wire.read_past("taken").await;
    }
}

/// Returns the live bytes of the heap per upload after all connections have ended.
async fn bytes_kept_by(base: &str, done: impl Fn() -> bool) -> i64 {
    upload_all(base).await; // pools, buffers and tables grow to their size
    let before = live_bytes();
    upload_all(base).await;
    // Connections close shortly after their last byte.
    for _ in 0..1000 {
        let settled = live_bytes();
        tokio::time::sleep(Duration::from_millis(5)).await;
        if done() && live_bytes() == settled {
            break;
        }
    }
    (live_bytes() - before) / UPLOADS as i64
}

#[tokio::test]
async fn after_an_upload_nothing_of_hypers_buffer_stays_alive() {
    let held = Arc::new(Held::default());
    let deliver: Arc<dyn Deliver> = Arc::<Held>::clone(&held);
    let options = Options::new().traces_sample_rate(1.0);
    let client = Client::new(options, deliver, Arc::new(Losses::default())).unwrap();
    let upload = |request: Request<Incoming>| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), UPLOAD);
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"taken"))))
    };
    let base = serve_hyper(SentryTracingLayer::new().client(client).layer(service_fn(upload))).await;
    let kept = bytes_kept_by(&base, || held.0.lock().unwrap().len() == 2 * UPLOADS).await;
    held.assert_whole();
    assert!((1..4096).contains(&kept), "{kept} bytes are kept for each upload");

    // The same measurement detects a single kept header value, which must not happen.
    let kept_headers = Arc::new(Mutex::new(Vec::<HeaderMap>::new()));
    let keep = Arc::clone(&kept_headers);
    let upload = move |request: Request<Incoming>| {
        let keep = Arc::clone(&keep);
        async move {
            let (head, body) = request.into_parts();
            body.collect().await.unwrap();
            let value = head.headers["x-tenant"].clone();
            keep.lock().unwrap().push(HeaderMap::from_iter([(http::header::ACCEPT, value)]));
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"taken"))))
        }
    };
    let base = serve_hyper(service_fn(upload)).await;
    let kept = bytes_kept_by(&base, || kept_headers.lock().unwrap().len() == 2 * UPLOADS).await;
    assert!(kept > 4096, "a kept header value keeps {kept} bytes; the measure has lost its edge");
}
