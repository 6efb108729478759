//! Traces through the official client's transport.

mod worker;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use sentrace_core::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace_core::diagnostics::with_debug_mode;
use sentrace_core::{Client, DeliveryStats, Options};
use sentrace_outbox::{Consumer, EnvelopeBuilder, Hooks, Outbox, REPORT_INTERVAL, ReportSchedule};
use sentry_core::TransportOptions;

use self::worker::Worker;
use crate::TransportError;

/// Envelopes that any official transport has room for. Its channel holds 30 unless it is configured otherwise.
const MAX_ENVELOPES: usize = 16;

/// Delivers finished transactions through a transport like that of the official client: created by its factory, with its
/// DSN, proxies and certificates.
///
/// Use it with special transports: one that reaches Sentry where nothing else does, or one that a test reads. Otherwise use
/// [`options_from`](crate::options_from) alone and let `sentrace::init` deliver: official transports post one envelope at a
/// time, uncompressed, do not retry, and do not report outcomes.
///
/// The transport is separate from the official client's, so that traces take no capacity from errors, unless the factory
/// always returns the same one. Handing over a transaction never waits: what exceeds [`Options::queue_bytes`] is discarded
/// and counted as `queue_overflow`. A thread builds the payloads, runs the hooks, and hands over no more than the transport
/// has room for. From there on the transport is responsible. Losses before that are sent to Sentry as client reports every 30
/// seconds, on flush and on close. Spans are not streamed, and options about retries, compression, the spool and Spotlight
/// have no effect.
///
/// ```no_run
/// use sentrace_sentry::TransportDeliver;
///
/// let sentry = sentry::init("https://key@o1.ingest.example.com/42");
/// let options = sentrace_sentry::options_from(&sentry).traces_sample_rate(0.25);
/// let client = TransportDeliver::client(&sentry, options)?;
/// client.bind(); // what names no client finds this one
/// // ...
/// client.close(std::time::Duration::from_secs(2)); // before the guard of `sentry` is dropped
/// # Ok::<(), sentrace_sentry::TransportError>(())
/// ```
///
/// Follows the Sentry SDK specification, *Client Reports* 1.20 and *Envelopes*.
#[derive(Debug)]
pub struct TransportDeliver {
    outbox: Arc<Outbox>,
    shutdown_timeout: Duration,
}

impl TransportDeliver {
    /// Creates a client with these options that delivers through the transport of `official`. It is not global until it is
    /// [bound](Client::bind).
    ///
    /// # Errors
    /// [`TransportError`] if an option is invalid, if `official` sends nothing, or if the thread cannot be started.
    pub fn client(official: &sentry_core::Client, options: Options) -> Result<Client, TransportError> {
        let losses = Arc::new(Losses::default());
        let options = options.validated()?;
        let deliver = Self::start(official, &options, Arc::clone(&losses))?;
        Ok(Client::new(options, Arc::new(deliver), losses)?)
    }

    /// Creates the transport and starts the worker. What is lost is counted in `losses`.
    ///
    /// # Errors
    /// [`TransportError`] if `official` has no DSN or no transport, or if the thread cannot be started.
    pub fn start(
        official: &sentry_core::Client,
        options: &Options,
        losses: Arc<Losses>,
    ) -> Result<Self, TransportError> {
        let (of, settings) = (official.options(), options.delivery());
        let factory = of.transport.as_ref().ok_or(TransportError::NoTransport)?;
        let transport = TransportOptions::try_from_client_options(of).ok_or(TransportError::NoTransport)?;
        let transport = factory.create_transport_with_options(transport);
        let capacity = of.transport_channel_capacity.map_or(MAX_ENVELOPES, std::num::NonZeroUsize::get);
        let (wake, woken) = sync_channel(1);
        // Spans are not streamed, so none waits for others.
        let outbox = Outbox::new(settings.queue_bytes, Duration::ZERO, losses, move || {
            // A full channel holds a wake-up already.
            let _ = wake.try_send(());
        });
        let outbox = Arc::new(outbox);
        let builder = EnvelopeBuilder::new(Hooks::new(&settings));
        let schedule = ReportSchedule::new(settings.send_client_reports, REPORT_INTERVAL, Instant::now());
        let capacity = capacity.min(MAX_ENVELOPES);
        let worker = Worker::new(Arc::clone(&outbox), woken, transport, builder, schedule, capacity);
        let (consumer, debug) = (Consumer::new(Arc::clone(&outbox)), settings.debug);
        std::thread::Builder::new()
            .name("sentrace-transport".to_owned())
            .spawn(move || with_debug_mode(debug, || worker.run(consumer)))
            .map_err(TransportError::Thread)?;
        Ok(Self { outbox, shutdown_timeout: settings.shutdown_timeout })
    }
}

impl Deliver for TransportDeliver {
    fn deliver(&self, finished: FinishedTransaction) {
        self.outbox.deliver(finished);
    }

    fn stats(&self) -> DeliveryStats {
        self.outbox.stats().unwrap_or_default()
    }

    /// Also flushes the transport, as far as the transport supports it. Returns `false` at once in a forked child.
    fn flush(&self, timeout: Duration) -> bool {
        self.outbox.flush(timeout)
    }

    /// Refuses what comes from now on and hands over what is queued. What the transport has not taken in time is counted
    /// as `network_error`, even if a hook or the transport blocks the worker. Returns `false` at once in a forked child.
    fn close(&self, timeout: Duration) -> bool {
        self.outbox.close(timeout)
    }
}

impl Drop for TransportDeliver {
    fn drop(&mut self) {
        self.outbox.request_close(self.shutdown_timeout);
    }
}
