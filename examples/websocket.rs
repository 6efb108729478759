//! A conversation over a WebSocket: the request ends, and the conversation continues in its trace.
//!
//! `cargo run --example websocket` talks to a service in two ways. At `/chat` the request's
//! transaction ends with the upgrade, and each message is a separate transaction below it. At
//! `/game` the transaction stays open as long as the conversation, and each move is a span. It
//! prints both traces.

use std::error::Error;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::{Extension, Router, routing::get};
use futures_util::{SinkExt as _, StreamExt as _};
use sentrace::LongLived;
use sentrace::prelude::*;
use sentrace::tower::UpgradeGuard;
use sentrace_collector::{Collector, waterfall};
use tokio::net::TcpListener;
use tokio_tungstenite::{connect_async, tungstenite};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let _sentrace =
        sentrace::init(Options::new().dsn(collector.dsn("1")).release("chat@1.0.0").traces_sample_rate(1.0))?;

    let holding = SentryTracingLayer::new().upgrades(LongLived::Hold);
    let app = Router::new()
        .route("/chat", get(chat).layer(SentryTracingLayer::new()))
        .route("/game", get(game).layer(holding));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, app).into_future());

    for path in ["/chat", "/game"] {
        let (mut socket, _) = connect_async(format!("ws://{address}{path}")).await?;
        for text in ["hello", "and goodbye"] {
            socket.send(tungstenite::Message::text(text)).await?;
            let answer = socket.next().await.ok_or("the service hung up")??;
            println!("{path}: {answer}");
        }
        socket.close(None).await?;
    }

    let complete = |store: &sentrace_collector::Store| {
        store.traces().iter().map(|trace| trace.transactions).sum::<usize>() == 4
    };
    collector.wait_for(complete, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("\n{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn chat(upgrade: WebSocketUpgrade) -> Response {
    // Taken here, since nothing is current on the task that runs the conversation.
    let request = sentrace::current_span();
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let conversation = async {
            while let Some(Ok(Message::Text(text))) = socket.recv().await {
                // A child of the request, with its sampling decision.
                let message = sentrace::start_transaction("chat message", "websocket.server");
                message.scope(answer(&mut socket, &text)).await;
            }
        };
        request.scope(conversation).await;
    })
}

async fn game(upgrade: WebSocketUpgrade, Extension(hold): Extension<UpgradeGuard>) -> Response {
    let request = sentrace::current_span();
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let conversation = async {
            while let Some(Ok(Message::Text(text))) = socket.recv().await {
                sentrace::in_span("task", "move", answer(&mut socket, &text)).await;
            }
        };
        request.scope(conversation).await;
        drop(hold); // the request's transaction ends here
    })
}

async fn answer(socket: &mut WebSocket, text: &str) {
    tokio::time::sleep(Duration::from_millis(5)).await;
    // If the client has disconnected, the conversation ends at the next message.
    let _ = socket.send(Message::text(format!("{text} to you, too"))).await;
}
