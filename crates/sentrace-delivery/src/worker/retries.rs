//! Failed posts that wait to be retried.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sentrace_outbox::deadline;

use super::submission::{Origin, Submission};
use crate::backoff;

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// Submissions by the time of their next attempt. [`Sender`](super::Sender) bounds their number.
#[derive(Debug)]
pub(super) struct Retries {
    waiting: BTreeMap<(Instant, u64), Submission>,
    arrivals: u64,
    bytes: usize,
    timeout: Duration,
}

impl Retries {
    /// `timeout`: for how long after its first failure a submission is retried.
    pub(super) fn new(timeout: Duration) -> Self {
        Self { waiting: BTreeMap::new(), arrivals: 0, bytes: 0, timeout }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = Origin> {
        self.waiting.values().map(|submission| submission.origin)
    }

    /// Takes a submission that failed now. Returns it if its timeout is over.
    #[must_use]
    pub(super) fn wait(&mut self, mut submission: Submission, now: Instant) -> Option<Submission> {
        let give_up_at = *submission.give_up_at.get_or_insert_with(|| deadline(now, self.timeout));
        let due = now + backoff::pause(submission.attempts, FIRST_BACKOFF, MAX_BACKOFF);
        if due > give_up_at {
            return Some(submission);
        }
        self.insert(submission, due);
        None
    }

    /// Removes the next submission whose pause is over.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Submission> {
        let first = self.waiting.first_entry().filter(|entry| entry.key().0 <= now)?;
        let submission = first.remove();
        self.bytes -= submission.body.len();
        Some(submission)
    }

    /// Returns how long until something is due, or [`Duration::MAX`] if nothing waits.
    pub(super) fn due_in(&self, now: Instant) -> Duration {
        let first = self.waiting.first_key_value();
        first.map_or(Duration::MAX, |((due, _), _)| due.saturating_duration_since(now))
    }

    /// Ends all pauses: the ingest responds again, or there is no more time.
    pub(super) fn make_due(&mut self, now: Instant) {
        for submission in std::mem::take(&mut self.waiting).into_values() {
            self.bytes -= submission.body.len();
            self.insert(submission, now);
        }
    }

    fn insert(&mut self, submission: Submission, due: Instant) {
        self.arrivals += 1;
        self.bytes += submission.body.len();
        self.waiting.insert((due, self.arrivals), submission);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use sentrace_outbox::{Account, Consignment, Tally};

    use super::*;

    fn submission(number: u64) -> Submission {
        let consignment = Consignment::new(Tally::default(), &Account::new(Arc::default()));
        Submission {
            attempts: 1,
            ..Submission::new(consignment, Bytes::from_static(b"body"), Origin::Queue(number))
        }
    }

    #[test]
    fn who_waits_is_due_after_a_pause_and_given_back_after_the_timeout() {
        let start = Instant::now();
        let mut retries = Retries::new(Duration::from_secs(2));
        assert!(retries.wait(submission(0), start).is_none());
        assert!(retries.pop_due(start).is_none());
        assert!(retries.due_in(start) <= FIRST_BACKOFF && retries.due_in(start) >= FIRST_BACKOFF / 2);
        let again = retries.pop_due(start + FIRST_BACKOFF).unwrap();
        assert_eq!((retries.bytes(), retries.len()), (0, 0));
        assert!(retries.wait(again, start + Duration::from_millis(500)).is_none());
        let again = retries.pop_due(start + Duration::from_secs(1)).unwrap();
        assert!(retries.wait(again, start + Duration::from_secs(2)).is_some(), "two seconds are over");
    }

    #[test]
    fn a_timeout_without_end_is_as_good_as_a_long_one() {
        let start = Instant::now();
        let mut retries = Retries::new(Duration::MAX);
        assert!(retries.wait(submission(0), start).is_none());
        let again = retries.pop_due(start + FIRST_BACKOFF).unwrap();
        assert!(retries.wait(again, start + Duration::from_secs(86_400)).is_none());
    }

    #[test]
    fn without_a_timeout_nobody_waits() {
        assert!(Retries::new(Duration::ZERO).wait(submission(0), Instant::now()).is_some());
    }

    #[test]
    fn all_are_due_when_the_ingest_answers_in_the_order_they_would_have_been() {
        let start = Instant::now();
        let mut retries = Retries::new(Duration::from_secs(100));
        for number in 0..10 {
            assert!(retries.wait(submission(number), start + Duration::from_secs(number)).is_none());
        }
        assert_eq!(retries.bytes(), 40);
        retries.make_due(start);
        let order: Vec<Origin> =
            std::iter::from_fn(|| retries.pop_due(start)).map(|submission| submission.origin).collect();
        assert_eq!(order, (0..10).map(Origin::Queue).collect::<Vec<_>>());
    }
}
