//! Idle transactions: work outside of requests is a transaction as long as there is activity.
//!
//! `cargo run --example idle` plays a chat in a terminal: its start, and two conversations at the
//! same time. Each burst of messages becomes a transaction, which ends when its last message is
//! answered, not after the idle time that follows.

use std::error::Error;
use std::time::Duration;

use sentrace::prelude::*;
use sentrace::{IdleOptions, SpanOptions, TransactionOptions};
use sentrace_collector::{Collector, waterfall};
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let options = Options::new()
        .dsn(collector.dsn("1"))
        .release("chat@1.0.0")
        .traces_sample_rate(1.0)
        .idle_timeout(Duration::from_millis(200));
    let _sentrace = sentrace::init(options)?;

    start().await;
    tokio::join!(conversation("red"), conversation("green"));

    // All three end on their own.
    collector.wait_for(|store| store.transactions().count() == 3, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().rev().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

/// Everything that happens during the start: while this transaction is open, it is current wherever
/// nothing else is.
async fn start() {
    sentrace::start_idle_transaction("start");

    let history = sentrace::push_activity("history", Some(SpanOptions::new("task", "load the history")));
    history.span().set_data("messages", 17);
    sentrace::in_span("db.query", "SELECT * FROM messages", sleep(Duration::from_millis(10))).await;
    sentrace::pop_activity(history);

    // An activity without a span only keeps the transaction open.
    let connecting = sentrace::push_activity("connecting", None);
    sleep(Duration::from_millis(5)).await;
    sentrace::pop_activity(connecting);

    // sentrace::finish_idle_transaction() would end it now; it also ends on its own.
}

/// One of many conversations, each with its own transaction.
async fn conversation(room: &str) {
    let name = format!("conversation in {room}");
    let options = TransactionOptions::new(&name, "websocket.server");
    let conversation = sentrace::start_idle_transaction_with(&options, IdleOptions::new().separate());
    conversation.set_tag("room", room);
    for message in ["hello", "how are you?"] {
        let answer = sentrace::in_span("task", message, sleep(Duration::from_millis(20)));
        conversation.scope(answer).await;
        sleep(Duration::from_millis(50)).await;
    }
}
