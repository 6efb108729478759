//! Back-pressure: fewer traces while more comes than can be delivered.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How often the specification wants health to be looked at (Sentry SDK specification, *Backpressure*).
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);
const MAX_HALVINGS: u32 = 10;

/// How many times rates are to be halved; written by the worker, read by whoever starts a transaction.
#[derive(Debug, Default)]
pub(crate) struct Pressure(AtomicU32);

impl Pressure {
    pub(crate) fn halvings(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Once more while it is unhealthy, not at all as soon as it is healthy.
    pub(crate) fn check(&self, healthy: bool) {
        let halvings = if healthy { 0 } else { (self.halvings() + 1).min(MAX_HALVINGS) };
        self.0.store(halvings, Ordering::Relaxed);
    }
}

/// When to look.
#[derive(Debug)]
pub(crate) struct Checkup {
    interval: Option<Duration>,
    last: Instant,
}

impl Checkup {
    /// `interval`: `None` where nobody wants it.
    pub(crate) fn new(interval: Option<Duration>, now: Instant) -> Self {
        Self { interval, last: now }
    }

    pub(crate) fn due_in(&self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.last);
        self.interval.map_or(Duration::MAX, |interval| interval.saturating_sub(since))
    }

    /// Whether it is time, which then starts anew.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.due_in(now).is_zero();
        if due {
            self.last = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_halves_up_to_ten_times_and_health_undoes_it_at_once() {
        let pressure = Pressure::default();
        let halvings: Vec<u32> = (0..12)
            .map(|_| {
                pressure.check(false);
                pressure.halvings()
            })
            .collect();
        assert_eq!(halvings, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
        pressure.check(true);
        assert_eq!(pressure.halvings(), 0);
    }

    #[test]
    fn a_checkup_is_due_once_each_interval() {
        let start = Instant::now();
        let mut checkup = Checkup::new(Some(INTERVAL), start);
        assert!(!checkup.is_due(start + INTERVAL / 2));
        assert!(checkup.is_due(start + INTERVAL));
        assert!(!checkup.is_due(start + INTERVAL));
        assert_eq!(checkup.due_in(start + INTERVAL), INTERVAL);
        assert!(!Checkup::new(None, start).is_due(start + INTERVAL * 100), "nobody asked");
    }
}
