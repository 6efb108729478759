//! The handle to the worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::deliver::{
    Deliver, DeliverSpans, DeliverySettings, FinishedSpan, FinishedTransaction, Losses,
};
use sentrace_core::{DeliveryStats, Options, diagnostics};
use sentrace_outbox::{Consumer, Hooks, Outbox, REPORT_INTERVAL, ReportSchedule};
use sentrace_protocol::{Dsn, Reason};
use tokio::sync::Notify;

use crate::StartError;
use crate::envelope::Encoder;
use crate::error::OnMachine;
use crate::ingest::{Backpressure, HEALTH_CHECK_INTERVAL, HealthCheck, Ingest};
use crate::spool::Spool;
use crate::spotlight::Spotlight;
use crate::thread;
use crate::worker::{Archive, Intake, Reporter, Sender, Worker, WorkerStats};

/// Delivers finished transactions to the ingest of one DSN, from its own thread.
///
/// Many compressed posts are in flight at the same time, over kept connections, or one connection with HTTP/2. Handing over
/// a transaction never waits: if the queue is full, it is discarded and counted as `queue_overflow`. Everything else is
/// delivered, refused by the ingest with 429 (which counts it itself), kept on disk ([`Options::spool_dir`]), or counted in
/// the [`Losses`]. Losses are sent to Sentry as client reports every 30 seconds, on flush and on close.
///
/// If the network fails, a post is retried with growing pauses for [`Options::retry_timeout`]. Meanwhile few others start,
/// and transactions wait in the queue.
///
/// Rate limits, outcomes and reports follow the Sentry SDK specification, *Rate Limiting* and *Client Reports* 1.20.
/// The requests of delivery itself are not traced. On Linux its thread has a low priority: on a busy machine it delivers
/// less, and backpressure lowers the sample rates.
///
/// Dropping it does not wait: the thread continues for at most [`Options::shutdown_timeout`], and then ends.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use sentrace_core::{Client, Options};
/// use sentrace_core::deliver::Losses;
/// use sentrace_delivery::Delivery;
///
/// let options = Options::new().dsn("http://key@localhost:8969/1").traces_sample_rate(1.0);
/// let losses = Arc::new(Losses::default());
/// let dsn = options.delivery().dsn.ok_or("no DSN")?.clone();
/// let delivery = Delivery::start(dsn, &options, Arc::clone(&losses))?;
/// let client = Client::new(options, Arc::new(delivery), losses)?;
/// client.start_transaction("send invoice", "queue.task").finish();
/// client.close(Duration::from_secs(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Delivery {
    outbox: Arc<Outbox>,
    backpressure: Arc<Backpressure>,
    stats: Arc<WorkerStats>,
    reports: bool,
    shutdown_timeout: Duration,
}

impl Delivery {
    /// Starts the worker. This sends nothing, and the ingest need not be reachable yet.
    ///
    /// # Errors
    /// Returns [`StartError`] if the DSN's host, the proxy, the certificates or the spool's folder cannot be used, if the
    /// system has no trusted certificates for `https`, or if the thread cannot be started.
    pub fn start(dsn: Dsn, options: &Options, losses: Arc<Losses>) -> Result<Self, StartError> {
        Self::start_with(Some(&dsn), options, losses, Pace::default(), OnMachine::Fail)
    }

    /// Starts a worker that only sends to [`Options::spotlight`], for development without a DSN.
    ///
    /// # Errors
    /// Returns [`StartError`] if the thread cannot be started.
    pub fn start_without_dsn(options: &Options, losses: Arc<Losses>) -> Result<Self, StartError> {
        Self::start_with(None, options, losses, Pace::default(), OnMachine::Fail)
    }

