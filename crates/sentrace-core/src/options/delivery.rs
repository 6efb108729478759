//! Options of delivery: memory, time, disk, connection.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sentrace_protocol::{Dsn, SpanPayload, TransactionPayload};

use super::lifecycle::DEFAULT_FLUSH_INTERVAL;
use super::spotlight::SpotlightOption;
use super::{Options, Spotlight};
use crate::diagnostics;
use crate::util::hook::UserClosure;

const DEFAULT_SPOOL_BYTES: u64 = 256 * 1024 * 1024;

/// A hook that changes or drops a transaction before it is sent; see
/// [`Options::before_send_transaction`].
pub type BeforeSendTransaction = Arc<dyn Fn(&mut TransactionPayload<'_>) -> bool + Send + Sync>;

/// What a service does to a span before it is sent; see [`Options::before_send_span`].
pub type BeforeSendSpan = Arc<dyn Fn(&mut SpanPayload<'_, '_>) + Send + Sync>;

/// How envelopes are compressed (Sentry SDK specification, *Compression*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// `gzip`, which every ingest accepts.
    #[default]
    Gzip,
    /// `zstd`: smaller and faster, for an ingest that accepts it.
    #[cfg(feature = "zstd")]
    Zstd,
    /// No compression, for a collector on the same machine, or to inspect what is sent.
    Off,
}

#[derive(Clone)]
pub(crate) struct DeliveryOptions {
    send_client_reports: bool,
    backpressure_handling: bool,
    shutdown_timeout: Duration,
    retry_timeout: Duration,
    pub(super) queue_bytes: usize,
    pub(super) before_send_transaction: Option<BeforeSendTransaction>,
    before_send_span: Option<BeforeSendSpan>,
    compression: Compression,
    proxy: Option<String>,
    ca_certificates: Vec<u8>,
    http2_prior_knowledge: bool,
    pub(super) spool_dir: Option<PathBuf>,
    pub(super) spool_bytes: Option<u64>,
    strict: bool,
    pub(super) spotlight: SpotlightOption,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            send_client_reports: true,
            backpressure_handling: true,
            shutdown_timeout: Duration::from_secs(2),
            retry_timeout: Duration::from_secs(30),
            queue_bytes: 32 * 1024 * 1024,
            before_send_transaction: None,
            before_send_span: None,
            compression: Compression::default(),
            proxy: None,
            ca_certificates: Vec::new(),
            http2_prior_knowledge: false,
            spool_dir: None,
            spool_bytes: None,
            strict: false,
            spotlight: SpotlightOption::default(),
        }
    }
}

impl Options {
    /// Sets whether losses are reported to Sentry. On by default.
    #[must_use]
    pub fn send_client_reports(mut self, send: bool) -> Self {
        self.delivery.send_client_reports = send;
        self
    }

    /// Sets whether fewer traces are recorded while the queue is full or the ingest asks for a
    /// pause. On by default.
    ///
    /// Every ten seconds of trouble halve the rates of this client, up to ten times. They are
    /// restored as soon as the trouble ends. What this drops is counted as `backpressure` (Sentry
    /// SDK specification, *Backpressure*).
    #[doc(alias = "enable_backpressure_handling")]
    #[must_use]
    pub fn backpressure_handling(mut self, enable: bool) -> Self {
        self.delivery.backpressure_handling = enable;
        self
    }

