//! Traces through the official client's transport.

mod control;
mod encode;
mod hand;
mod process;
mod queue;
mod worker;

use std::sync::Arc;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use sentrace_core::{Client, Deliver, Finished, Losses, Options};
use sentrace_protocol::Reason;
use sentry_core::TransportOptions;

use self::control::Control;
use self::encode::Encoder;
use self::hand::Hand;
use self::process::Process;
use self::queue::Queue;
use self::worker::{Worker, start};
use crate::StartError;

/// What is set aside of the time to close for the worker to count what it gives up.
const COUNTING: Duration = Duration::from_millis(50);
/// How many envelopes an official transport surely has room for (it has for 30, unless it is told otherwise).
const ENVELOPES_AT_ONCE: usize = 16;

/// Delivers finished transactions through a transport like that of the official client: made by its factory, with its
/// DSN, proxies and certificates.
///
/// This is for transports that are special: one that reaches Sentry where nothing else does, or that a test reads.
/// Otherwise take [`options_of`](crate::options_of) alone and let `sentrace::init` deliver: official transports post one
/// envelope after the other, uncompressed, try nothing twice and tell nobody what became of it.
///
/// It is a transport of its own, so that traces take no room from errors, unless the factory gives out the same one
/// every time. Handing a transaction over never waits: what [`Options::queue_bytes`] has no room for is refused and
/// counted as `queue_overflow`. A thread builds the payloads, runs `before_send_transaction`, and hands over no more
/// than the transport has room for. From there on the transport answers for them. Losses up to there are told to Sentry
/// in client reports, every 30 seconds, on flush and on closing. Spans are not
/// streamed, and options about retries, compression, the spool and Spotlight mean nothing here.
///
/// ```no_run
/// use sentrace_sentry::TransportDeliver;
///
/// let sentry = sentry::init("https://key@o1.ingest.example.com/42");
/// let options = sentrace_sentry::options_of(&sentry).traces_sample_rate(0.25);
/// let client = TransportDeliver::client(&sentry, options)?;
/// client.bind(); // what names no client finds this one
/// // ...
/// client.close(std::time::Duration::from_secs(2)); // before the guard of `sentry` is dropped
/// # Ok::<(), sentrace_sentry::StartError>(())
/// ```
///
/// Follows the Sentry SDK specification, *Client Reports* 1.20 and *Envelopes*.
#[derive(Debug)]
pub struct TransportDeliver {
    queue: Arc<Queue>,
    hand: Arc<Hand>,
    control: Arc<Control>,
    worker: ThreadId,
    process: Process,
    grace: Duration,
}

impl TransportDeliver {
    /// A client with these options that delivers through the transport of `official`. It is not global until it is
    /// [bound](Client::bind).
    ///
    /// # Errors
    /// [`StartError`] where an option breaks its rule, where `official` sends nothing, and without a thread.
    pub fn client(official: &sentry_core::Client, options: Options) -> Result<Client, StartError> {
        let losses = Arc::new(Losses::default());
        let options = options.validated()?;
        let deliver = Self::start(official, &options, Arc::clone(&losses))?;
        Ok(Client::new(options, Arc::new(deliver), losses)?)
    }

    /// Makes the transport and starts the worker. What is lost is counted in `losses`.
    ///
    /// # Errors
    /// [`StartError`] where `official` has no DSN or no transport, and without a thread.
    pub fn start(
        official: &sentry_core::Client,
        options: &Options,
        losses: Arc<Losses>,
    ) -> Result<Self, StartError> {
        let of = official.options();
        let factory = of.transport.as_ref().ok_or(StartError::NoTransport)?;
        let about = TransportOptions::try_from_client_options(of).ok_or(StartError::NoTransport)?;
        let room = of.transport_channel_capacity.map_or(ENVELOPES_AT_ONCE, std::num::NonZeroUsize::get);
        let queue = Arc::new(Queue::new(options.get_queue_bytes(), Arc::clone(&losses)));
        let hand = Arc::new(Hand::new(Arc::clone(&losses)));
        let control = Arc::<Control>::default();
        let worker = Worker::new(
            Arc::clone(&queue),
            Arc::clone(&hand),
            Arc::clone(&control),
            factory.create_transport_with_options(about),
            Encoder::new(options),
            losses,
            options.sends_client_reports(),
            room.min(ENVELOPES_AT_ONCE),
        );
        let worker = start(worker, options.is_debug()).map_err(StartError::Thread)?;
        queue.served_by(worker.clone());
        let (worker, process) = (worker.id(), Process::this());
        Ok(Self { queue, hand, control, worker, process, grace: options.get_shutdown_timeout() })
    }

    /// The worker cannot wait for itself; code of users runs there, too.
    fn is_called_by_worker(&self) -> bool {
        std::thread::current().id() == self.worker
    }

    fn request_close(&self, timeout: Duration) {
        self.queue.close();
        self.control.request_close(after(timeout.saturating_sub(COUNTING.min(timeout / 8))));
        self.queue.wake();
    }
}

impl Deliver for TransportDeliver {
    fn deliver(&self, finished: Finished) {
        if self.process.is_forked() {
            return self.queue.lose(&finished, Reason::QueueOverflow);
        }
        self.queue.push(finished);
    }

    /// Also flushes the transport, as far as transports of its kind can be. Returns `false` at once in a forked process.
    fn flush(&self, timeout: Duration) -> bool {
        !self.process.is_forked()
            && !self.is_called_by_worker()
            && self.control.flush(timeout, || self.queue.wake())
    }

    /// Refuses what comes from now on and hands over what is there; what the transport has not taken when the time is
    /// over is counted as `network_error`, even if a hook or the transport blocks the worker. Returns `false` at once in a
    /// forked process.
    fn close(&self, timeout: Duration) -> bool {
        if self.process.is_forked() {
            return false;
        }
        let deadline = after(timeout);
        self.request_close(timeout);
        if self.is_called_by_worker() {
            return false;
        }
        let complete = self.control.wait_for_end(deadline);
        if complete.is_none() {
            // A hook or a transport that does not come back holds the worker: nothing more is going to be sent.
            self.queue.give_up(Reason::NetworkError);
            self.hand.give_up(Reason::NetworkError);
            self.control.end(false);
        }
        complete.unwrap_or(false)
    }
}

/// In a forked process nothing is closed: what is open belongs to the parent.
impl Drop for TransportDeliver {
    fn drop(&mut self) {
        if !self.process.is_forked() {
            self.request_close(self.grace);
        }
    }
}

/// When so much time is over; a time that no clock shows is as good as a very late one.
fn after(timeout: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(timeout.min(LONG)).unwrap_or(now)
}
