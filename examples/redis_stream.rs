//! A plain Redis stream: messages carry their trace in fields, and a consumer group processes and
//! retries them.
//!
//! `cargo run --example redis_stream`, with a Redis at `REDIS_URL` (`redis://127.0.0.1/` by
//! default), places an order, works on it, and prints the trace: `queue.publish`, and one
//! `queue.process` for each attempt, of which the first fails. With `SENTRY_DSN` set, it is
//! reported there instead.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::time::Duration;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use redis::streams::{
    StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamPendingCountReply, StreamReadOptions,
    StreamReadReply,
};
use sentrace::job::{JobTrace, Process, Publish};
use sentrace::prelude::*;
use sentrace_collector::{Collector, waterfall};

const STREAM: &str = "orders";
const GROUP: &str = "billing";
const WORKER: &str = "billing-1";
const JOB: &str = "bill order";
const ATTEMPTS: usize = 2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(dsn) = env::var("SENTRY_DSN") {
        return order_and_bill(&dsn).await;
    }
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    order_and_bill(&collector.dsn("1")).await?;
    collector.wait_for(|store| store.transactions().count() == 1 + ATTEMPTS, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn order_and_bill(dsn: &str) -> Result<(), Box<dyn Error>> {
    let _sentrace = sentrace::init(Options::new().dsn(dsn).release("orders@1.0.0").traces_sample_rate(1.0))?;
    let redis = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".to_owned());
    let mut redis = redis::Client::open(redis)?.get_multiplexed_async_connection().await?;
    let created: Result<(), _> = redis.xgroup_create_mkstream(STREAM, GROUP, "$").await;
    if let Err(error) = created
        && error.code() != Some("BUSYGROUP")
    {
        return Err(error.into());
    }

    // Stands in for a request.
    let transaction = sentrace::start_transaction("place order", "task");
    transaction.scope(publish(&mut redis, r#"{"order":7,"total":12.5}"#)).await?;
    transaction.finish();

    while !work_on_next(&mut redis).await? {}
    Ok(())
}

/// The producer.
async fn publish(redis: &mut MultiplexedConnection, order: &str) -> Result<(), Box<dyn Error>> {
    let (span, trace) = Publish::to(STREAM).system("redis").body_size(order.len() as u64).start();
    span.set_description(JOB);
    let mut fields = vec![("order", order.to_owned())];
    fields.extend(trace.headers().map(|(name, value)| (name, value.into_owned())));
    let id: String = span.scope(redis.xadd(STREAM, "*", &fields)).await?;
    span.set_data("messaging.message.id", id);
    span.finish();
    Ok(())
}

/// The consumer. Returns `true` if a message was processed successfully.
async fn work_on_next(redis: &mut MultiplexedConnection) -> Result<bool, Box<dyn Error>> {
    let Some(message) = next(redis).await? else { return Ok(false) };
    let times: StreamPendingCountReply =
        redis.xpending_count(STREAM, GROUP, &message.id, &message.id, 1).await?;
    let retries = times.ids.first().map_or(0, |message| message.times_delivered.saturating_sub(1));
    let order: String = message.get("order").unwrap_or_default();

    let transaction = Process::of(STREAM, JOB)
        .system("redis")
        .message_id(&message.id)
        .body_size(order.len() as u64)
        .retry_count(retries as u32)
        .start(&trace_of(&message));
    let billed = transaction.scope(charge(&order, retries)).await;
    if let Err(error) = &billed {
        // Without an acknowledgement, it stays pending and is retried.
        transaction.set_status(SpanStatus::InternalError);
        transaction.set_data("error.message", error.as_str());
    } else {
        let ids = [&message.id];
        let acknowledged = sentrace::in_span("queue.settle", STREAM, redis.xack(STREAM, GROUP, &ids));
        let _: usize = transaction.scope(acknowledged).await?;
    }
    transaction.finish();
    Ok(billed.is_ok())
}

/// Returns a pending message of an earlier attempt, or else a new one.
async fn next(redis: &mut MultiplexedConnection) -> Result<Option<StreamId>, Box<dyn Error>> {
    let idle_ms = 20;
    let one = StreamAutoClaimOptions::default().count(1);
    let left: StreamAutoClaimReply =
        redis.xautoclaim_options(STREAM, GROUP, WORKER, idle_ms, "0-0", one).await?;
    if let Some(message) = left.claimed.into_iter().next() {
        return Ok(Some(message));
    }
    let one = StreamReadOptions::default().group(GROUP, WORKER).count(1).block(50);
    let new: Option<StreamReadReply> = redis.xread_options(&[STREAM], &[">"], &one).await?;
    Ok(new.and_then(|reply| reply.keys.into_iter().next()?.ids.into_iter().next()))
}

/// The trace is in the message's fields.
fn trace_of(message: &StreamId) -> JobTrace {
    let fields: HashMap<String, String> =
        message.map.keys().filter_map(|name| Some((name.clone(), message.get(name)?))).collect();
    JobTrace::from_carrier(&fields)
}

/// Fails at the first attempt.
async fn charge(order: &str, retries: usize) -> Result<(), String> {
    let busy = retries + 1 < ATTEMPTS;
    let answer = async { if busy { Err(format!("the bank is busy: {order}")) } else { Ok(()) } };
    sentrace::try_in_span("task", "charge the card", answer).await
}