    /// Sets how long dropping the guard may take to send what is left. Defaults to 2 seconds.
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.delivery.shutdown_timeout = timeout;
        self
    }

    /// Sets for how long a transaction is retried after a network failure, with growing pauses.
    /// Defaults to 30 seconds; zero means no retries.
    #[must_use]
    pub fn retry_timeout(mut self, timeout: Duration) -> Self {
        self.delivery.retry_timeout = timeout;
        self
    }

    /// Sets how many bytes of finished transactions may be queued for delivery. Defaults to 32 MiB.
    /// What exceeds this is rejected and counted.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.delivery.queue_bytes = bytes;
        self
    }

    /// Sets a hook that sees each transaction before it is sent. It may change the transaction, and
    /// returns `false` to drop it.
    ///
    /// The hook runs on the delivery's own thread. Dropped transactions and removed spans are
    /// counted as `before_send`, and so is a transaction for which the hook panics.
    ///
    /// ```
    /// use sentrace_core::Options;
    ///
    /// let options = Options::new().before_send_transaction(|transaction| {
    ///     transaction.spans.retain(|span| span.op != "cache.get");
    ///     transaction.name != "GET /health"
    /// });
    /// ```
    #[must_use]
    pub fn before_send_transaction(
        mut self,
        hook: impl Fn(&mut TransactionPayload<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let hook = UserClosure::new(hook);
        self.delivery.before_send_transaction =
            Some(Arc::new(move |transaction| hook.get().is_some_and(|hook| hook(transaction))));
        self
    }

    /// Sets a hook that sees each span before it is sent, on the delivery thread.
    ///
    /// The hook can change name, op, attributes and status of the span. It cannot drop the span; for
    /// that, use [`ignore_spans`](Self::ignore_spans). If the hook panics, the span is sent unchanged.
    ///
    /// The hook is called once for each span, after all attributes are set. In
    /// [`TraceLifecycle::Static`](crate::TraceLifecycle::Static) it is called for the spans below a
    /// transaction, then for the transaction's own span, and before
    /// [`before_send_transaction`](Self::before_send_transaction). Request headers are attributes of
    /// streamed spans only; a transaction has them in its request (Sentry SDK specification, *Spans*
    /// 1.0, `before_send_span`).
    ///
    /// ```
    /// use sentrace_core::Options;
    ///
    /// let options = Options::new().before_send_span(|span| {
    ///     if span.op() == "db.query" {
    ///         span.remove_attribute("db.query.text");
    ///         span.set_attribute("db.scrubbed", true);
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn before_send_span(
        mut self,
        hook: impl Fn(&mut SpanPayload<'_, '_>) + Send + Sync + 'static,
    ) -> Self {
        let hook = UserClosure::new(hook);
        self.delivery.before_send_span = Some(Arc::new(move |span| {
            if let Some(hook) = hook.get() {
                hook(span);
            }
        }));
        self
    }

    /// Sets how envelopes are compressed. Defaults to gzip.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.delivery.compression = compression;
        self
    }

    /// Sends through this HTTP proxy, for example `http://user:password@proxy.internal:3128`,
    /// regardless of the environment.
    ///
    /// By default, `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` apply, except for
    /// connections to this machine.
    #[doc(alias = "http_proxy")]
    #[doc(alias = "https_proxy")]
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.delivery.proxy = Some(url.into());
        self
    }

    /// Trusts these certificates in addition to the system's: one or more authorities in PEM.
    #[doc(alias = "ca_certs")]
    #[must_use]
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.delivery.ca_certificates = pem.into();
        self
    }

    /// Uses HTTP/2 without negotiation, which a collector behind plain `http` must support. Off by
    /// default; over `https`, HTTP/2 is negotiated.
    #[must_use]
    pub fn http2_prior_knowledge(mut self, enable: bool) -> Self {
        self.delivery.http2_prior_knowledge = enable;
        self
    }

    /// Stores what cannot be delivered (the ingest is unreachable or asks for a pause, or the
    /// process ends) in this folder, and sends it later, also after a restart. Off by default.
    /// Several processes may share a folder.
    ///
    /// An empty path is ignored with a warning: it would mean the working directory, which an unset
    /// variable should not cause. Write `.` for the working directory.
    #[must_use]
    pub fn spool_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let folder = folder.into();
        let is_blank = folder.to_str().is_some_and(|folder| folder.trim().is_empty());
        if is_blank {
            diagnostics::warn_once(
                &WARNED,
                format_args!(
                    "option spool_dir: {folder:?} is not a folder, so nothing is kept on disk; name one that exists or can be \
                     made, or leave the option out"
                ),
            );
        }
        self.delivery.spool_dir = (!is_blank).then_some(folder);
        self
    }

    /// Sets how many bytes the spool of one project may take on disk. Defaults to 256 MiB. What
    /// exceeds this is counted as `cache_overflow`.
    #[must_use]
    pub fn spool_bytes(mut self, bytes: u64) -> Self {
        self.delivery.spool_bytes = Some(bytes);
        self
    }

    /// Sets whether `init` fails if the machine lacks something that delivery needs: trusted
    /// certificates, a writable folder for the spool, file descriptors, a thread, TLS for a DSN
    /// with `https`.
    ///
    /// Off by default: tracing must not keep a service from starting, so `init` warns and continues
    /// without the spool, or without sending anything. Turn this on if a deployment that does not
    /// report is worse than one that does not start. Invalid options are errors either way.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.delivery.strict = strict;
        self
    }

    /// Sets whether, and where, Spotlight gets a copy of every envelope: `true`, `false` or a URL.
    /// If unset, the environment decides, if it was read by [`from_env`](Self::from_env); see
    /// [`Spotlight`].
    #[must_use]
    pub fn spotlight(mut self, spotlight: impl Into<Spotlight>) -> Self {
        self.delivery.spotlight.code = Some(spotlight.into());
        self.delivery.spotlight.warn_of_conflict();
        self
    }

    /// Returns what a deliverer needs to know.
    pub fn delivery(&self) -> DeliverySettings<'_> {
        let delivery = &self.delivery;
        DeliverySettings {
            dsn: self.dsn.as_ref(),
            debug: self.debug,
            send_client_reports: delivery.send_client_reports,
            backpressure_handling: delivery.backpressure_handling,
            shutdown_timeout: delivery.shutdown_timeout,
            retry_timeout: delivery.retry_timeout,
            queue_bytes: delivery.queue_bytes,
            span_flush_interval: self.lifecycle.flush_interval.unwrap_or(DEFAULT_FLUSH_INTERVAL),
            before_send_span: delivery.before_send_span.as_ref(),
            before_send_transaction: delivery.before_send_transaction.as_ref(),
            compression: delivery.compression,
            proxy: delivery.proxy.as_deref(),
            ca_certificates: &delivery.ca_certificates,
            http2_prior_knowledge: delivery.http2_prior_knowledge,
            spool_dir: delivery.spool_dir.as_deref(),
            spool_bytes: delivery.spool_bytes.unwrap_or(DEFAULT_SPOOL_BYTES),
            strict: delivery.strict,
            spotlight: delivery.spotlight.url(),
        }
    }
}

