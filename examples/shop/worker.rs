//! Takes orders from the queue and starts the notification job, a separate process, for each.

use std::process::Stdio;

use sentrace::prelude::*;
use sentrace::{Client, SpanStatus};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::queue::{self, OrderPlaced};
use crate::{Error, ingest, notify};

/// Processes orders until the queue is closed.
pub(crate) async fn work(mut messages: mpsc::Receiver<String>, client: Client, notifications_dsn: String) {
    while let Some(message) = messages.recv().await {
        let job: OrderPlaced = match serde_json::from_str(&message) {
            Ok(job) => job,
            Err(error) => {
                eprintln!("worker: {message:?} is not an order: {error}");
                continue;
            }
        };
        // A `queue.process` transaction in the message's trace, with the latency of the message.
        let transaction = job.trace.process_with(&client, queue::NAME, "order placed");
        let result = transaction.scope(confirm(job.order, &notifications_dsn)).await;
        if let Err(error) = &result {
            eprintln!("worker: order {} is not confirmed: {error}", job.order);
        }
        transaction.set_status(if result.is_ok() { SpanStatus::Ok } else { SpanStatus::InternalError });
        transaction.finish();
    }
}

/// Starts this program again, as the notification job of one order, and waits for it.
async fn confirm(order: i64, dsn: &str) -> Result<(), Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([notify::ARGUMENT, &order.to_string()])
        .env("SENTRY_DSN", dsn)
        .env("SENTRY_RELEASE", ingest::release("notifications"))
        .env("SENTRY_ENVIRONMENT", ingest::ENVIRONMENT)
        // It records although its own rate is 0: the decision was made at the start of the trace.
        .env("SENTRY_TRACES_SAMPLE_RATE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    // Opens the span `subprocess` and sets SENTRY_TRACE and SENTRY_BAGGAGE.
    let span = command.as_std_mut().prepare();
    span.set_description("shop notify");
    let output = span.scope(command.output()).await?;
    span.set_data("process.exit.code", output.status.code().unwrap_or(-1));
    if !output.status.success() {
        span.set_status(SpanStatus::InternalError);
        return Err(format!("the notification job ended with {}", output.status).into());
    }
    Ok(())
}
