//! Connections that stop being HTTP: the transaction ends at the upgrade, the connection goes on.

use std::convert::Infallible;

use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use sentrace_protocol::SpanStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Script, Server, Step, data, in_time, layer, number, only};

/// Agrees to leave HTTP and echoes four bytes.
async fn echo(request: Request<Incoming>) -> Result<Response<Script>, Infallible> {
    let connects = request.method() == http::Method::CONNECT;
    tokio::spawn(async move {
        let mut upgraded = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let mut bytes = [0; 4];
        upgraded.read_exact(&mut bytes).await.unwrap();
        upgraded.write_all(&bytes).await.unwrap();
    });
    let mut response = Response::new(Script::new([Step::Hang]));
    if !connects {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(header::UPGRADE, http::HeaderValue::from_static("echo"));
        response.headers_mut().insert(header::CONNECTION, http::HeaderValue::from_static("upgrade"));
    }
    Ok(response)
}

#[tokio::test]
async fn upgrades_end_the_transaction_when_they_are_agreed_on() {
    let rows = [
        ("GET /x HTTP/1.1\r\nHost: shop.test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n", 101),
        ("CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\n\r\n", 200),
    ];
    for (request, status) in rows {
        let (layer, capture) = layer();
        let server = Server::start(layer.layer(service_fn(echo))).await;
        let mut wire = server.connect().await;
        wire.send(request).await;
        let head = wire.read_past("\r\n\r\n").await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        let captured =
            in_time(tokio::task::spawn_blocking(move || capture.wait_for(1, crate::support::PATIENCE)));
        let captured = only(captured.await.unwrap());
        assert_eq!(captured.transaction.trace.status, Some(SpanStatus::Ok), "{status}");
        assert_eq!(number(&captured, "http.response.status_code"), Some(status), "{status}");
        // The tunnel outlives the transaction.
        wire.send("ping").await;
        assert_eq!(wire.read_past("ping").await, "ping", "{status}");
    }
}

/// What an extended CONNECT is recorded as: its op, and its protocol's name.
async fn connected(protocol: Option<&str>, status: StatusCode) -> (String, Option<String>, Option<String>) {
    let (layer, capture) = layer();
    let connect = Request::builder().method(http::Method::CONNECT).version(http::Version::HTTP_2);
    let mut connect = connect.uri("https://shop.test/ws").body(Script::new([])).unwrap();
    if let Some(protocol) = protocol {
        connect.extensions_mut().insert(hyper::ext::Protocol::from(protocol));
    }
    let service = service_fn(move |_| async move {
        Ok::<_, Infallible>(Response::builder().status(status).body(Script::new([Step::Hang])).unwrap())
    });
    layer.layer(service).oneshot(connect).await.map(drop).unwrap();
    let captured = only(capture.take());
    assert_eq!(captured.transaction.name, "CONNECT /ws");
    assert_eq!(captured.transaction.trace.status, Some(SpanStatus::from_http(status.as_u16())));
    let shown = |key| data(&captured, key).map(str::to_owned);
    (
        captured.transaction.trace.op.clone().into_owned(),
        shown("network.protocol.name"),
        shown("http.request.long_lived"),
    )
}

#[tokio::test]
async fn an_extended_connect_is_recorded_by_its_protocol() {
    let rows = [
        (Some("websocket"), 200, "websocket.server", Some("websocket"), Some("connect"), "a WebSocket"),
        (Some("WebSocket"), 200, "websocket.server", Some("websocket"), Some("connect"), "in capitals"),
        (Some("webtransport"), 200, "http.server", Some("webtransport"), Some("connect"), "WebTransport"),
        (Some("connect-udp"), 200, "http.server", Some("connect-udp"), Some("connect"), "a proxy of UDP"),
        (Some("made-up"), 200, "http.server", Some("http"), Some("connect"), "clients choose no names"),
        (Some("websocket"), 403, "http.server", Some("http"), None, "a refused WebSocket stays a request"),
        (None, 200, "http.server", Some("http"), Some("connect"), "a tunnel"),
    ];
    for (protocol, status, op, name, long_lived, reason) in rows {
        let status = StatusCode::from_u16(status).unwrap();
        let found = connected(protocol, status).await;
        assert_eq!((&*found.0, found.1.as_deref(), found.2.as_deref()), (op, name, long_lived), "{reason}");
    }
}
