//! The spool, and when to post what it kept.

use std::time::{Duration, Instant};

use sentrace_outbox::Consignment;
use sentrace_protocol::Reason;

use super::sender::Sender;
use super::submission::{Origin, Submission};
use crate::backoff;
use crate::envelope::Encoder;
use crate::spool::Spool;

/// The pause between two rounds (Sentry SDK specification, *Offline Caching*).
const PAUSE: Duration = Duration::from_millis(100);
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Spooled envelopes that are posted per round, and in flight at the same time.
const MAX_POSTS: usize = 32;

/// A spool that is replayed while nothing new waits.
#[derive(Debug)]
pub(crate) struct Archive {
    spool: Spool,
    /// When the next round begins.
    replay_at: Instant,
    /// How many more may be posted in this round.
    round_left: usize,
    failures: u32,
    failed_at: Option<Instant>,
}

impl Archive {
    pub(crate) fn new(spool: Spool) -> Self {
        Self { spool, replay_at: Instant::now(), round_left: 0, failures: 0, failed_at: None }
    }

    /// Keeps an envelope that was [encoded](crate::envelope::Purpose::Spool) for the spool, and would otherwise be lost for
    /// `reason`.
    pub(super) fn keep(&mut self, consignment: Consignment, body: &[u8], reason: Reason, now: Instant) {
        self.spool.keep(consignment, body, reason, now);
    }

    /// Keeps an envelope that could not be posted, or leaves it where it came from.
    pub(super) fn keep_unposted(
        &mut self,
        submission: Submission,
        reason: Reason,
        encoder: &mut Encoder,
        now: Instant,
    ) {
        let Submission { consignment, origin, posted_at, .. } = submission;
        let Some(body) = encoder.restamp_for_spool(&submission.body) else {
            consignment.discard(Reason::InternalSdkError);
            return self.settled(origin);
        };
        match origin {
            Origin::Spool(file) => {
                self.spool.give_back(consignment, body, file);
                self.postpone(posted_at, now);
            }
            _ => self.spool.keep(consignment, &body, reason, now),
        }
    }

    /// Records that an envelope is accounted for, so that its file can be removed.
    pub(super) fn settled(&mut self, origin: Origin) {
        if let Origin::Spool(file) = origin {
            self.spool.settled(file);
        }
    }

    /// Posts some of what was kept, oldest first, if there is room beside what is new.
    pub(super) fn replay(&mut self, sender: &mut Sender, encoder: &mut Encoder, now: Instant) {
        if !self.spool.has_more() {
            return;
        }
        if now >= self.replay_at {
            self.replay_at = now + PAUSE;
            self.round_left = MAX_POSTS;
        }
        if !sender.is_calm() {
            return;
        }
        // One post is enough to learn whether the ingest responds.
        let max_posts = if self.failures > 0 { 1 } else { MAX_POSTS };
        while self.round_left > 0 && self.spool.in_flight() < max_posts {
            // The order is kept across categories: one that is limited holds up what follows.
            let limited = |category| sender.is_limited(category, now);
            if self.spool.next_category().is_none_or(limited) {
                return;
            }
            let Some((consignment, kept, file)) = self.spool.next() else { return };
            self.round_left -= 1;
            match encoder.restamp_from_spool(&kept) {
                Some(body) => {
                    sender.post(Submission::new(consignment, body, Origin::Spool(file)));
                }
                None => {
                    consignment.discard(Reason::InternalSdkError);
                    self.spool.settled(file);
                }
            }
        }
    }

    /// Pauses the replay: the longer, the more posts failed. Posts that were in flight together count as one failure.
    fn postpone(&mut self, posted_at: Option<Instant>, now: Instant) {
        if self.failed_at.is_some_and(|failed_at| posted_at.is_some_and(|at| at <= failed_at)) {
            return;
        }
        self.failed_at = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.replay_at = self.replay_at.max(now + backoff::pause(self.failures, FIRST_BACKOFF, MAX_BACKOFF));
        self.round_left = 0;
    }

    /// Ends the pause: the ingest responds again.
    pub(super) fn resume(&mut self, now: Instant) {
        self.failures = 0;
        self.replay_at = now;
    }

    /// Does what is due by the clock.
    pub(super) fn run_timers(&mut self, now: Instant) {
        self.spool.run_timers(now);
    }

    /// Writes to disk what was kept so far.
    pub(super) fn commit(&mut self) {
        self.spool.commit();
    }

    /// Returns how long until there is something to do.
    pub(super) fn due_in(&self, now: Instant) -> Duration {
        let replay_at = self.spool.has_more().then(|| self.replay_at.saturating_duration_since(now));
        self.spool.due_in(now).min(replay_at.unwrap_or(Duration::MAX))
    }

    /// Leaves everything on disk for later.
    pub(super) fn close(self) {
        self.spool.close();
    }
}
