//! However a request ends over real hyper, it ends one transaction, with the right status and duration.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use sentrace_protocol::{SpanStatus, Value};
use tokio::sync::mpsc;
use tower::{Layer, service_fn};

use crate::support::{
    Always, Script, Server, SetsDataOnDrop, Step, duration, in_time, layer, number, only, time_to_first_byte,
};

const PAUSE: Duration = Duration::from_millis(40);

#[tokio::test]
async fn answers_end_with_their_last_byte_also_where_hyper_asks_no_more() {
    let rows = [
        ("GET", StatusCode::OK, "hello", SpanStatus::Ok, Some(5), "a body with Content-Length"),
        ("GET", StatusCode::OK, "", SpanStatus::Ok, None, "an empty body"),
        ("HEAD", StatusCode::OK, "hello", SpanStatus::Ok, None, "HEAD sends no body"),
        ("GET", StatusCode::NO_CONTENT, "", SpanStatus::Ok, None, "204 has no body"),
        ("GET", StatusCode::NOT_MODIFIED, "hello", SpanStatus::Ok, None, "304 has no body"),
        ("GET", StatusCode::NOT_FOUND, "none", SpanStatus::NotFound, Some(4), "the status goes by the code"),
        ("GET", StatusCode::CONFLICT, "no", SpanStatus::AlreadyExists, Some(2), "409"),
        ("GET", StatusCode::SERVICE_UNAVAILABLE, "later", SpanStatus::Unavailable, Some(5), "503"),
        ("GET", StatusCode::GATEWAY_TIMEOUT, "late", SpanStatus::DeadlineExceeded, Some(4), "504"),
    ];
    for (method, code, body, status, sent, reason) in rows {
        let (layer, capture) = layer();
        let server = Server::start(layer.layer(Always(code, body))).await;
        let answer = server.ask(&format!("{method} /x HTTP/1.1\r\nHost: shop.test\r\n")).await;
        assert_eq!(answer.status(), code.as_u16(), "{reason}");
        server.idle().await;
        let captured = only(capture.take());
        assert_eq!(captured.transaction.trace.status, Some(status), "{reason}");
        assert_eq!(
            captured.transaction.response.map(|response| response.status_code),
            Some(code.as_u16()),
            "{reason}"
        );
        assert_eq!(number(&captured, "http.response.status_code"), Some(code.as_u16().into()), "{reason}");
        assert_eq!(number(&captured, "http.response.body.size"), sent, "{reason}");
    }
}

#[tokio::test]
async fn bodies_that_hyper_drops_without_a_last_poll_are_complete() {
    let rows = [
        ("GET", StatusCode::OK, Some("5"), "as many bytes went as Content-Length said"),
        ("HEAD", StatusCode::OK, Some("5"), "HEAD sends no body"),
        ("HEAD", StatusCode::OK, None, "HEAD sends no body, however long"),
        ("GET", StatusCode::NO_CONTENT, None, "204 has no body"),
        ("GET", StatusCode::NOT_MODIFIED, None, "304 has no body"),
    ];
    for (method, code, content_length, reason) in rows {
        let (layer, capture) = layer();
        let service = service_fn(move |_| async move {
            // A body that does not know its end: asked once more, it would hang.
            let mut response = Response::new(Script::new([Step::Data("hello"), Step::Hang]));
            *response.status_mut() = code;
            if let Some(length) = content_length {
                response.headers_mut().insert("content-length", http::HeaderValue::from_static(length));
            }
            Ok::<_, Infallible>(response)
        });
        let server = Server::start(layer.layer(service)).await;
        let answer = server.ask(&format!("{method} /x HTTP/1.1\r\nHost: shop.test\r\n")).await;
        assert_eq!(answer.status(), code.as_u16(), "{reason}");
        server.idle().await;
        assert_eq!(
            only(capture.take()).transaction.trace.status,
            Some(SpanStatus::from_http(code.as_u16())),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_stream_lasts_until_its_last_frame_and_its_first_byte_is_recorded_apart() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        let frames = [
            Step::Data("one"),
            Step::Pause(PAUSE),
            Step::Data("two"),
            Step::Pause(PAUSE),
            Step::Data("three"),
        ];
        Ok::<_, Infallible>(Response::new(Script::new(frames)))
    });
    let server = Server::start(layer.layer(service)).await;
    let answer = server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    assert!(answer.contains("transfer-encoding: chunked") && answer.contains("three"), "{answer:?}");
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok));
    assert_eq!(number(&captured, "http.response.body.size"), Some(11));
    assert!(duration(&captured) >= 2 * PAUSE, "{:?}", duration(&captured));
    let first_byte = time_to_first_byte(&captured);
    assert!(first_byte + PAUSE < duration(&captured), "{first_byte:?} of {:?}", duration(&captured));
}

#[tokio::test]
async fn an_answer_to_http_1_0_ends_with_its_connection() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Script::new([
            Step::Data("one"),
            Step::Pause(PAUSE),
            Step::Data("two"),
        ])))
    });
    let server = Server::start(layer.layer(service)).await;
    let answer = server.ask("GET /x HTTP/1.0\r\nHost: shop.test\r\n").await;
    assert!(answer.contains("onetwo"), "{answer:?}");
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok));
    assert!(duration(&captured) >= PAUSE, "{:?}", duration(&captured));
}

