//! When to look at the queues: rarely enough that transactions are sent together.

use std::time::{Duration, Instant};

/// About how many transactions a round should send. Each then costs less: connections, caches and wake-ups are shared.
/// More would keep a processor busy for longer at a time.
const TOGETHER: u32 = 32;
/// The longest that a transaction waits for others.
const LONGEST: Duration = Duration::from_millis(100);
const SHORTEST: Duration = Duration::from_millis(10);
/// Rounds without a transaction after which the worker sleeps until there is one.
const IDLE_UNTIL_SLEEP: u32 = 3;

/// While transactions keep coming, the worker polls instead of being woken by each of them, so that requests make no
/// system call.
#[derive(Debug)]
pub(super) struct Rounds {
    began: Instant,
    next_at: Instant,
    idle: u32,
}

impl Rounds {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, next_at: now, idle: 0 }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next_at
    }

    pub(super) fn due_in(&self, now: Instant) -> Duration {
        self.next_at.saturating_duration_since(now)
    }

    /// Ends a round: the queues are empty, and this many were taken from them since they were last.
    pub(super) fn end(&mut self, taken: u32, now: Instant) {
        let lasted = now.saturating_duration_since(self.began);
        let enough = lasted.saturating_mul(TOGETHER).checked_div(taken);
        self.idle = if taken > 0 { 0 } else { self.idle.saturating_add(1) };
        self.begin(now, enough.map_or(LONGEST, |enough| enough.clamp(SHORTEST, LONGEST)));
    }

    /// Returns `true` if there was nothing to take for a while.
    pub(super) fn may_sleep(&self) -> bool {
        self.idle >= IDLE_UNTIL_SLEEP
    }

    /// Begins a round after a sleep: more may follow what ended it.
    pub(super) fn wake(&mut self, now: Instant) {
        self.idle = 0;
        self.begin(now, LONGEST);
    }

    fn begin(&mut self, now: Instant, round: Duration) {
        self.began = now;
        self.next_at = now + round;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_as_long_as_enough_take_to_come() {
        let rows = [
            (0, 100, "nothing comes"),
            (1, 100, "little comes"),
            (20, 100, "200 a second"),
            (100, 32, "1,000 a second"),
            (200, 16, "2,000 a second"),
            (10_000, 10, "a flood"),
        ];
        for (came, millis, reason) in rows {
            let start = Instant::now();
            let mut rounds = Rounds::new(start);
            assert!(rounds.is_due(start));
            let end = start + Duration::from_millis(100);
            rounds.end(came, end);
            assert_eq!(rounds.due_in(end), Duration::from_millis(millis), "{reason}");
            assert!(!rounds.is_due(end) && rounds.is_due(end + Duration::from_millis(millis)), "{reason}");
        }
    }

    #[test]
    fn it_sleeps_after_rounds_in_which_nothing_came_and_then_waits_for_others() {
        let start = Instant::now();
        let mut rounds = Rounds::new(start);
        for came in [0, 0, 1, 0, 0] {
            rounds.end(came, start);
            assert!(!rounds.may_sleep());
        }
        rounds.end(0, start);
        assert!(rounds.may_sleep());
        let later = start + Duration::from_secs(10);
        assert!(rounds.is_due(later));
        rounds.wake(later);
        assert!(!rounds.may_sleep() && !rounds.is_due(later));
        assert_eq!(rounds.due_in(later), LONGEST);
    }
}
