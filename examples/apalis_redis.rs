//! apalis jobs in Redis, in the trace of the request that queued them.
//!
//! `cargo run --example apalis_redis`, with a Redis at `REDIS_URL` (`redis://127.0.0.1/` by
//! default), starts a service and a worker, signs up a user, and prints the trace: request,
//! `queue.publish`, and one `queue.process` for each attempt to send a welcome, of which the first
//! fails. With `SENTRY_DSN` set, it is reported there instead.

use std::env;
use std::error::Error;
use std::future::ready;
use std::time::Duration;

use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Router, routing::post};
use sentrace::job::{JobTrace, Publish};
use sentrace::prelude::*;
use sentrace::tower::{JobHead, SentryJobLayer};
use sentrace_collector::{Collector, waterfall};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const QUEUE: &str = "mails";
const JOB: &str = "send welcome";
const ATTEMPTS: usize = 2;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Welcome {
    to: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(dsn) = env::var("SENTRY_DSN") {
        return sign_up_user(&dsn).await;
    }
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    sign_up_user(&collector.dsn("1")).await?;
    collector.wait_for(|store| store.transactions().count() == 1 + ATTEMPTS, Duration::from_secs(5)).await;
    for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn sign_up_user(dsn: &str) -> Result<(), Box<dyn Error>> {
    let _sentrace = sentrace::init(Options::new().dsn(dsn).release("signup@1.0.0").traces_sample_rate(1.0))?;
    let redis = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".to_owned());
    let storage =
        RedisStorage::new(apalis_redis::connect(redis).await?).with_config(Config::default().queue(QUEUE));

    let app = Router::new()
        .route("/signup/{name}", post(sign_up))
        .with_state(storage.clone())
        .layer(SentryTracingLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/signup/ada", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    let (sent, mut welcomed) = mpsc::channel::<String>(1);
    let worker = WorkerBuilder::new("mailer")
        .backend(storage)
        .data(sent)
        // Inside the retry layer, each attempt is recorded.
        .retry(RetryPolicy::retries(ATTEMPTS))
        .layer(SentryJobLayer::new(QUEUE, head).system("redis"))
        .build(welcome);

    reqwest::Client::new().post(url).send().await?.error_for_status()?;
    let stop = async move {
        welcomed.recv().await;
        Ok::<_, WorkerError>(())
    };
    worker.run_until(stop).await?;
    Ok(())
}

/// The producer.
async fn sign_up(
    State(mut storage): State<RedisStorage<Welcome>>,
    Path(name): Path<String>,
) -> Result<StatusCode, (StatusCode, String)> {
    let id = TaskId::from(RandomId::default().to_string());
    let (span, trace) = Publish::to(QUEUE).system("redis").message_id(&id.to_string()).start();
    span.set_description(JOB);
    // The trace is in apalis' own metadata, so jobs need no field for it.
    let metadata = trace.headers().map(|(name, value)| (name, value.into_owned()));
    let task = TaskBuilder::new(Welcome { to: format!("{name}@example.com") })
        .task_id(id)
        .with_metadata(metadata.collect())
        .build();
    let queued = span.scope(storage.push_task(task)).await;
    queued.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    span.finish();
    Ok(StatusCode::ACCEPTED)
}

/// Describes a task to the layer.
fn head(task: &Task<Welcome>) -> JobHead {
    let head = JobHead::new(JOB, JobTrace::from_carrier(task.metadata().as_map()))
        .retry_count(task.attempt() as u32);
    match task.task_id() {
        Some(id) => head.message_id(id.to_string()),
        None => head,
    }
}

/// The consumer. The mail server refuses the first attempt.
async fn welcome(
    welcome: Welcome,
    attempt: Attempt,
    sent: Data<mpsc::Sender<String>>,
) -> Result<(), BoxDynError> {
    let greylisted = attempt.current() < ATTEMPTS;
    let deliver = ready(if greylisted { Err("451 try again later") } else { Ok(()) });
    sentrace::try_in_span("smtp", "RCPT TO", deliver).await?;
    sent.send(welcome.to).await?;
    Ok(())
}
