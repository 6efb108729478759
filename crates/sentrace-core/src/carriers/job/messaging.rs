//! The spans of both sides of a queue.

use sentrace_protocol::{TransactionSource, Value};

use super::JobTrace;
use crate::client::Client;
use crate::client::current::current_span;
use crate::decide::transaction_options::TransactionOptions;
use crate::diagnostics::{explain, is_debug_enabled};
use crate::handle::instrumented_span::InstrumentedSpan;
use crate::handle::span::{Span, SpanRef};
use crate::handle::transaction::Transaction;
use crate::record::MANUAL;

/// What both sides may know of a message.
#[derive(Debug, Clone, Default)]
struct Message<'a> {
    queue: &'a str,
    system: Option<&'a str>,
    id: Option<&'a str>,
    body_size: Option<u64>,
    retry_count: Option<u32>,
}

impl<'a> Message<'a> {
    const fn of(queue: &'a str) -> Self {
        Self { queue, system: None, id: None, body_size: None, retry_count: None }
    }

    /// What is known of it, and what is done with it: `send` or `process`.
    fn attributes(&self, operation: &'static str) -> Vec<(&'static str, Value<'a>)> {
        let mut attributes = vec![
            ("messaging.operation.type", operation.into()),
            ("messaging.operation.name", operation.into()),
            ("messaging.destination.name", self.queue.into()),
        ];
        attributes.extend(self.system.map(|system| ("messaging.system", system.into())));
        attributes.extend(self.id.map(|id| ("messaging.message.id", id.into())));
        attributes.extend(self.body_size.map(|bytes| ("messaging.message.body.size", bytes.into())));
        attributes.extend(self.retry_count.map(|count| ("messaging.message.retry.count", count.into())));
        attributes
    }
}

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
    message: Message<'a>,
}

impl<'a> Publish<'a> {
    /// Creates a message for `queue` (`messaging.destination.name`).
    pub const fn to(queue: &'a str) -> Self {
        Self { message: Message::of(queue) }
    }

    /// Sets the broker, for example `redis` (`messaging.system`).
    pub const fn system(mut self, system: &'a str) -> Self {
        self.message.system = Some(system);
        self
    }

    /// Sets the message's id (`messaging.message.id`).
    pub const fn message_id(mut self, id: &'a str) -> Self {
        self.message.id = Some(id);
        self
    }

    /// Sets the body's size in bytes (`messaging.message.body.size`).
    pub const fn body_size(mut self, bytes: u64) -> Self {
        self.message.body_size = Some(bytes);
        self
    }

    /// Starts the `queue.publish` span below the current one, and returns it with what the message
    /// must carry. Finish the span when the message is queued.
    pub fn start(self) -> (Span, JobTrace) {
        let attributes = self.message.attributes("send");
        let start = InstrumentedSpan::new("queue.publish", MANUAL, self.message.queue);
        let span = InstrumentedSpan { attributes: &attributes, ..start }.start(&current_span());
        let carrying = crate::client::process::or_process_trace(SpanRef::clone(&span));
        (span, JobTrace::of(&carrying))
    }
}

/// A message that is about to be processed.
///
/// ```
/// use sentrace_core::carriers::job::{JobTrace, Process};
///
/// # let trace = JobTrace::default();
/// let transaction =
///     Process::of("mails", "send mail").system("redis").message_id("17").retry_count(2).start(&trace);
/// transaction.enter(|| { /* the work */ });
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is recorded before `start`"]
pub struct Process<'a> {
    message: Message<'a>,
    name: &'a str,
    client: Option<&'a Client>,
}

impl<'a> Process<'a> {
    /// Creates a message of `queue` (`messaging.destination.name`), whose transaction is named
    /// after the job.
    pub const fn of(queue: &'a str, name: &'a str) -> Self {
        Self { message: Message::of(queue), name, client: None }
    }

    /// Sets the broker, for example `redis` (`messaging.system`).
    pub const fn system(mut self, system: &'a str) -> Self {
        self.message.system = Some(system);
        self
    }

    /// Sets the message's id (`messaging.message.id`).
    pub const fn message_id(mut self, id: &'a str) -> Self {
        self.message.id = Some(id);
        self
    }

    /// Sets the body's size in bytes (`messaging.message.body.size`).
    pub const fn body_size(mut self, bytes: u64) -> Self {
        self.message.body_size = Some(bytes);
        self
    }

    /// Sets how often it was tried before (`messaging.message.retry.count`).
    pub const fn retry_count(mut self, count: u32) -> Self {
        self.message.retry_count = Some(count);
        self
    }

    /// Reports to this client instead of the current or global one.
    pub const fn client(mut self, client: &'a Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Starts the `queue.process` transaction in the message's trace. Its data has how long the
    /// message was queued as `messaging.message.receive.latency`, in milliseconds.
    pub fn start(self, trace: &JobTrace) -> Transaction {
        let Some(client) = self.client.cloned().or_else(Client::current) else { return Transaction::none() };
        let mut attributes = self.message.attributes("process");
        let latency = trace.latency().map(|latency| i64::try_from(latency.as_millis()).unwrap_or(i64::MAX));
        attributes.extend(latency.map(|latency| ("messaging.message.receive.latency", latency.into())));
        let options = TransactionOptions::new(self.name, "queue.process")
            .source(TransactionSource::Task)
            .attributes(&attributes)
            .derives_name(true);
        let incoming = client.extract(trace);
        if trace.sentry_trace.is_none() && is_debug_enabled() {
            explain_missing_trace(self.message.queue, self.name);
        }
        client.start_transaction_from(incoming, &options)
    }
}

/// Explains why a job starts a new trace, once per job name.
#[cold]
fn explain_missing_trace(queue: &str, name: &str) {
    explain(
        "job without trace",
        name,
        format_args!(
            "job {name:?} of queue {queue:?} begins a trace of its own: its message carries none; queue it with \
             Publish::to({queue:?}).start(), and put the JobTrace that it gives into the message"
        ),
    );
}
