//! How requests end, as received by the ingest.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use sentrace_tests::{Assembled, Ingest, Wire, duration_ms, get as ask, serve};
use tokio::sync::mpsc;
use tower_http::catch_panic::CatchPanicLayer;

const PAUSE: Duration = Duration::from_millis(60);

type Frames = mpsc::Sender<Result<Frame<Bytes>, std::io::Error>>;

/// A body whose frames come from `send`, which runs on a separate task.
fn stream<F: Future<Output = ()> + Send + 'static>(send: impl FnOnce(Frames) -> F) -> Response {
    let (frames, mut received) = mpsc::channel(1);
    tokio::spawn(send(frames));
    let body =
        http_body_util::BodyExt::boxed_unsync(StreamBody::new(futures_util::stream::poll_fn(move |cx| {
            received.poll_recv(cx)
        })));
    Response::new(Body::new(body))
}

fn text(text: &'static str) -> Result<Frame<Bytes>, std::io::Error> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

async fn slow_stream() -> Response {
    stream(|frames| async move {
        frames.send(text("one")).await.unwrap();
        tokio::time::sleep(PAUSE).await;
        frames.send(text("two")).await.unwrap();
    })
}

async fn endless_stream() -> Response {
    stream(|frames| async move {
        let _ = frames.send(text("one")).await;
        frames.closed().await;
    })
}

async fn broken_stream() -> Response {
    stream(|frames| async move {
        frames.send(text("one")).await.unwrap();
        tokio::time::sleep(PAUSE).await;
        let _ = frames.send(Err(std::io::Error::other("the disk is gone"))).await;
    })
}

async fn panics() {
    tokio::time::sleep(PAUSE).await;
    panic!("a bug of the handler")
}

async fn served(ingest: &Ingest) -> String {
    let shop = ingest.project("shop");
    let app = Router::new()
        .route("/slow", get(slow_stream))
        .route("/endless", get(endless_stream))
        .route("/broken", get(broken_stream))
        .route("/hangs", get(async || std::future::pending::<()>().await))
        .route("/panics", get(panics))
        .layer(shop.layer())
        .layer(CatchPanicLayer::new());
    serve(app).await
}

/// Returns the status, the duration and the time to the first byte, in milliseconds.
fn told(trace: &Assembled, name: &str) -> (String, f64, Option<f64>) {
    let transaction = trace.transaction_named(name);
    let first_byte = transaction.data.get("http.request.time_to_first_byte");
    let first_byte = first_byte.map(|seconds| seconds.as_f64().unwrap() * 1000.0);
    (transaction.status.clone().unwrap(), (transaction.end - transaction.start) * 1000.0, first_byte)
}

#[tokio::test]
async fn a_stream_lasts_until_its_last_byte() {
    let ingest = Ingest::start();
    let base = served(&ingest).await;
    let answer = ask(format!("{base}/slow")).await;
    assert_eq!(answer.text().await.unwrap(), "onetwo");
    let (status, duration, first_byte) = told(&ingest.trace(1).await, "GET /slow");
    assert_eq!(status, "ok");
    assert!(duration >= duration_ms(PAUSE), "{duration} ms");
    assert!(first_byte.unwrap() + duration_ms(PAUSE) <= duration + 1.0, "{first_byte:?} of {duration} ms");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels() {
    let ingest = Ingest::start();
    let base = served(&ingest).await;
    let mut wire = Wire::connect(&base).await;
    wire.send("GET /hangs HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    // There is no response to wait for, only time.
    tokio::time::sleep(PAUSE).await;
    drop(wire);
    let (status, duration, first_byte) = told(&ingest.trace(1).await, "GET /hangs");
    assert_eq!((&*status, first_byte), ("cancelled", None));
    assert!(duration > 0.0, "{duration} ms");
}

#[tokio::test]
async fn a_client_that_leaves_during_the_answer_cancels() {
    let ingest = Ingest::start();
    let base = served(&ingest).await;
    let mut wire = Wire::connect(&base).await;
    wire.send("GET /endless HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    wire.read_past("one").await;
    tokio::time::sleep(PAUSE).await;
    drop(wire);
    let (status, duration, first_byte) = told(&ingest.trace(1).await, "GET /endless");
    assert_eq!(status, "cancelled");
    assert!(duration >= duration_ms(PAUSE), "{duration} ms");
    assert!(first_byte.unwrap() < duration, "{first_byte:?} of {duration} ms");
}

#[tokio::test]
async fn a_broken_body_is_an_internal_error() {
    let ingest = Ingest::start();
    let base = served(&ingest).await;
    let answer = ask(format!("{base}/broken")).await;
    assert!(answer.text().await.is_err(), "the client sees it break");
    let trace = ingest.trace(1).await;
    let (status, duration, _) = told(&trace, "GET /broken");
    assert_eq!(status, "internal_error");
    assert!(duration >= duration_ms(PAUSE), "{duration} ms");
    assert_eq!(trace.transaction_named("GET /broken").response.as_ref().unwrap()["status_code"], 200);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_though_a_layer_outside_catches_it() {
    let ingest = Ingest::start();
    let base = served(&ingest).await;
    assert_eq!(ask(format!("{base}/panics")).await.status(), 500);
    let (status, duration, _) = told(&ingest.trace(1).await, "GET /panics");
    assert_eq!(status, "internal_error");
    assert!(duration >= duration_ms(PAUSE), "{duration} ms");
}
