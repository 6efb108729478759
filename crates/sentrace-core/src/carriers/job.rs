//! The trace in a message of a queue, with the spans of both sides (Sentry SDK specification, *Queues*).

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use sentrace_protocol::{Carrier, TransactionSource, baggage, sentry_trace};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::current::current_span;
use crate::span::{Span, SpanRef};
use crate::transaction::{Transaction, TransactionOptions};

/// What a message carries of its trace: a field to embed in a job, or a carrier for a broker's own headers.
///
/// Fields that are missing, as in jobs that were queued before an update, are as good as no trace.
///
/// ```
/// use sentrace_core::carriers::job::{JobTrace, Publish};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct SendMail {
///     to: String,
///     #[serde(default)]
///     trace: JobTrace,
/// }
///
/// // The side that queues:
/// let (span, trace) = Publish::to("mails").message_id("17").start();
/// let job = serde_json::to_string(&SendMail { to: "a@example.com".into(), trace }).unwrap();
/// span.finish();
///
/// // The side that works:
/// let job: SendMail = serde_json::from_str(&job).unwrap();
/// let transaction = job.trace.process("mails", "send mail");
/// transaction.enter(|| { /* the work */ });
/// transaction.finish();
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobTrace {
    /// `sentry-trace`.
    #[serde(rename = "sentry-trace", skip_serializing_if = "Option::is_none")]
    sentry_trace: Option<String>,
    /// `baggage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    baggage: Option<String>,
    /// When the message was queued, in milliseconds since 1970.
    #[serde(rename = "sentry-task-enqueued-time", skip_serializing_if = "Option::is_none")]
    enqueued_ms: Option<u64>,
}

impl JobTrace {
    /// The trace of `span`, queued now.
    pub fn of(span: &SpanRef) -> Self {
        let headers = span.trace_headers();
        Self {
            sentry_trace: headers.as_ref().map(|headers| headers.sentry_trace().to_string()),
            baggage: headers.as_ref().and_then(|headers| headers.baggage().map(str::to_owned)),
            enqueued_ms: since_epoch().map(|since| since.as_millis() as u64),
        }
    }

    /// Reads the headers of a broker's message.
    pub fn from_carrier(carrier: &(impl Carrier + ?Sized)) -> Self {
        let first = |name: &str| {
            let mut first = None;
            carrier.get_all(name, &mut |value| {
                if first.is_none() {
                    first = std::str::from_utf8(value).ok().map(str::to_owned);
                }
            });
            first
        };
        Self {
            sentry_trace: first(sentry_trace::HEADER),
            baggage: first(baggage::HEADER),
            enqueued_ms: first(ENQUEUED).and_then(|value| value.parse().ok()),
        }
    }

    /// The pairs for a broker's own message headers.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let text = |name, value: &'_ Option<String>| value.clone().map(|value| (name, Cow::Owned(value)));
        let enqueued = self.enqueued_ms.map(|ms| (ENQUEUED, Cow::Owned(ms.to_string())));
        [text(sentry_trace::HEADER, &self.sentry_trace), text(baggage::HEADER, &self.baggage), enqueued]
            .into_iter()
            .flatten()
    }

    /// How long the message has waited until now; `None` where it does not say, or clocks disagree.
    pub fn latency(&self) -> Option<Duration> {
        since_epoch()?.checked_sub(Duration::from_millis(self.enqueued_ms?))
    }

    /// Starts the transaction of working on the message: op `queue.process`, in the message's trace, with
    /// `messaging.destination.name` and `messaging.message.receive.latency` (milliseconds).
    pub fn process(&self, queue: &str, name: &str) -> Transaction {
        Client::current().map_or_else(Transaction::none, |client| self.process_with(&client, queue, name))
    }

    /// Like [`process`](Self::process), for an explicit client.
    pub fn process_with(&self, client: &Client, queue: &str, name: &str) -> Transaction {
        let options = TransactionOptions::new(name, "queue.process").source(TransactionSource::Task);
        let transaction = client.open(client.read(self), &options);
        transaction.set_data("messaging.destination.name", queue);
        if let Some(latency) = self.latency() {
            transaction.set_data("messaging.message.receive.latency", latency.as_secs_f64() * 1000.0);
        }
        transaction
    }
}

impl Carrier for JobTrace {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        let value = match name {
            sentry_trace::HEADER => self.sentry_trace.as_deref(),
            baggage::HEADER => self.baggage.as_deref(),
            _ => None,
        };
        if let Some(value) = value {
            each(value.as_bytes());
        }
    }
}

/// Sentry's name for the time a message was queued.
const ENQUEUED: &str = "sentry-task-enqueued-time";

/// A message that is about to be queued.
///
/// ```
/// use sentrace_core::carriers::job::Publish;
///
/// let (span, trace) = Publish::to("mails").system("redis").message_id("17").body_size(120).start();
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is queued before `start`"]
pub struct Publish<'a> {
    queue: &'a str,
    system: Option<&'a str>,
    message_id: Option<&'a str>,
    body_size: Option<u64>,
}

impl<'a> Publish<'a> {
    /// A message for `queue` (`messaging.destination.name`).
    pub const fn to(queue: &'a str) -> Self {
        Self { queue, system: None, message_id: None, body_size: None }
    }

    /// The broker, for example `redis` (`messaging.system`).
    pub const fn system(mut self, system: &'a str) -> Self {
        self.system = Some(system);
        self
    }

    /// The message's id (`messaging.message.id`).
    pub const fn message_id(mut self, id: &'a str) -> Self {
        self.message_id = Some(id);
        self
    }

    /// The body's size in bytes (`messaging.message.body.size`).
    pub const fn body_size(mut self, bytes: u64) -> Self {
        self.body_size = Some(bytes);
        self
    }

    /// Opens the `queue.publish` span below the current one, to be finished when the message is queued, and gives
    /// what the message must carry.
    pub fn start(self) -> (Span, JobTrace) {
        let span = current_span().start_span("queue.publish", self.queue);
        span.set_data("messaging.destination.name", self.queue);
        if let Some(system) = self.system {
            span.set_data("messaging.system", system);
        }
        if let Some(id) = self.message_id {
            span.set_data("messaging.message.id", id);
        }
        if let Some(bytes) = self.body_size {
            span.set_data("messaging.message.body.size", bytes);
        }
        let carrying = if span.is_none() { crate::api::propagating() } else { SpanRef::clone(&span) };
        (span, JobTrace::of(&carrying))
    }
}

fn since_epoch() -> Option<Duration> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()
}
