//! Requests that stay open after their answer's head.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router, routing::get};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{current_span, start_span, start_transaction};
use sentrace_protocol::SpanStatus;
use sentrace_tower::{LongLived, SentryTracingLayer, UpgradeGuard};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite;
use tower::{Layer, service_fn};

use crate::support::{self, PATIENCE, hyper, in_time, only, recording, serve, value};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>;

async fn connect(address: SocketAddr, path: &str) -> Socket {
    in_time(tokio_tungstenite::connect_async(format!("ws://{address}{path}"))).await.unwrap().0
}

async fn say(socket: &mut Socket, text: &'static str) -> String {
    in_time(socket.send(tungstenite::Message::text(text))).await.unwrap();
    in_time(socket.next()).await.unwrap().unwrap().into_text().unwrap().to_string()
}

/// Waits for so many transactions.
async fn wait_for(capture: &Arc<Capture>, count: usize) -> Vec<CapturedTransaction> {
    let capture = Arc::clone(capture);
    tokio::task::spawn_blocking(move || capture.wait_for(count, PATIENCE)).await.unwrap()
}

fn marked(captured: &CapturedTransaction) -> Option<String> {
    value(&captured.transaction.trace.data, "http.request.long_lived").map(|mark| format!("{mark:?}"))
}

/// Each message is a transaction of its own.
async fn by_message(upgrade: WebSocketUpgrade) -> Response {
    let request = current_span();
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let conversation = async {
            while let Some(Ok(Message::Text(text))) = socket.recv().await {
                let transaction = start_transaction("message", "websocket.server");
                transaction.scope(socket.send(Message::Text(text))).await.unwrap();
            }
        };
        request.scope(conversation).await;
    })
}

#[tokio::test]
async fn an_upgrade_ends_the_transaction_and_messages_are_linked_to_it() {
    let (client, capture) = recording();
    let router =
        Router::new().route("/chat", get(by_message)).layer(SentryTracingLayer::new().client(client));
    let mut socket = connect(serve(router).await, "/chat").await;
    let request = only(&capture).await;
    assert_eq!(request.transaction.trace.op, "websocket.server");
    assert_eq!(request.transaction.trace.status, Some(SpanStatus::Ok));
    assert!(marked(&request).unwrap().contains("upgrade"));
    let data = &request.transaction.trace.data;
    assert_eq!(value(data, "network.protocol.name"), Some(&"websocket".into()));
    assert_eq!(value(data, "http.response.status_code"), Some(&101.into()));

    for text in ["hello", "again"] {
        assert_eq!(say(&mut socket, text).await, text);
    }
    for message in wait_for(&capture, 2).await {
        let trace = &message.transaction.trace;
        assert_eq!(message.transaction.name, "message");
        assert_eq!(trace.trace_id, request.transaction.trace.trace_id, "the request's trace");
        assert_eq!(trace.parent_span_id, Some(request.transaction.trace.span_id), "below the request");
        assert_eq!(message.dynamic_sampling_context, request.dynamic_sampling_context);
    }
}

/// The conversation is part of the request.
async fn held(upgrade: WebSocketUpgrade, hold: Option<Extension<UpgradeGuard>>) -> Response {
    let request = current_span();
    let hold = hold.expect("the layer holds upgrades");
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let conversation = async {
            while let Some(Ok(Message::Text(text))) = socket.recv().await {
                let span = start_span("task", "message");
                assert_ne!(text.as_str(), "panic", "as asked");
                span.scope(socket.send(Message::Text(text))).await.unwrap();
            }
        };
        request.scope(conversation).await;
        drop(hold);
    })
}

#[tokio::test]
async fn a_held_upgrade_lasts_as_long_as_the_conversation() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client).upgrades(LongLived::Hold);
    let mut socket =
        connect(serve(Router::new().route("/chat", get(held)).layer(layer)).await, "/chat").await;
    let pause = Duration::from_millis(60);
    assert_eq!(say(&mut socket, "hello").await, "hello");
    tokio::time::sleep(pause).await;
    assert!(capture.take().is_empty(), "the conversation goes on");
    in_time(socket.close(None)).await.unwrap();
    let request = only(&capture).await;
    assert_eq!(request.transaction.trace.status, Some(SpanStatus::Ok));
    assert!(request.transaction.timestamp.0 - request.transaction.start_timestamp.0 >= pause);
    assert_eq!(request.expect_span("message").parent_span_id, Some(request.transaction.trace.span_id));
    assert!(marked(&request).is_some());
}

#[tokio::test]
async fn a_panic_in_a_held_conversation_is_an_internal_error() {
    let (client, capture) = recording();
    let layer = SentryTracingLayer::new().client(client).upgrades(LongLived::Hold);
    let mut socket =
        connect(serve(Router::new().route("/chat", get(held)).layer(layer)).await, "/chat").await;
    in_time(socket.send(tungstenite::Message::text("panic"))).await.unwrap();
    assert_eq!(only(&capture).await.transaction.trace.status, Some(SpanStatus::InternalError));
}

