//! The body that the layer puts around the service's own is as good as that one.

use std::convert::Infallible;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use sentrace_protocol::SpanStatus;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Always, Script, Server, Step, get, layer, number, only};

#[tokio::test]
async fn length_and_end_are_passed_on() {
    let (layer, _) = layer();
    let response = layer.layer(Always::ok()).oneshot(get("/x")).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(body.size_hint().exact(), Some(5));
    assert!(!body.is_end_stream());
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());

    let mut hint = SizeHint::new();
    hint.set_lower(2);
    hint.set_upper(9);
    let service =
        service_fn(|_| async move { Ok::<_, Infallible>(Response::new(Script::new([]).size_hint(hint))) });
    let response = layer.layer(service).oneshot(get("/x")).await.unwrap();
    let hint = response.into_body().size_hint();
    assert_eq!((hint.lower(), hint.upper()), (2, Some(9)));
}

#[tokio::test]
async fn trailers_are_passed_on_and_end_the_transaction() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        let response = Response::builder().header("trailer", "x-checksum");
        Ok::<_, Infallible>(response.body(Script::new([Step::Data("one"), Step::Trailers])).unwrap())
    });
    let server = Server::start(layer.layer(service)).await;
    let answer = server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\nTE: trailers\r\n").await;
    assert!(answer.contains("x-checksum: 7"), "{answer:?}");
    server.idle().await;
    assert_eq!(only(capture.take()).transaction.trace.status, Some(SpanStatus::Ok));
}

#[tokio::test]
async fn trailers_are_the_end_though_nobody_asks_what_follows() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Script::new([Step::Data("one"), Step::Trailers])))
    });
    let mut body = layer.layer(service).oneshot(get("/x")).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok_and(|frame| frame.is_data()));
    assert!(body.frame().await.unwrap().is_ok_and(|frame| frame.is_trailers()));
    drop(body);
    assert_eq!(only(capture.take()).transaction.trace.status, Some(SpanStatus::Ok));
}

#[tokio::test]
async fn a_body_with_a_known_length_is_over_with_its_last_byte() {
    let rows = [
        (Some("6"), None, SpanStatus::Ok, "Content-Length says when"),
        (None, Some(6), SpanStatus::Ok, "the size hint says when, of which hyper makes a Content-Length"),
        (Some("7"), None, SpanStatus::Cancelled, "a byte is missing"),
        (Some("none"), None, SpanStatus::Cancelled, "nobody knows whether there was more"),
    ];
    for (content_length, size_hint, status, reason) in rows {
        let (layer, capture) = layer();
        let service = service_fn(|_| async move {
            let mut response = Response::new(Script::new([Step::Data("one"), Step::Data("two")]));
            if let Some(length) = content_length {
                response.headers_mut().insert("content-length", http::HeaderValue::from_static(length));
            }
            Ok::<_, Infallible>(match size_hint {
                Some(bytes) => response.map(|body| body.size_hint(SizeHint::with_exact(bytes))),
                None => response,
            })
        });
        let mut body = layer.layer(service).oneshot(get("/x")).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        assert_eq!(capture.take().len(), 0, "not before the last byte: {reason}");
        body.frame().await.unwrap().unwrap();
        drop(body); // hyper does not ask whether there is more
        let captured = only(capture.take());
        assert_eq!(captured.transaction.trace.status, Some(status), "{reason}");
        assert_eq!(number(&captured, "http.response.body.size"), Some(6), "{reason}");
    }
}

#[tokio::test]
async fn frames_after_an_error_are_passed_on() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Script::new([Step::Fail, Step::Data("still there")])))
    });
    let mut body = layer.layer(service).oneshot(get("/x")).await.unwrap().into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap_err().to_string(),
        "the disk is gone",
        "the error is the body's own"
    );
    assert_eq!(only(capture.take()).transaction.trace.status, Some(SpanStatus::InternalError));
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "still there");
    assert!(body.frame().await.is_none());
    assert_eq!(capture.take().len(), 0, "it has ended already");
}

/// What frameworks ask of services and bodies, checked by compiling.
#[test]
fn services_and_bodies_fit_where_frameworks_want_them() {
    fn service<S: Clone + Send + Sync + 'static>(_: &S) {}
    fn hyper_body<B: Body<Data = Bytes> + Send + 'static>(_: &B)
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
    }
    fn unpin<B: Unpin>(_: &B) {}

    let (layer, _) = layer();
    service(&layer.layer(Always::ok()));
    service(&layer.layer(layer.layer(axum::Router::<()>::new())));
    let _: axum::Router =
        axum::Router::new().route("/", axum::routing::get(|| async {})).layer(layer.clone());

    // A body that is not `Sync`, and one boxed as tonic boxes its own.
    let script = |_| async { Ok::<_, Infallible>(Response::new(Script::new([]))) };
    service(&layer.layer(service_fn(script)));
    drop(async {
        let response = layer.layer(service_fn(script)).oneshot(get("/x")).await.unwrap();
        hyper_body(response.body());
        unpin(response.body());
        let boxed: http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error> =
            response.into_body().boxed_unsync();
        drop(boxed);
    });

    // Errors of any kind stay what they are, a boxed one included.
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    let failing = service_fn(|_| async { Err::<Response<Full<Bytes>>, Boxed>("no".into()) });
    drop(async {
        let failed: Boxed = layer.layer(failing).oneshot(get("/x")).await.unwrap_err();
        drop(failed);
        let _: Frame<Bytes> = Frame::data(Bytes::new());
    });
}