    /// Starts the worker, and continues with a warning if the machine lacks something. Without a usable folder there is no
    /// spool, without certificates every post fails, and without a thread everything is counted as lost. Without a DSN, it
    /// only sends to [`Options::spotlight`].
    ///
    /// With [`Options::strict`], this is the same as [`start`](Self::start) or [`start_without_dsn`](Self::start_without_dsn).
    ///
    /// # Errors
    /// Returns [`StartError`] if an option works on no machine: the DSN's host, the proxy, the certificates.
    pub fn start_or_degrade(
        dsn: Option<&Dsn>,
        options: &Options,
        losses: Arc<Losses>,
    ) -> Result<Self, StartError> {
        let on_machine = if options.delivery().strict { OnMachine::Fail } else { OnMachine::Degrade };
        Self::start_with(dsn, options, losses, Pace::default(), on_machine)
    }

    pub(crate) fn start_with(
        dsn: Option<&Dsn>,
        options: &Options,
        losses: Arc<Losses>,
        pace: Pace,
        on_machine: OnMachine,
    ) -> Result<Self, StartError> {
        let settings = options.delivery();
        let wakes = Arc::<Notify>::default();
        let wake = Arc::clone(&wakes);
        let outbox = Outbox::new(settings.queue_bytes, settings.span_flush_interval, losses, move || {
            wake.notify_one();
        });
        let delivery = Self {
            outbox: Arc::new(outbox),
            backpressure: Arc::default(),
            stats: Arc::default(),
            reports: settings.send_client_reports && dsn.is_some(),
            shutdown_timeout: settings.shutdown_timeout,
        };
        let consumer = Consumer::new(Arc::clone(&delivery.outbox));
        let started = delivery
            .worker(wakes, dsn, &settings, pace, on_machine)
            .and_then(|worker| thread::start(worker.run(), consumer, settings.debug));
        if let Err(error) = started {
            on_machine.handle(error, "nothing is sent, and everything is counted as lost")?;
            delivery.outbox.give_up(Reason::InternalSdkError);
        }
        Ok(delivery)
    }

    fn worker(
        &self,
        wakes: Arc<Notify>,
        dsn: Option<&Dsn>,
        settings: &DeliverySettings<'_>,
        pace: Pace,
        on_machine: OnMachine,
    ) -> Result<Worker, StartError> {
        let now = Instant::now();
        let outbox = || Arc::clone(&self.outbox);
        // Delivery does not depend on a viewer.
        let spotlight = settings.spotlight.map(Spotlight::new).transpose();
        let spotlight = spotlight.unwrap_or_else(|error| {
            diagnostics::warn(format_args!("{error}"));
            None
        });
        let copies = spotlight.as_ref().map(Spotlight::copies);
        let encoder = Encoder::new(settings.compression, Hooks::new(settings), copies);
        let encoding = encoder.content_encoding();
        let ingest = dsn.map(|dsn| Ingest::new(dsn, settings, encoding, on_machine)).transpose()?;
        let sender = Sender::new(ingest, outbox(), Arc::clone(&self.stats), settings.retry_timeout);
        let archive = self.spool(dsn, settings, on_machine)?.map(Archive::new);
        let schedule = ReportSchedule::new(self.reports, pace.report, now);
        let check = HealthCheck::new(settings.backpressure_handling.then_some(pace.health_check), now);
        let reporter = Reporter::new(outbox(), schedule, check, Arc::clone(&self.backpressure));
        Ok(Worker::new(Intake::new(outbox(), wakes), encoder, sender, archive, reporter, spotlight))
    }

    fn spool(
        &self,
        dsn: Option<&Dsn>,
        settings: &DeliverySettings<'_>,
        on_machine: OnMachine,
    ) -> Result<Option<Spool>, StartError> {
        let Some((dsn, folder)) = dsn.zip(settings.spool_dir) else { return Ok(None) };
        match Spool::open(folder, dsn, settings.spool_bytes, Arc::clone(self.outbox.account())) {
            Ok(spool) => Ok(Some(spool)),
            Err(error) => {
                on_machine.handle(error, "until then what cannot be delivered is lost instead of kept")?;
                Ok(None)
            }
        }
    }

    /// Returns `true` if there are losses that should have been reported.
    fn is_unreported(&self) -> bool {
        self.reports && !self.outbox.account().losses().peek().is_empty()
    }
}

