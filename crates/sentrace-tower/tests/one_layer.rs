//! The layer where it is the only one of its process, applied twice. One test, as layers are counted for the whole process.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options};
use sentrace_tower::SentryTracingLayer;
use tower::{Layer, Service, ServiceExt, service_fn};

const INCOMING: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

fn request(path: &str, sentry_trace: Option<&str>) -> Request<String> {
    let mut request = Request::builder().uri(path);
    if let Some(sentry_trace) = sentry_trace {
        request = request.header("sentry-trace", sentry_trace);
    }
    request.body(String::new()).unwrap()
}

fn answer() -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

fn names(capture: &Arc<Capture>) -> Vec<String> {
    capture.take().into_iter().map(|captured| captured.transaction.name.into_owned()).collect()
}

#[tokio::test]
async fn clones_of_one_layer_open_one_transaction() {
    let options = Options::new().traces_sample_rate(1.0);
    let (client, capture): (Client, _) = Capture::client(options).unwrap();
    let layer = SentryTracingLayer::new().client(client);
    let handler = service_fn(async |_: Request<String>| answer());

    let twice = layer.layer(layer.layer(handler));
    for sentry_trace in [Some(INCOMING), None] {
        twice.clone().oneshot(request("/x", sentry_trace)).await.map(drop).unwrap();
        assert_eq!(names(&capture), ["GET /x"], "going on from {sentry_trace:?}");
    }

    let inner = layer.layer(handler);
    let between = service_fn(move |request: Request<String>| {
        let mut inner = inner.clone();
        async move { tokio::spawn(async move { inner.call(request).await }).await.unwrap() }
    });
    layer.layer(between).oneshot(request("/x", None)).await.map(drop).unwrap();
    assert_eq!(names(&capture), ["GET /x"], "with a task between them, in a trace that begins there");

    let behind = layer.layer(handler);
    let gateway = service_fn(move |_: Request<String>| {
        let behind = behind.clone();
        async move {
            behind.oneshot(request("/behind", None)).await.map(drop).unwrap();
            answer()
        }
    });
    layer.layer(gateway).oneshot(request("/front", Some(INCOMING))).await.map(drop).unwrap();
    assert_eq!(
        names(&capture),
        ["GET /behind", "GET /front"],
        "a request that the handler makes anew is another one"
    );
}
