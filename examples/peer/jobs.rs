//! Jobs in Redis in Celery's format: queued for its workers, and processed if queued by it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use sentrace::SpanStatus;
use sentrace::job::{JobTrace, Process, Publish};
use sentrace::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;
use crate::redis::Connection;

const FOR_CELERY: &str = "celery";
const FOR_US: &str = "rust";

/// The parts of a message in Celery's protocol, version 2, that are used here. A worker's Sentry
/// looks for the trace below this name, and wants the time of queueing as a number there:
#[derive(Deserialize)]
struct Message {
    body: String,
    headers: Headers,
}

#[derive(Serialize, Deserialize)]
struct Headers {
    id: String,
    task: String,
    #[serde(default)]
    retries: u32,
    /// A worker's Sentry looks for the trace below this name, and wants the time of queueing as a
    /// number there: A worker's Sentry SDK expects the trace under this name, with the time of
    /// queueing as a number: as serialised by serde,
    /// not as the strings of [`JobTrace::headers`].
    #[serde(default, rename = "headers")]
    trace: JobTrace,
}

/// The address of Redis. A connection that waits for a job is blocked, so each use has its own
/// connection.
#[derive(Clone)]
pub(crate) struct Queue {
    address: String,
}

pub(crate) fn router(queue: Queue) -> Router {
    Router::new().route("/jobs/{id}", get(enqueue)).with_state(queue).layer(SentryTracingLayer::new())
}

async fn enqueue(
    State(queue): State<Queue>,
    Path(id): Path<String>,
) -> Result<Json<Value>, (StatusCode, String)> {
    queue.publish(&id).await.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    Ok(Json(json!({ "queued": id })))
}

impl Queue {
    pub(crate) fn at(address: String) -> Self {
        Self { address }
    }

    /// Queues the task `peers.invoice` for a Celery worker.
    async fn publish(&self, id: &str) -> Result<(), Error> {
        // Arguments by position and by name, callbacks.
        let body = json!([[id], {}, {}]).to_string();
        let (span, trace) =
            Publish::to(FOR_CELERY).system("redis").message_id(id).body_size(body.len() as u64).start();
        let headers = Headers { id: id.to_owned(), task: "peers.invoice".to_owned(), retries: 0, trace };
        let message = json!({
            "body": body,
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": headers,
            "properties": {
                "correlation_id": id,
                "delivery_mode": 2,
                "delivery_tag": id,
                "delivery_info": { "exchange": "", "routing_key": FOR_CELERY },
                "priority": 0,
            },
        });
        span.scope(self.command(&["LPUSH", FOR_CELERY, &message.to_string()])).await?;
        span.finish();
        Ok(())
    }

    /// Processes the jobs that Celery queues, until Redis disconnects.
    pub(crate) async fn work(self) {
        if let Err(error) = self.work_on_all().await {
            eprintln!("the queue {FOR_US}: {error}");
        }
    }

    async fn work_on_all(&self) -> Result<(), Error> {
        let mut waiting = Connection::open(&self.address).await?;
        loop {
            // Waits without a limit. The answer is the queue and the message.
            let Some(message) = waiting.command(&["BRPOP", FOR_US, "0"]).await?.pop() else { continue };
            match serde_json::from_str::<Message>(&message) {
                Ok(message) => self.work_on(&message).await,
                Err(error) => eprintln!("the queue {FOR_US}: {message:?} is no message of Celery's: {error}"),
            }
        }
    }

    async fn work_on(&self, message: &Message) {
        let Headers { id, task, retries, trace } = &message.headers;
        let transaction = Process::of(FOR_US, task)
            .system("redis")
            .message_id(id)
            .body_size(message.body.len() as u64)
            .retry_count(*retries)
            .start(trace);
        // The work of the job: reporting that it is done, in a separate span.
        let result = transaction.scope(self.tell(id, task)).await;
        transaction.set_status(if result.is_ok() { SpanStatus::Ok } else { SpanStatus::InternalError });
        transaction.finish();
    }

    async fn tell(&self, id: &str, task: &str) -> Result<Vec<String>, Error> {
        sentrace::in_span("db.redis", "SET", self.command(&["SET", &format!("done:{id}"), task])).await
    }

    async fn command(&self, words: &[&str]) -> Result<Vec<String>, Error> {
        Connection::open(&self.address).await?.command(words).await
    }
}