#[tokio::test]
async fn a_slow_head_counts_as_time_to_first_byte() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        tokio::time::sleep(PAUSE).await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
    });
    let server = Server::start(layer.layer(service)).await;
    server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    server.idle().await;
    let captured = only(capture.take());
    let first_byte = time_to_first_byte(&captured);
    assert!(
        PAUSE <= first_byte && first_byte <= duration(&captured),
        "{first_byte:?} of {:?}",
        duration(&captured)
    );
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels_and_what_the_handler_held_ends_inside() {
    let (layer, capture) = layer();
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let service = service_fn(move |_| {
        let arrived = arrived.clone();
        async move {
            let _held = SetsDataOnDrop::new();
            arrived.send(()).unwrap();
            pending::<Result<Response<Full<Bytes>>, Infallible>>().await
        }
    });
    let server = Server::start(layer.layer(service)).await;
    let mut wire = server.connect().await;
    wire.send("GET /x HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    in_time(arrivals.recv()).await.unwrap();
    drop(wire);
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Cancelled));
    assert_eq!(captured.transaction.response, None, "no answer was given");
    assert_eq!(captured.transaction.trace.data.get("dropped.in"), Some(&Value::from("the transaction")));
    assert_eq!(captured.transaction.spans.len(), 1, "the span that the handler held has ended");
}

#[tokio::test]
async fn a_client_that_leaves_during_the_answer_cancels() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Script::new([Step::Data("one"), Step::Pause(PAUSE), Step::Hang])))
    });
    let server = Server::start(layer.layer(service)).await;
    let mut wire = server.connect().await;
    wire.send("GET /x HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    wire.read_past("one").await;
    tokio::time::sleep(PAUSE).await;
    drop(wire);
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Cancelled));
    assert_eq!(number(&captured, "http.response.status_code"), Some(200), "the answer had begun");
    assert_eq!(number(&captured, "http.response.body.size"), Some(3), "so much of it went");
    assert!(duration(&captured) >= PAUSE, "{:?}", duration(&captured));
    assert!(time_to_first_byte(&captured) + PAUSE <= duration(&captured), "{captured:?}");
}

#[tokio::test]
async fn a_body_error_ends_the_transaction_as_internal_error() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        Ok::<_, Infallible>(Response::new(Script::new([Step::Data("one"), Step::Pause(PAUSE), Step::Fail])))
    });
    let server = Server::start(layer.layer(service)).await;
    let answer = server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    assert!(answer.contains("one"), "{answer:?}");
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
    assert_eq!(number(&captured, "http.response.status_code"), Some(200), "that is what the client saw");
    assert!(duration(&captured) >= PAUSE, "{:?}", duration(&captured));
}

#[tokio::test]
async fn an_error_of_the_service_ends_the_transaction_as_internal_error() {
    let (layer, capture) = layer();
    let service =
        service_fn(|_| async { Err::<Response<Full<Bytes>>, _>(std::io::Error::other("no database")) });
    let server = Server::start(layer.layer(service)).await;
    let answer = server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    assert_eq!(answer.status(), 0, "hyper closes the connection, as without the layer");
    server.idle().await;
    let captured = only(capture.take());
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::InternalError));
}

#[tokio::test]
async fn two_requests_of_one_connection_are_two_transactions_in_two_traces() {
    let (layer, capture) = layer();
    let server = Server::start(layer.layer(Always::ok())).await;
    let mut wire = server.connect().await;
    for path in ["/first", "/second"] {
        wire.send(&format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\n\r\n")).await;
        wire.read_past("hello").await;
    }
    drop(wire);
    server.idle().await;
    let captured = capture.take();
    let names: Vec<_> = captured.iter().map(|captured| &*captured.transaction.name).collect();
    assert_eq!(names, ["GET /first", "GET /second"]);
    assert_ne!(captured[0].transaction.trace.trace_id, captured[1].transaction.trace.trace_id);
}

#[tokio::test]
async fn a_request_body_that_breaks_off_ends_its_transaction_once() {
    let (layer, capture) = layer();
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let arrived = arrived.clone();
        async move {
            arrived.send(()).unwrap();
            let read = http_body_util::BodyExt::collect(request.into_body()).await;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(read.is_ok().to_string()))))
        }
    });
    let server = Server::start(layer.layer(service)).await;
    let mut wire = server.connect().await;
    wire.send("POST /x HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\nfirst").await;
    in_time(arrivals.recv()).await.unwrap();
    drop(wire);
    server.idle().await;
    let captured = only(capture.take());
    assert!(
        matches!(captured.transaction.trace.status, Some(SpanStatus::Cancelled | SpanStatus::Ok)),
        "hyper drops the call, or lets it answer nobody: {:?}",
        captured.transaction.trace.status
    );
}

#[tokio::test]
async fn a_status_that_the_handler_set_stays() {
    let (layer, capture) = layer();
    let service = service_fn(|_| async {
        sentrace_core::current_span().set_status(SpanStatus::ResourceExhausted);
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"partial"))))
    });
    let server = Server::start(layer.layer(service)).await;
    server.ask("GET /x HTTP/1.1\r\nHost: shop.test\r\n").await;
    server.idle().await;
    assert_eq!(only(capture.take()).transaction.trace.status, Some(SpanStatus::ResourceExhausted));
}