/// The intervals of what is done by the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) report: Duration,
    pub(crate) health_check: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { report: REPORT_INTERVAL, health_check: HEALTH_CHECK_INTERVAL }
    }
}

impl Deliver for Delivery {
    fn deliver(&self, finished: FinishedTransaction) {
        self.outbox.deliver(finished);
    }

    fn spans(&self) -> Option<&dyn DeliverSpans> {
        Some(self)
    }

    /// Increases every ten seconds in which the queue was full or a rate limit applies.
    fn downsample_factor(&self) -> u32 {
        self.backpressure.halvings()
    }

    fn stats(&self) -> DeliveryStats {
        let Some(mut stats) = self.outbox.stats() else { return DeliveryStats::default() };
        stats.downsample_factor = self.backpressure.halvings();
        self.stats.fill(&mut stats, Instant::now());
        stats
    }

    /// Also reports the losses so far. May be called by several threads, within any runtime (whose thread it blocks), and
    /// while a panic unwinds. Returns `false` at once on the worker's own thread and in a forked process.
    fn flush(&self, timeout: Duration) -> bool {
        self.outbox.flush(timeout)
    }

    /// Refuses new transactions and delivers what is queued. What is not settled in time is counted as `network_error` and
    /// reported within the last quarter of the timeout (at most half a second), or kept on disk if there is a spool. If a
    /// hook or a disk blocks the worker for longer, it is left behind, and everything that it holds is counted, so that the
    /// [`Losses`] are complete when this returns. On a busy machine that may take half a second longer. Of several calls, the
    /// earliest deadline applies.
    ///
    /// Returns `true` if nothing was given up and Sentry knows of all losses; see
    /// [`CloseReport`](sentrace_core::CloseReport). Returns `false` at once in a forked process.
    fn close(&self, timeout: Duration) -> bool {
        self.outbox.close(timeout) && !self.is_unreported()
    }
}

