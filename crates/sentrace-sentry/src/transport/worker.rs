//! The thread between the queue and the transport.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, Thread};
use std::time::{Duration, Instant, SystemTime};

use sentrace_core::diagnostics::on_behalf_of;
use sentrace_core::{Losses, diagnostics, guarded};
use sentrace_protocol::{ClientReport, Reason};
use sentry_core::{Envelope, Transport};

use super::control::Control;
use super::encode::Encoder;
use super::hand::Hand;
use super::queue::Queue;

/// How long the worker naps while there is work now and then.
const NAP: Duration = Duration::from_millis(5);
/// How many naps without work it takes until it sleeps.
const NAPS: u32 = 200;
/// Losses are reported so often (Sentry SDK specification, *Client Reports* 1.20).
const REPORT_INTERVAL: Duration = Duration::from_secs(30);
/// Entries that surely fit in the 4 KiB of a report.
const REPORT_ENTRIES: usize = 40;
/// How long a transport is waited for at a time; each wait in vain doubles it.
const PATIENCE: Duration = Duration::from_millis(250);
const MAX_PATIENCE: Duration = Duration::from_secs(8);

pub(super) struct Worker {
    queue: Arc<Queue>,
    hand: Arc<Hand>,
    control: Arc<Control>,
    transport: Arc<dyn Transport>,
    encoder: Encoder,
    losses: Arc<Losses>,
    reports: bool,
    next_report: Instant,
    /// How many envelopes the transport has room for, and how many it may still hold.
    room: usize,
    held: usize,
    gave_up: bool,
}

/// Starts the thread. `debug`: whether its client is in debug mode.
pub(super) fn start(worker: Worker, debug: bool) -> io::Result<Thread> {
    let thread = Builder::new()
        .name("sentrace-transport".to_owned())
        .spawn(move || on_behalf_of(debug, || worker.run()))?;
    Ok(thread.thread().clone())
}

impl Worker {
    #[expect(clippy::too_many_arguments, reason = "each is something else, and there is one caller")]
    pub(super) fn new(
        queue: Arc<Queue>,
        hand: Arc<Hand>,
        control: Arc<Control>,
        transport: Arc<dyn Transport>,
        encoder: Encoder,
        losses: Arc<Losses>,
        reports: bool,
        room: usize,
    ) -> Self {
        let next_report = Instant::now() + REPORT_INTERVAL;
        Self {
            queue,
            hand,
            control,
            transport,
            encoder,
            losses,
            reports,
            next_report,
            room,
            held: 0,
            gave_up: false,
        }
    }

    fn run(mut self) {
        let ends = EndOnDrop {
            queue: Arc::clone(&self.queue),
            hand: Arc::clone(&self.hand),
            control: Arc::clone(&self.control),
        };
        let mut idle = 0;
        loop {
            let worked = self.send_queued();
            if let Some(by) = self.control.close_by() {
                self.shut_down(by);
                break;
            }
            if let Some(flush) = self.control.wanted_flush() {
                self.report();
                let confirmed = self.flush_transport(flush.by.saturating_duration_since(Instant::now()));
                self.control.flushed(flush, confirmed);
                continue;
            }
            let now = Instant::now();
            if now >= self.next_report {
                self.report();
                self.next_report = now + REPORT_INTERVAL;
            }
            idle = if worked { 0 } else { idle + 1 };
            if idle < NAPS {
                self.queue.nap(NAP);
            } else {
                self.queue.sleep(self.next_report.saturating_duration_since(now));
            }
        }
        drop(ends);
        // Only now: the transport may wait for its own thread.
        drop(self.transport);
    }

    /// Hands over what is there, until it is time to close. Whether there was something.
    fn send_queued(&mut self) -> bool {
        let mut any = false;
        while let Some(finished) = self.queue.pop() {
            any = true;
            if !self.hand.take(&finished) {
                break;
            }
            if !self.has_room() {
                self.hand.lose(Reason::NetworkError);
                self.gave_up = true;
                break;
            }
            match self.encoder.transaction(&finished) {
                Ok((envelope, missing)) => {
                    // The hook may have blocked for so long that the caller of `close` has given up.
                    if self.hand.hand_on(missing) && !self.hand_over(envelope) {
                        self.queue.lose(&finished, Reason::InternalSdkError);
                    }
                }
                Err(reason) => self.hand.lose(reason),
            }
        }
        any
    }

    fn shut_down(&mut self, by: Instant) {
        self.send_queued();
        self.gave_up |= self.queue.give_up(Reason::NetworkError);
        self.report();
        let confirmed = self.flush_transport(by.saturating_duration_since(Instant::now()));
        self.control.end(confirmed && !self.gave_up);
    }

    /// Waits until the transport has room; `false` where it is time to close first.
    fn has_room(&mut self) -> bool {
        let mut patience = PATIENCE;
        while self.held >= self.room {
            let close_by = self.control.close_by();
            let left = close_by.map(|by| by.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            self.flush_transport(left.map_or(patience, |left| left.min(patience)));
            patience = (patience * 2).min(MAX_PATIENCE);
        }
        true
    }

    /// A panic in the transport costs one envelope.
    fn hand_over(&mut self, envelope: Envelope) -> bool {
        self.held += 1;
        guarded(|| self.transport.send_envelope(envelope)).is_some()
    }

    fn flush_transport(&mut self, timeout: Duration) -> bool {
        let confirmed = guarded(|| self.transport.flush(timeout)).unwrap_or(false);
        if confirmed {
            self.held = 0;
        }
        confirmed
    }

    fn report(&mut self) {
        // Room first: nothing may be on its way while the transport is waited for.
        while self.reports && !self.losses.peek().is_empty() && self.has_room() && !self.hand.is_given_up() {
            let mut discarded = self.losses.take();
            let later = discarded.split_off(discarded.len().min(REPORT_ENTRIES));
            self.losses.restore(&later);
            let report = ClientReport { timestamp: Some(SystemTime::now().into()), discarded };
            let envelope = self.encoder.report(&report);
            if !envelope.is_some_and(|envelope| self.hand_over(envelope)) {
                return self.losses.restore(&report.discarded);
            }
        }
    }
}

/// Also where the worker itself panics: then too nobody waits for it in vain, and nothing goes uncounted.
struct EndOnDrop {
    queue: Arc<Queue>,
    hand: Arc<Hand>,
    control: Arc<Control>,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.queue.give_up(Reason::InternalSdkError);
        self.hand.give_up(Reason::InternalSdkError);
        self.control.end(false);
        if std::thread::panicking() {
            diagnostics::warn(format_args!(
                "the thread between sentrace and the transport died of a panic: nothing is sent from now on, and all of it is \
                 counted as lost; restart the service, and report the panic to the authors of sentrace"
            ));
        }
    }
}
