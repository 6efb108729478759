//! Posts that the network failed, until they are tried again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::backoff;
use crate::parcel::{Kind, Parcel};
use sentrace_outbox::deadline;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The waiting room, by the time of the next try. Whoever fills it bounds it.
#[derive(Debug)]
pub(crate) struct Retries {
    waiting: BTreeMap<(Instant, u64), Parcel>,
    arrivals: u64,
    bytes: usize,
    timeout: Duration,
}

impl Retries {
    /// `timeout`: for how long after its first failure a parcel is tried again.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { waiting: BTreeMap::new(), arrivals: 0, bytes: 0, timeout }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.waiting.values().map(|parcel| parcel.kind)
    }

    /// Takes a parcel in that failed now, or gives it back where its time is over.
    #[must_use]
    pub(crate) fn wait(&mut self, mut parcel: Parcel, now: Instant) -> Option<Parcel> {
        let give_up_at = *parcel.give_up_at.get_or_insert_with(|| deadline(now, self.timeout));
        let due = now + backoff::pause(parcel.tries, FIRST_PAUSE, LONGEST_PAUSE);
        if due > give_up_at {
            return Some(parcel);
        }
        self.insert(parcel, due);
        None
    }

    /// The next parcel whose pause is over.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Parcel> {
        let first = self.waiting.first_entry().filter(|entry| entry.key().0 <= now)?;
        let parcel = first.remove();
        self.bytes -= parcel.body.len();
        Some(parcel)
    }

    /// How long until something is due.
    pub(crate) fn due_in(&self, now: Instant) -> Duration {
        let first = self.waiting.first_key_value();
        first.map_or(Duration::MAX, |((due, _), _)| due.saturating_duration_since(now))
    }

    /// Ends all pauses: the ingest answers again, or there is no more time.
    pub(crate) fn make_due(&mut self, now: Instant) {
        for parcel in std::mem::take(&mut self.waiting).into_values() {
            self.bytes -= parcel.body.len();
            self.insert(parcel, now);
        }
    }

    fn insert(&mut self, parcel: Parcel, due: Instant) {
        self.arrivals += 1;
        self.bytes += parcel.body.len();
        self.waiting.insert((due, self.arrivals), parcel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use sentrace_outbox::Account;
    use sentrace_outbox::{Consignment, Tally};

    fn parcel(number: u64) -> Parcel {
        let load = Consignment::new(Tally::default(), &Account::new(Arc::default()));
        Parcel { tries: 1, ..Parcel::new(load, Bytes::from_static(b"body"), Kind::Fresh(number)) }
    }

    #[test]
    fn who_waits_is_due_after_a_pause_and_given_back_after_the_timeout() {
        let start = Instant::now();
        let mut retries = Retries::new(Duration::from_secs(2));
        assert!(retries.wait(parcel(0), start).is_none());
        assert!(retries.pop_due(start).is_none());
        assert!(retries.due_in(start) <= FIRST_PAUSE && retries.due_in(start) >= FIRST_PAUSE / 2);
        let again = retries.pop_due(start + FIRST_PAUSE).unwrap();
        assert_eq!((retries.bytes(), retries.len()), (0, 0));
        assert!(retries.wait(again, start + Duration::from_millis(500)).is_none());
        let again = retries.pop_due(start + Duration::from_secs(1)).unwrap();
        assert!(retries.wait(again, start + Duration::from_secs(2)).is_some(), "two seconds are over");
    }

    #[test]
    fn a_timeout_without_end_is_as_good_as_a_long_one() {
        let start = Instant::now();
        let mut retries = Retries::new(Duration::MAX);
        assert!(retries.wait(parcel(0), start).is_none());
        let again = retries.pop_due(start + FIRST_PAUSE).unwrap();
        assert!(retries.wait(again, start + Duration::from_secs(86_400)).is_none());
    }

    #[test]
    fn without_a_timeout_nobody_waits() {
        assert!(Retries::new(Duration::ZERO).wait(parcel(0), Instant::now()).is_some());
    }

    #[test]
    fn all_are_due_when_the_ingest_answers_in_the_order_they_would_have_been() {
        let start = Instant::now();
        let mut retries = Retries::new(Duration::from_secs(100));
        for number in 0..10 {
            assert!(retries.wait(parcel(number), start + Duration::from_secs(number)).is_none());
        }
        assert_eq!(retries.bytes(), 40);
        retries.make_due(start);
        let order: Vec<Kind> =
            std::iter::from_fn(|| retries.pop_due(start)).map(|parcel| parcel.kind).collect();
        assert_eq!(order, (0..10).map(Kind::Fresh).collect::<Vec<_>>());
    }
}