impl DeliverSpans for Delivery {
    /// Spans wait for others of their trace, for at most [`Options::span_flush_interval`].
    fn deliver_span(&self, span: FinishedSpan) {
        self.outbox.deliver_span(span);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.outbox.request_close(self.shutdown_timeout);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sentrace_core::{Client, TransactionOptions};
    use sentrace_outbox::Consignment;
    use sentrace_protocol::{Category, Reason};

    use super::*;
    use crate::support::{Ingest, LONG, Reply, Tally, counted, record, wait_until};

    const INTERVAL: Duration = Duration::from_millis(200);

    fn client(ingest: &Ingest) -> (Client, Arc<Losses>) {
        let options = Options::new().dsn(ingest.dsn()).traces_sample_rate(1.0);
        let losses = Arc::new(Losses::default());
        let pace = Pace { report: INTERVAL, ..Pace::default() };
        let delivery = Delivery::start_with(
            options.delivery().dsn,
            &options,
            Arc::clone(&losses),
            pace,
            OnMachine::Fail,
        )
        .unwrap();
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
        assert!(!client.close(LONG).complete, "Sentry knows of none of it");
        assert_eq!(counted(&losses), recorded);
    }

    #[test]
    fn a_worker_that_dies_holds_nobody_and_all_is_counted() {
        let options = Options::new().dsn("http://key@localhost:1/1").traces_sample_rate(1.0);
        let losses = Arc::new(Losses::default());
        let outbox = Arc::new(Outbox::new(1 << 20, Duration::MAX, Arc::clone(&losses), || ()));
        let (dies, told) = std::sync::mpsc::channel();
        let held = Consignment::new(sentrace_outbox::Tally { transactions: 1, spans: 1 }, outbox.account());
        let work = async move {
            let _held = held;
            let () = told.recv().unwrap();
            panic!("a fault of ours");
        };
        thread::start(work, Consumer::new(Arc::clone(&outbox)), false).unwrap();
        let (backpressure, stats) = (Arc::default(), Arc::default());
        let shutdown_timeout = Duration::MAX;
        let delivery = Delivery { outbox, backpressure, stats, reports: true, shutdown_timeout };
        let client = Client::new(options, Arc::new(delivery), Arc::clone(&losses)).unwrap();
        (0..5).for_each(|_| record(&client, "queued", 1));
        assert!(client.stats().delivery.running);
        let waiting = std::thread::spawn({
            let client = client.clone();
            move || client.close(LONG)
        });
        dies.send(()).unwrap();
        let closed = waiting.join().unwrap();
        assert!(!closed.complete && !client.stats().delivery.running);
        assert_eq!(counted(&losses), Tally::of(5, 1) + Tally::of(1, 0), "what was queued and what it held");
        assert_eq!(closed.unreported, losses.peek());
        (0..3).for_each(|_| record(&client, "late", 1));
        let start = Instant::now();
        assert!(client.flush(LONG), "nothing is left");
        assert!(!client.close(LONG).complete && start.elapsed() < LONG / 2, "nobody waits");
        assert_eq!(counted(&losses), Tally::of(8, 1) + Tally::of(1, 0));
    }

    #[test]
    fn trouble_halves_the_rate_and_its_end_restores_it() {
        let ingest = Ingest::start(|number| match number {
            0 => Reply::Answer(200, vec![("x-sentry-rate-limits", "1:transaction")]),
            _ => Reply::ok(),
        });
        let options = Options::new().dsn(ingest.dsn()).traces_sample_rate(1.0).send_client_reports(false);
        let losses = Arc::new(Losses::default());
        let pace = Pace { health_check: Duration::from_millis(20), ..Pace::default() };
        let delivery = Delivery::start_with(
            options.delivery().dsn,
            &options,
            Arc::clone(&losses),
            pace,
            OnMachine::Fail,
        )
        .unwrap();
        let delivery = Arc::new(delivery);
        let deliver: Arc<dyn Deliver> = Arc::<Delivery>::clone(&delivery);
        let client = Client::new(options, deliver, Arc::clone(&losses)).unwrap();
        assert_eq!(delivery.downsample_factor(), 0);
        record(&client, "the one that learns", 0);
        wait_until("ten halvings", || delivery.downsample_factor() == 10);
        for _ in 0..300 {
            record(&client, "under load", 1);
        }
        let dropped = |reason| losses.peek().iter().any(|events| events.reason == reason);
        assert!(dropped(Reason::Backpressure) && !dropped(Reason::SampleRate));
        wait_until("health", || delivery.downsample_factor() == 0);
        losses.take();
        record(&client, "afterwards", 1);
        assert!(client.flush(LONG));
        assert_eq!(counted(&losses), Tally::default());
        assert!(ingest.transactions().contains(&"afterwards".to_owned()));
    }

    #[test]
    fn a_full_queue_is_trouble() {
        let ingest = Ingest::start(|_| Reply::Stall(b""));
        let options = Options::new().dsn(ingest.dsn()).traces_sample_rate(1.0).queue_bytes(64 * 1024);
        for (handles, expected) in [(true, 10), (false, 0)] {
            let options = options.clone().backpressure_handling(handles);
            let losses = Arc::new(Losses::default());
            let pace = Pace { health_check: Duration::from_millis(20), ..Pace::default() };
            let delivery = Delivery::start_with(
                options.delivery().dsn,
                &options,
                Arc::clone(&losses),
                pace,
                OnMachine::Fail,
            );
            let delivery = Arc::new(delivery.unwrap());
            let deliver: Arc<dyn Deliver> = Arc::<Delivery>::clone(&delivery);
            let client =
                Client::new(options.clone().send_client_reports(false), deliver, Arc::clone(&losses));
            let client = client.unwrap();
            let (start, mut most) = (Instant::now(), 0);
            // Explicit decisions keep coming whatever the rate is.
            let explicit = TransactionOptions::new("task", "task").sampled(true);
            while most < expected.max(1)
                && start.elapsed() < Duration::from_millis(if handles { 30_000 } else { 300 })
            {
                client.start_transaction_with(&explicit).finish();
                most = most.max(delivery.downsample_factor());
            }
            assert_eq!(most, expected);
            client.close(Duration::from_millis(10));
        }
    }
}
