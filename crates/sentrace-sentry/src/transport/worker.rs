//! The thread between the outbox and the transport.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use sentrace_core::adapter::catch_panic;
use sentrace_outbox::{Consignment, Consumer, End, EnvelopeBuilder, Outbox, ReportSchedule};
use sentrace_protocol::Reason;
use sentry_core::{Envelope, Transport};

/// How long the worker polls for while there is work now and then.
const NAP: Duration = Duration::from_millis(5);
/// Naps without work after which the worker sleeps until it is woken.
const MAX_IDLE_NAPS: u32 = 200;
/// How long a flush of the transport may take. Each one that times out doubles it.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(250);
const MAX_FLUSH_TIMEOUT: Duration = Duration::from_secs(8);

pub(super) struct Worker {
    outbox: Arc<Outbox>,
    woken: Receiver<()>,
    transport: Arc<dyn Transport>,
    builder: EnvelopeBuilder,
    schedule: ReportSchedule,
    /// How many envelopes the transport has room for.
    capacity: usize,
    /// How many of those it may still hold.
    held: usize,
    gave_up: bool,
}

impl Worker {
    pub(super) fn new(
        outbox: Arc<Outbox>,
        woken: Receiver<()>,
        transport: Arc<dyn Transport>,
        builder: EnvelopeBuilder,
        schedule: ReportSchedule,
        capacity: usize,
    ) -> Self {
        Self { outbox, woken, transport, builder, schedule, capacity, held: 0, gave_up: false }
    }

    pub(super) fn run(mut self, consumer: Consumer) {
        consumer.start();
        let mut idle_naps = 0;
        loop {
            let worked = self.send_queued();
            if self.outbox.requests().close_deadline().is_some() {
                self.shut_down();
                break;
            }
            if let Some(flush) = self.outbox.requests().pending_flush() {
                self.report(Instant::now());
                let flushed = self.flush_transport(flush.by.saturating_duration_since(Instant::now()));
                self.outbox.requests().complete_flush(flush.number, flushed);
                continue;
            }
            let now = Instant::now();
            if self.schedule.is_due(now) {
                self.report(now);
            }
            idle_naps = if worked { 0 } else { idle_naps + 1 };
            self.wait(now, idle_naps);
        }
        drop(consumer);
        // Only now: the transport may wait for its own thread.
        drop(self.transport);
    }

    /// Waits until there may be something to do.
    fn wait(&self, now: Instant, idle_naps: u32) {
        if idle_naps < MAX_IDLE_NAPS {
            let _ = self.woken.recv_timeout(NAP);
        } else if let Some(_asleep) = self.outbox.queue().fall_asleep() {
            let _ = self.woken.recv_timeout(self.schedule.due_in(now));
        }
    }

    /// Hands over what is queued, until it is time to close. Returns `true` if anything was.
    fn send_queued(&mut self) -> bool {
        let mut any = false;
        while let Some(finished) = self.outbox.queue().pop() {
            any = true;
            let consignment = Consignment::of(&finished, self.outbox.account());
            if self.outbox.account().is_given_up() {
                break;
            }
            if !self.wait_for_capacity() {
                consignment.discard(Reason::NetworkError);
                self.gave_up = true;
                break;
            }
            let sent_at = Some(SystemTime::now().into());
            let Some((consignment, bytes)) = self.builder.transaction(&finished, consignment, sent_at, None)
            else {
                continue;
            };
            let Some(envelope) = raw(bytes) else { continue };
            let tally = consignment.tally();
            // The hook may have blocked for so long that the caller of `close` has given up.
            if consignment.hand_over() && !self.hand_over(envelope) {
                tally.discard(Reason::InternalSdkError, self.outbox.account().losses());
            }
        }
        any
    }

    fn shut_down(&mut self) {
        self.send_queued();
        self.outbox.queue().end();
        self.gave_up |= self.outbox.queue().discard_all(Reason::NetworkError);
        self.report(Instant::now());
        let flushed = self.flush_transport(self.time_to_close().unwrap_or_default());
        self.outbox.requests().end(if flushed && !self.gave_up { End::Complete } else { End::CutShort });
    }

    /// Returns the time that is left once a close is requested.
    fn time_to_close(&self) -> Option<Duration> {
        let deadline = self.outbox.requests().close_deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Waits until the transport has room. Returns `false` if it is time to close first.
    fn wait_for_capacity(&mut self) -> bool {
        let mut timeout = FLUSH_TIMEOUT;
        while self.held >= self.capacity {
            let left = self.time_to_close();
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            self.flush_transport(left.map_or(timeout, |left| left.min(timeout)));
            timeout = (timeout * 2).min(MAX_FLUSH_TIMEOUT);
        }
        true
    }

    /// Returns `false` if the transport panicked, which costs this envelope only.
    fn hand_over(&mut self, envelope: Envelope) -> bool {
        self.held += 1;
        let send = || catch_panic(|| self.transport.send_envelope(envelope));
        self.outbox.account().run_user_code(send).is_some()
    }

    fn flush_transport(&mut self, timeout: Duration) -> bool {
        let flush = || catch_panic(|| self.transport.flush(timeout));
        let flushed = self.outbox.account().run_user_code(flush).unwrap_or(false);
        if flushed {
            self.held = 0;
        }
        flushed
    }

    fn report(&mut self, now: Instant) {
        for (consignment, report) in self.schedule.take(self.outbox.account(), now) {
            // What is not handed over returns to the counters.
            if !self.wait_for_capacity() || self.outbox.account().is_given_up() {
                return;
            }
            let envelope = self.builder.report(&report).and_then(raw);
            if envelope.is_some_and(|envelope| self.hand_over(envelope)) {
                consignment.delivered();
            }
        }
    }
}

/// Parsed, the official crate would drop the fields that it does not know.
fn raw(envelope: &[u8]) -> Option<Envelope> {
    Envelope::from_bytes_raw(envelope.to_vec()).ok()
}
