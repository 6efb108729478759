//! The handle to the worker.

use std::sync::Arc;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use sentrace_core::{Deliver, Finished, Losses, Options};
use sentrace_protocol::Dsn;

use crate::StartError;
use crate::control::Control;
use crate::in_flight::MAX_POSTS;
use crate::post::Ingest;
use crate::queue::Queue;
use crate::reports::{INTERVAL, Reports};
use crate::thread::{self, Shared};
use crate::worker::Worker;

/// Delivers finished transactions to the ingest of one DSN, from a thread of its own.
///
/// Many posts are under way at the same time, over kept connections and compressed with gzip. Handing a transaction
/// over never waits: what the queue has no room for is refused and counted as `queue_overflow`. Everything that was
/// handed over is delivered, turned away by the ingest with 429 (which counts it itself), or counted in the
/// [`Losses`], which are told to Sentry as client reports every 30 seconds, on flush and on closing.
///
/// Rate limits, outcomes and reports follow the Sentry SDK specification, *Rate Limiting* and *Client Reports* 1.20.
/// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are heeded, except towards this machine. Its own requests are not traced.
///
/// Dropping it waits for nothing: the thread goes on for at most [`Options::shutdown_timeout`] and ends by itself.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use sentrace_core::{Client, Losses, Options};
/// use sentrace_delivery::Delivery;
///
/// let options = Options::new().dsn("http://key@localhost:8969/1").traces_sample_rate(1.0);
/// let losses = Arc::new(Losses::default());
/// let dsn = options.get_dsn().ok_or("no DSN")?.clone();
/// let delivery = Delivery::start(dsn, &options, Arc::clone(&losses))?;
/// let client = Client::new(options, Arc::new(delivery), losses)?;
/// client.start_transaction("send invoice", "queue.task").finish();
/// client.close(Duration::from_secs(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Delivery {
    queue: Arc<Queue>,
    control: Arc<Control>,
    worker: ThreadId,
    grace: Duration,
}

impl Delivery {
    /// Starts the worker. Nothing is sent, and the ingest need not be there yet.
    ///
    /// # Errors
    /// [`StartError`] when the DSN's host cannot be in a URL, when the system has no trusted certificates for
    /// `https`, or when the system gives no thread.
    pub fn start(dsn: Dsn, options: &Options, losses: Arc<Losses>) -> Result<Self, StartError> {
        Self::start_reporting(dsn, options, losses, INTERVAL)
    }

    pub(crate) fn start_reporting(
        dsn: Dsn,
        options: &Options,
        losses: Arc<Losses>,
        interval: Duration,
    ) -> Result<Self, StartError> {
        let ingest = Ingest::new(&dsn, MAX_POSTS)?;
        let queue = Arc::new(Queue::new(options.get_queue_bytes(), Arc::clone(&losses)));
        let shared = Shared { queue, control: Arc::default(), losses };
        let Shared { queue, control, losses } = shared.clone();
        let reports =
            Reports::new(Arc::clone(&losses), options.sends_client_reports(), interval, Instant::now());
        let worker = Worker::new(queue, control, losses, ingest, reports);
        let Shared { queue, control, .. } = shared.clone();
        let worker = thread::start(worker, shared)?;
        Ok(Self { queue, control, worker, grace: options.get_shutdown_timeout() })
    }

    /// The worker cannot wait for itself; code of users runs there, too.
    fn is_called_by_worker(&self) -> bool {
        std::thread::current().id() == self.worker
    }
}

impl Deliver for Delivery {
    fn deliver(&self, finished: Finished) {
        self.queue.push(finished);
    }

    /// Also posts what was lost so far as a client report and waits for that. May be called from anywhere, by several
    /// threads, within any runtime (whose thread it blocks), and while a panic unwinds.
    fn flush(&self, timeout: Duration) -> bool {
        !self.is_called_by_worker() && self.control.flush(timeout, || self.queue.wake())
    }

    /// Refuses what comes from now on and delivers what is there; what is not through when the time is over is counted
    /// as `network_error`, and reported in the last quarter of the time (half a second at most). `false` where
    /// something was given up.
    fn close(&self, timeout: Duration) -> bool {
        self.queue.close();
        self.control.request_close(timeout);
        self.queue.wake();
        !self.is_called_by_worker() && self.control.wait_for_end(timeout)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.queue.close();
        self.control.request_close(self.grace);
        self.queue.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sentrace_core::Client;
    use sentrace_protocol::{Category, Reason};

    use super::*;
    use crate::support::{Ingest, LONG, Reply, Tally, counted, record};

    const INTERVAL: Duration = Duration::from_millis(200);

    fn client(ingest: &Ingest) -> (Client, Arc<Losses>) {
        let options = Options::new().dsn(ingest.dsn()).traces_sample_rate(1.0);
        let losses = Arc::new(Losses::default());
        let dsn = options.get_dsn().unwrap().clone();
        let delivery = Delivery::start_reporting(dsn, &options, Arc::clone(&losses), INTERVAL).unwrap();
        (Client::new(options, Arc::new(delivery), Arc::clone(&losses)).unwrap(), losses)
    }

    #[test]
    fn losses_are_reported_by_themselves_when_it_is_time() {
        let ingest = Ingest::ok();
        let start = Instant::now();
        let (_client, losses) = client(&ingest);
        losses.record_transaction(Reason::SampleRate, 2);
        let received = ingest.wait_for(|received| !received.is_empty());
        assert!(start.elapsed() >= INTERVAL, "not one by one");
        assert!(received[0].item("client_report").is_some() && received[0].item("transaction").is_none());
        assert_eq!(ingest.reported_losses(), Tally::of(1, 2));
        assert_eq!(counted(&losses), Tally::default());
    }

    #[test]
    fn a_report_goes_with_a_transaction_where_one_goes_anyway() {
        let ingest = Ingest::ok();
        let (client, losses) = client(&ingest);
        let start = Instant::now();
        // Often enough that one comes between the time for the report and the worker looking by itself.
        while !ingest.received().iter().any(|request| request.items.len() == 2) {
            assert!(start.elapsed() < LONG, "no report went along");
            losses.record(Reason::SampleRate, Category::Span, 1);
            record(&client, "frequent", 0);
        }
        let received = ingest.received();
        let request = received.iter().find(|request| request.items.len() == 2).unwrap();
        let kinds: Vec<&str> = request.items.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["transaction", "client_report"]);
        assert!(request.envelope_headers["event_id"].is_string());
    }

    #[test]
    fn a_report_that_went_along_with_a_refused_transaction_is_counted_again() {
        let ingest = Ingest::start(|_| Reply::status(500));
        let (client, losses) = client(&ingest);
        let start = Instant::now();
        let mut recorded = Tally::default();
        while !ingest.received().iter().any(|request| request.item("client_report").is_some()) {
            assert!(start.elapsed() < LONG, "no report was tried");
            record(&client, "frequent", 1);
            recorded = recorded + Tally::of(1, 1);
        }
        assert!(client.close(LONG));
        assert_eq!(counted(&losses), recorded);
    }
}
