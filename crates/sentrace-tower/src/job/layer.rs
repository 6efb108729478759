//! The layer and its setters.

use std::fmt;
use std::sync::Arc;

use sentrace_core::Client;
use tower_layer::Layer;

use super::config::Config;
use super::head::JobHead;
use super::service::SentryJob;

/// Records each job of a worker as a `queue.process` transaction in the trace of its producer, with the names of Sentry's
/// *Queues* module 1.2: `messaging.destination.name`, `.system`, `.message.id`, `.message.retry.count` and the time that the
/// message has waited, `.message.receive.latency` in milliseconds.
///
/// It is for workers that are tower services, such as those of apalis. Since each has its own type of job, `read` returns what
/// the layer needs to know of one. The producer adds the trace of a [`Publish`](sentrace_core::carriers::job::Publish) to the
/// message.
///
/// A transaction ends with its job. If the job fails, the status is `internal_error` and the error's type is recorded; if it
/// panics, `internal_error`; if it is dropped before its end, `cancelled`. Results are passed through unchanged. Inside a layer
/// that retries, each attempt is a transaction; outside, all attempts together are one.
///
/// ```
/// use sentrace_core::carriers::job::JobTrace;
/// use sentrace_tower::{JobHead, SentryJobLayer};
/// use tower::{ServiceBuilder, service_fn};
///
/// struct SendMail { id: u64, to: String, trace: JobTrace }
///
/// let layer = SentryJobLayer::new("mails", |job: &SendMail| {
///     JobHead::new("send mail", job.trace.clone()).message_id(job.id.to_string())
/// })
/// .system("redis");
/// let worker = ServiceBuilder::new().layer(layer).service(service_fn(async |job: SendMail| {
///     // start_span, in_span and outgoing calls belong to the job
///     Ok::<_, std::convert::Infallible>(job.to)
/// }));
/// # let _ = worker;
/// ```
#[must_use = "a layer does nothing until it is applied"]
pub struct SentryJobLayer<F> {
    config: Arc<Config<F>>,
}

impl<F> SentryJobLayer<F> {
    /// Creates the layer for a worker of `queue` (`messaging.destination.name`), whose jobs `read` reads. A job on which it
    /// panics is not traced.
    pub fn new<Job>(queue: impl Into<String>, read: F) -> Self
    where
        F: Fn(&Job) -> JobHead,
    {
        Self { config: Arc::new(Config { queue: queue.into(), system: None, client: None, read }) }
    }

    /// Sets the broker, for example `redis` (`messaging.system`).
    pub fn system(self, system: impl Into<String>) -> Self
    where
        F: Clone,
    {
        self.with(|config| config.system = Some(system.into()))
    }

    /// Sets the client, instead of the current or global one.
    pub fn client(self, client: Client) -> Self
    where
        F: Clone,
    {
        self.with(|config| config.client = Some(client))
    }

    fn with(mut self, set: impl FnOnce(&mut Config<F>)) -> Self
    where
        F: Clone,
    {
        set(Arc::make_mut(&mut self.config));
        self
    }
}

impl<F, S> Layer<S> for SentryJobLayer<F> {
    type Service = SentryJob<S, F>;

    fn layer(&self, inner: S) -> SentryJob<S, F> {
        SentryJob::new(inner, Arc::clone(&self.config))
    }
}

impl<F> Clone for SentryJobLayer<F> {
    fn clone(&self) -> Self {
        Self { config: Arc::clone(&self.config) }
    }
}

impl<F> fmt::Debug for SentryJobLayer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryJobLayer").field("config", &self.config).finish()
    }
}
