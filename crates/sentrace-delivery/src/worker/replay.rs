//! Sends what the spool kept, without hurting fresh traffic.

use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use super::Worker;
use crate::backoff;
use crate::parcel::{Kind, Parcel};

/// Between two rounds (Sentry SDK specification, *Offline Caching*).
const PAUSE: Duration = Duration::from_millis(100);
/// The longest wait for an ingest that is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Kept envelopes that are posted in one round, and are under way at the same time.
const AT_ONCE: usize = 32;

impl Worker {
    /// Posts some of what was kept, oldest first, where nothing fresh waits and nothing speaks against it.
    pub(super) fn replay(&mut self) {
        let now = Instant::now();
        if self.spool.as_ref().is_none_or(|spool| !spool.has_more()) {
            return;
        }
        if now >= self.replay_at {
            self.replay_at = now + PAUSE;
            self.replay_left = AT_ONCE;
        }
        // What is fresh was posted before, as far as there is room.
        if self.in_flight.len() > self.reach.posts() / 2 {
            return;
        }
        // Whether anybody is there can be learned from one.
        let at_once = if self.replay_failures > 0 { 1 } else { AT_ONCE };
        while self.replay_left > 0
            && let Some(spool) = self.spool.as_mut().filter(|spool| spool.under_way() < at_once)
        {
            // Oldest first, for one category as for the other: who is limited holds up what comes after it.
            let limited = |category| self.limits.is_active(category, now);
            if spool.next_category().is_none_or(limited) {
                return;
            }
            let Some((load, kept, file)) = spool.next() else { return };
            self.replay_left -= 1;
            match self.encoder.restamp_from_spool(&kept) {
                Some(body) => {
                    self.post(Parcel::new(load, body, Kind::Kept(file)));
                }
                None => {
                    load.discard(Reason::InternalSdkError);
                    spool.settled(file);
                }
            }
        }
    }

    /// Waits with the rest of the spool: the longer, the longer nobody answers. Posts that were under way together
    /// count as one failure.
    pub(super) fn postpone_replay(&mut self, posted_at: Option<Instant>, now: Instant) {
        if self.replay_failed_at.is_some_and(|failed_at| posted_at.is_some_and(|at| at <= failed_at)) {
            return;
        }
        self.replay_failed_at = Some(now);
        self.replay_failures = self.replay_failures.saturating_add(1);
        let pause = backoff::pause(self.replay_failures, Duration::from_secs(1), LONGEST_PAUSE);
        self.replay_at = self.replay_at.max(now + pause);
        self.replay_left = 0;
    }

    /// Somebody is there again.
    pub(super) fn resume_replay(&mut self, now: Instant) {
        self.replay_failures = 0;
        self.replay_at = now;
    }
}
