//! Backpressure: lower sample rates while delivery cannot keep up.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How often health is checked (Sentry SDK specification, *Backpressure*).
pub(crate) const HEALTH_CHECK_INTERVAL: Duration = Duration::from_secs(10);
const MAX_HALVINGS: u32 = 10;

/// How many times sample rates are halved. The worker writes it, and every start of a transaction reads it.
#[derive(Debug, Default)]
pub(crate) struct Backpressure(AtomicU32);

impl Backpressure {
    #[inline]
    pub(crate) fn halvings(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Halves rates once more if delivery is unhealthy, and restores them if it is healthy.
    pub(crate) fn update(&self, healthy: bool) {
        let halvings = if healthy { 0 } else { (self.halvings() + 1).min(MAX_HALVINGS) };
        self.0.store(halvings, Ordering::Relaxed);
    }
}

/// When to check health.
#[derive(Debug)]
pub(crate) struct HealthCheck {
    interval: Option<Duration>,
    last: Instant,
}

impl HealthCheck {
    /// Health is never checked if `interval` is `None`.
    pub(crate) fn new(interval: Option<Duration>, now: Instant) -> Self {
        Self { interval, last: now }
    }

    pub(crate) fn due_in(&self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.last);
        self.interval.map_or(Duration::MAX, |interval| interval.saturating_sub(since))
    }

    /// Returns `true` once per interval.
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
        let backpressure = Backpressure::default();
        let halvings: Vec<u32> = (0..12)
            .map(|_| {
                backpressure.update(false);
                backpressure.halvings()
            })
            .collect();
        assert_eq!(halvings, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
        backpressure.update(true);
        assert_eq!(backpressure.halvings(), 0);
    }

    #[test]
    fn a_health_check_is_due_once_each_interval() {
        let start = Instant::now();
        let mut health_check = HealthCheck::new(Some(HEALTH_CHECK_INTERVAL), start);
        assert!(!health_check.is_due(start + HEALTH_CHECK_INTERVAL / 2));
        assert!(health_check.is_due(start + HEALTH_CHECK_INTERVAL));
        assert!(!health_check.is_due(start + HEALTH_CHECK_INTERVAL));
        assert_eq!(health_check.due_in(start + HEALTH_CHECK_INTERVAL), HEALTH_CHECK_INTERVAL);
        assert!(!HealthCheck::new(None, start).is_due(start + HEALTH_CHECK_INTERVAL * 100), "nobody asked");
    }
}
