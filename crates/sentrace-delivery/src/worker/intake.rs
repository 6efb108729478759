//! What comes next out of the outbox, and when to look.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::deliver::FinishedTransaction;
use sentrace_outbox::{Consignment, Outbox, SpanBatch};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::rounds::Rounds;

/// How long the worker waits at most while no more posts may start: some may have become slow meanwhile.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(1);

/// The worker's side of the outbox.
#[derive(Debug)]
pub(crate) struct Intake {
    outbox: Arc<Outbox>,
    /// Notified by the outbox.
    wakes: Arc<Notify>,
    rounds: Rounds,
    /// Transactions and batches of spans that left the outbox.
    taken: u64,
}

impl Intake {
    pub(crate) fn new(outbox: Arc<Outbox>, wakes: Arc<Notify>) -> Self {
        Self { outbox, wakes, rounds: Rounds::new(Instant::now()), taken: 0 }
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns `true` if it is time to take what is queued.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.rounds.is_due(now) || self.outbox.queue().is_filling()
    }

    /// Takes the next transaction, with its position among all that was taken.
    pub(super) fn next(&mut self) -> Option<(FinishedTransaction, Consignment, u64)> {
        let finished = self.outbox.queue().pop()?;
        let consignment = Consignment::of(&finished, self.outbox.account());
        Some((finished, consignment, self.number()))
    }

    /// Takes the next batch of spans that is ready, with its position.
    pub(super) fn next_batch(&mut self) -> Option<(SpanBatch, u64)> {
        let batch = self.outbox.span_buckets().pop()?;
        Some((batch, self.number()))
    }

    /// Returns the number of transactions and batches that were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Returns what [`taken`](Self::taken) will be once everything is taken that is queued now.
    pub(super) fn target(&self) -> u64 {
        let batches = self.outbox.span_buckets().flush(Instant::now());
        self.taken + self.outbox.queue().len() as u64 + batches as u64
    }

    /// Returns `true` if nothing is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.outbox.queue().is_empty() && self.outbox.span_buckets().is_empty()
    }

    /// Records that the queues are empty, and how many were taken since they were last.
    pub(super) fn end_round(&mut self, taken: u32, now: Instant) {
        self.rounds.end(taken, now);
    }

    /// Returns how long until there may be spans to take. `can_take` tells whether a batch that is ready could be sent: if
    /// not, a post that ends makes the difference, and not the clock.
    pub(super) fn due_in(&self, can_take: bool, now: Instant) -> Duration {
        let buckets = self.outbox.span_buckets();
        let spans = match buckets.has_ready() {
            true if can_take => Duration::ZERO,
            true => Duration::MAX,
            false => buckets.due_in(now),
        };
        spans.max(self.rounds.due_in(now))
    }

    /// Waits for at most `due_in`: until the next round, until something is pushed if nothing was for a while, or until
    /// the outbox wakes the worker. If the worker does not `take` at present, pushes do not end the wait.
    pub(super) async fn wait(&mut self, takes: bool, due_in: Duration) {
        if takes && self.rounds.may_sleep() {
            tokio::select! {
                biased;
                () = self.pushed() => self.rounds.wake(Instant::now()),
                () = sleep(due_in) => {}
            }
        } else {
            let longest = if takes { self.rounds.due_in(Instant::now()) } else { MAX_WAIT };
            let _ = timeout(due_in.min(longest), self.woken()).await;
        }
    }

    /// Waits until the outbox wakes the worker.
    pub(super) async fn woken(&self) {
        self.wakes.notified().await;
    }

    /// Waits until something is pushed. May return early.
    async fn pushed(&self) {
        if let Some(_asleep) = self.outbox.queue().fall_asleep() {
            self.woken().await;
        }
    }

    fn number(&mut self) -> u64 {
        self.taken += 1;
        self.taken - 1
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;
    use crate::support::LONG;

    fn intake() -> Intake {
        let wakes = Arc::<Notify>::default();
        let wake = Arc::clone(&wakes);
        let outbox = Outbox::new(1 << 20, Duration::ZERO, Arc::default(), move || wake.notify_one());
        Intake::new(Arc::new(outbox), wakes)
    }

    #[test]
    fn a_wait_ends_when_the_outbox_is_woken_and_when_its_time_is_over() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let mut intake = intake();
        runtime.block_on(async {
            for takes in [true, false] {
                timeout(LONG, intake.wait(takes, Duration::from_millis(5))).await.unwrap();
                intake.outbox().queue().wake();
                timeout(LONG, intake.wait(takes, Duration::MAX)).await.unwrap();
            }
            (0..3).for_each(|_| intake.end_round(0, Instant::now()));
            timeout(Duration::from_millis(20), intake.wait(true, Duration::MAX))
                .await
                .expect_err("nothing came");
            intake.outbox().queue().wake();
            timeout(LONG, intake.wait(true, Duration::MAX)).await.unwrap();
            assert!(!intake.rounds.may_sleep());
        });
    }
}