#[tokio::test]
async fn a_hold_that_nobody_takes_or_that_is_not_upgraded_keeps_nothing_open() {
    let (client, capture) = recording();
    let kept = Arc::new(std::sync::Mutex::new(None));
    let keep = Arc::clone(&kept);
    let layer = SentryTracingLayer::new().client(client).upgrades(LongLived::Hold);
    let router = Router::new()
        .route("/chat", get(by_message))
        .route(
            "/refused",
            get(async move |Extension(hold): Extension<UpgradeGuard>| {
                *keep.lock().unwrap() = Some(hold);
                StatusCode::FORBIDDEN
            }),
        )
        .route("/plain", get(async |hold: Option<Extension<UpgradeGuard>>| hold.is_none().to_string()))
        .layer(layer);
    let address = serve(router).await;
    let _socket = connect(address, "/chat").await;
    assert_eq!(only(&capture).await.transaction.trace.op, "websocket.server", "dropped with the request");
    let refused = in_time(tokio_tungstenite::connect_async(format!("ws://{address}/refused"))).await;
    refused.map(drop).unwrap_err();
    let refused = only(&capture).await;
    assert_eq!(refused.transaction.trace.status, Some(SpanStatus::PermissionDenied), "held in vain");
    assert_eq!(marked(&refused), None);
    let plain = in_time(hyper().request(support::get(format!("http://{address}/plain")))).await.unwrap();
    assert_eq!(support::lines(plain).await, ["true"], "what asks for no upgrade is offered no hold");
    assert!(kept.lock().unwrap().is_some());
}

/// Three events, with a pause before each.
async fn events() -> impl IntoResponse {
    Sse::new(stream::iter(1..=3).then(|number| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        start_transaction("event", "task").finish();
        Ok::<_, Infallible>(Event::default().data(number.to_string()))
    }))
}

#[tokio::test]
async fn an_event_stream_is_held_or_ends_at_its_head() {
    for (policy, lasts) in [(None, true), (Some(LongLived::Hold), true), (Some(LongLived::EndAtHead), false)]
    {
        let (client, capture) = recording();
        let mut layer = SentryTracingLayer::new().client(client);
        if let Some(policy) = policy {
            layer = layer.event_streams(policy);
        }
        let address = serve(Router::new().route("/events", get(events)).layer(layer)).await;
        let answer = hyper().request(support::get(format!("http://{address}/events")));
        let body = in_time(in_time(answer).await.unwrap().into_body().collect()).await.unwrap().to_bytes();
        assert_eq!(body.windows(5).filter(|window| window == b"data:").count(), 3, "{policy:?}");
        let captured = wait_for(&capture, 4).await;
        let (requests, events): (Vec<_>, Vec<_>) =
            captured.into_iter().partition(|captured| captured.transaction.name == "GET /events");
        let [request] = &requests[..] else { panic!("one request: {requests:#?}") };
        let request = &request.transaction;
        assert_eq!(
            request.timestamp.0 - request.start_timestamp.0 >= Duration::from_millis(60),
            lasts,
            "{policy:?}"
        );
        assert_eq!(request.trace.status, Some(SpanStatus::Ok), "{policy:?}");
        assert!(value(&request.trace.data, "http.request.long_lived").is_some(), "{policy:?}");
        for event in &events {
            assert_eq!(event.transaction.trace.trace_id, request.trace.trace_id, "{policy:?}");
            assert_eq!(event.transaction.trace.parent_span_id, Some(request.trace.span_id), "{policy:?}");
        }
    }
}

#[tokio::test]
async fn a_tunnel_can_be_held_too() {
    let (client, capture) = recording();
    let service = service_fn(|mut request: http::Request<hyper::body::Incoming>| async move {
        let hold = request.extensions_mut().remove::<UpgradeGuard>().expect("the layer holds tunnels");
        tokio::spawn(async move {
            let mut tunnel = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
            let mut bytes = [0; 4];
            tunnel.read_exact(&mut bytes).await.unwrap();
            tunnel.write_all(&bytes).await.unwrap();
            drop(hold);
        });
        Ok::<_, Infallible>(http::Response::new(axum::body::Body::empty()))
    });
    let service = SentryTracingLayer::new().client(client).upgrades(LongLived::Hold).layer(service);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
        connection.with_upgrades().await.unwrap();
    });
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\n\r\n").await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(in_time(socket.read_u8()).await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    assert!(capture.take().is_empty(), "the tunnel is open");
    socket.write_all(b"ping").await.unwrap();
    in_time(socket.read_exact(&mut [0; 4])).await.unwrap();
    let captured = only(&capture).await;
    assert!(marked(&captured).unwrap().contains("connect"));
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok));
}
