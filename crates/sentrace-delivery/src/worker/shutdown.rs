//! The worker's end: on time, with everything accounted for.

use std::time::{Duration, Instant};

use sentrace_protocol::Reason;
use tokio::time::timeout_at;

use super::Worker;
use crate::control::End;
use crate::load::Load;

/// The most that is set aside of the time to close for the last report.
const LAST_REPORT: Duration = Duration::from_millis(500);

impl Worker {
    /// Delivers what is left, and counts and reports what is left of that when the time is over.
    pub(super) async fn shut_down(mut self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let drain_until = deadline.checked_sub(LAST_REPORT.min(left / 4)).unwrap_or(deadline);
        let mut complete = timeout_at(drain_until.into(), self.drain()).await.is_ok();
        self.queue.end();
        while let Some(finished) = self.queue.pop() {
            complete = false;
            Load::transaction(&finished, &self.losses).lost(Reason::NetworkError);
        }
        self.give_up_posts().await;
        self.post_report(Instant::now());
        if timeout_at(deadline.into(), self.settle_all()).await.is_err() {
            self.give_up_posts().await;
        }
        self.control.end(if complete { End::Complete } else { End::CutShort });
    }

    async fn drain(&mut self) {
        loop {
            self.start_posts();
            self.answer_flushes();
            match self.in_flight.next().await {
                Some((load, outcome)) => self.settle(load, outcome),
                None => return,
            }
        }
    }

    async fn settle_all(&mut self) {
        while let Some((load, outcome)) = self.in_flight.next().await {
            self.settle(load, outcome);
        }
    }

    async fn give_up_posts(&mut self) {
        self.in_flight.abort();
        self.settle_all().await;
    }
}