/// The [`Options`] that concern delivery, with their defaults. Each field has the name of its setter.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct DeliverySettings<'a> {
    /// Where to send, if anywhere.
    pub dsn: Option<&'a Dsn>,
    /// Whether decisions are explained.
    pub debug: bool,
    /// Whether losses are reported.
    pub send_client_reports: bool,
    /// Whether fewer traces are recorded under load.
    pub backpressure_handling: bool,
    /// How long the last flush may take.
    pub shutdown_timeout: Duration,
    /// For how long the network may fail before a transaction is given up.
    pub retry_timeout: Duration,
    /// How many bytes may be queued.
    pub queue_bytes: usize,
    /// How long a streamed span waits at most for others of its trace.
    pub span_flush_interval: Duration,
    /// The hook that sees spans before they are sent.
    pub before_send_span: Option<&'a BeforeSendSpan>,
    /// The hook that sees transactions before they are sent.
    pub before_send_transaction: Option<&'a BeforeSendTransaction>,
    /// How envelopes are compressed.
    pub compression: Compression,
    /// The proxy that was set in code.
    pub proxy: Option<&'a str>,
    /// Additional trusted certificates in PEM.
    pub ca_certificates: &'a [u8],
    /// Whether HTTP/2 is used without negotiation.
    pub http2_prior_knowledge: bool,
    /// The folder for undelivered envelopes.
    pub spool_dir: Option<&'a Path>,
    /// How many bytes undelivered envelopes may take on disk.
    pub spool_bytes: u64,
    /// Whether `init` fails if the machine lacks something.
    pub strict: bool,
    /// Spotlight's URL, which gets a copy of every envelope.
    pub spotlight: Option<&'a str>,
}

/// Without what may be secret.
impl fmt::Debug for DeliverySettings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliverySettings")
            .field("queue_bytes", &self.queue_bytes)
            .field("retry_timeout", &self.retry_timeout)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("compression", &self.compression)
            .field("spool_dir", &self.spool_dir)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DeliveryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryOptions")
            .field("queue_bytes", &self.queue_bytes)
            .field("retry_timeout", &self.retry_timeout)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("compression", &self.compression)
            .field("spool_dir", &self.spool_dir)
            .field("spotlight", &self.spotlight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_spool_dir_is_not_the_working_directory() {
        for blank in ["", " ", "\t\n"] {
            assert_eq!(Options::new().spool_dir(blank).delivery().spool_dir, None, "{blank:?}");
            let set_before = Options::new().spool_dir("/var/spool/shop").spool_dir(blank);
            assert_eq!(set_before.delivery().spool_dir, None, "{blank:?}");
        }
        for folder in [".", "spool", "/var/spool/shop", " spool"] {
            assert_eq!(
                Options::new().spool_dir(folder).delivery().spool_dir,
                Some(Path::new(folder)),
                "{folder:?}"
            );
        }
    }
}
