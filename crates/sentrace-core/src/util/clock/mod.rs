//! A clock with nanosecond resolution, at half the cost of the standard library's.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

mod tsc;

use self::tsc::Tsc;

/// A point in time of this process, from a clock that never jumps.
///
/// If the kernel's own clock is the processor's counter (`tsc` on Linux), this is the value of that
/// counter, which takes 9 ns to read instead of the 20 of the kernel's clock. It is converted when
/// the payload is built. On other systems it is the standard library's clock.
///
/// ```
/// use sentrace_core::adapter::FastInstant;
///
/// let before = FastInstant::now();
/// assert!(FastInstant::now() >= before);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FastInstant(u64);

static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::start);

impl FastInstant {
    /// Long before the process started.
    pub(crate) const NEVER: Self = Self(0);

    /// Returns the current time.
    #[inline]
    pub fn now() -> Self {
        Self(CLOCK.ticks())
    }

    /// Returns the ticks since `earlier`, or a very large number if it is later.
    #[inline]
    pub(crate) fn ticks_since(self, earlier: Self) -> u64 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Converts a time of the standard library's clock.
    pub fn of(instant: Instant) -> Self {
        Self(CLOCK.ticks_at(instant))
    }

    /// Returns the time since `earlier`, or zero if it is later.
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        TickRate::now().between(earlier, self)
    }

    /// Adds `time`, saturating at the latest time.
    pub(crate) fn saturating_add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(TickRate::now().ticks_in(time)))
    }
}

/// The length of a tick, as far as it is known by now. Times that are compared must be converted
/// with the same rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TickRate {
    nanoseconds_per_tick: f64,
}

impl TickRate {
    pub(crate) fn now() -> Self {
        CLOCK.scale()
    }

    /// Returns zero if `earlier` is later.
    pub(crate) fn between(self, earlier: FastInstant, later: FastInstant) -> Duration {
        let ticks = later.0.saturating_sub(earlier.0);
        Duration::from_nanos((ticks as f64 * self.nanoseconds_per_tick) as u64)
    }

    fn ticks_in(self, time: Duration) -> u64 {
        (time.as_nanos() as f64 / self.nanoseconds_per_tick) as u64
    }
}

/// Nanoseconds before the first reading of the clock, so that earlier times can be represented.
const BEFORE: u64 = 1 << 62;

/// Ticks since some time before the first reading.
#[derive(Debug)]
struct Clock {
    counter: Option<Tsc>,
    start: Instant,
    start_ticks: u64,
}

impl Clock {
    fn start() -> Self {
        Self::with(Tsc::if_trusted())
    }

    fn with(counter: Option<Tsc>) -> Self {
        Self { start: Instant::now(), start_ticks: counter.as_ref().map_or(BEFORE, Tsc::ticks), counter }
    }

    #[inline]
    fn ticks(&self) -> u64 {
        match &self.counter {
            Some(counter) => counter.ticks(),
            None => self.start_ticks.saturating_add(nanoseconds(self.start.elapsed())),
        }
    }

    fn ticks_at(&self, instant: Instant) -> u64 {
        let (ticks, now) = (self.ticks(), Instant::now());
        let scale = self.scale();
        match now.checked_duration_since(instant) {
            Some(ago) => ticks.saturating_sub(scale.ticks_in(ago)),
            None => ticks.saturating_add(scale.ticks_in(instant.saturating_duration_since(now))),
        }
    }

    fn scale(&self) -> TickRate {
        TickRate { nanoseconds_per_tick: self.nanoseconds_per_tick() }
    }

    fn nanoseconds_per_tick(&self) -> f64 {
        let Some(counter) = &self.counter else { return 1.0 };
        let ticks = counter.ticks().saturating_sub(self.start_ticks);
        calibrated(counter.nanoseconds_per_tick(), nanoseconds(self.start.elapsed()), ticks)
    }
}

/// Returns the length of a tick over the time since the start, which becomes more precise with
/// time. If the clocks disagree, it returns the length measured at the start: too little time has
/// passed, or the machine was suspended and only the counter kept running.
fn calibrated(measured: f64, nanoseconds: u64, ticks: u64) -> f64 {
    const DISAGREEMENT: f64 = 1e-4;
    let seen = nanoseconds as f64 / ticks as f64;
    if (seen / measured - 1.0).abs() < DISAGREEMENT { seen } else { measured }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clocks are read one after the other, and a thread may be preempted in between.
    const APART: Duration = Duration::from_millis(20);

    /// One with the counter, if there is one, and one without.
    fn clocks() -> [Clock; 2] {
        [Clock::start(), Clock::with(None)]
    }

    #[test]
    fn both_clocks_tell_the_same_time() {
        for clock in clocks() {
            let (ticks, instant) = (clock.ticks(), Instant::now());
            std::thread::sleep(Duration::from_millis(50));
            let (later, by_instant) = (clock.ticks(), instant.elapsed());
            let by_clock = clock.scale().between(FastInstant(ticks), FastInstant(later));
            assert!(by_clock.abs_diff(by_instant) < APART, "{by_clock:?} and {by_instant:?}, {clock:?}");
            assert!(by_clock >= Duration::from_millis(49), "{by_clock:?}, {clock:?}");
        }
    }

    #[test]
    fn moments_come_one_after_the_other_on_all_threads() {
        let mut before = FastInstant::now();
        for _ in 0..1_000 {
            let now = std::thread::scope(|scope| scope.spawn(FastInstant::now).join().unwrap());
            assert!(now >= before, "{now:?} after {before:?}");
            before = now;
        }
    }

    #[test]
    fn an_instant_becomes_the_moment_that_it_was() {
        let rows = [
            (Duration::from_millis(250), true, "earlier"),
            (Duration::ZERO, true, "now"),
            (Duration::from_secs(3_600), false, "in an hour"),
        ];
        for (clock, (away, earlier, reason)) in clocks().iter().flat_map(|clock| rows.map(|row| (clock, row)))
        {
            let now = Instant::now();
            let instant = if earlier { now.checked_sub(away) } else { now.checked_add(away) }.unwrap();
            let (at, reference) = (FastInstant(clock.ticks_at(instant)), FastInstant(clock.ticks_at(now)));
            let (first, last) = if earlier { (at, reference) } else { (reference, at) };
            let found = clock.scale().between(first, last);
            assert!(found.abs_diff(away) < APART, "{reason}: {found:?}, {clock:?}");
        }
    }

    #[test]
    fn the_longer_both_clocks_agree_the_more_they_count() {
        let rows = [
            (
                0.5,
                3_600_010_000_000,
                7_200_000_000_000,
                3_600_010.0 / 7_200_000.0,
                "an hour, with what was missing",
            ),
            (0.5, 40, 0, 0.5, "no time yet"),
            (0.5, 0, 0, 0.5, "none at all"),
            (0.5, 140, 200, 0.5, "too little time to read one after the other"),
            (0.5, 3_600_000_000_000, 14_400_000_000_000, 0.5, "the machine slept for as long again"),
        ];
        for (measured, nanoseconds, ticks, expected, reason) in rows {
            assert_eq!(calibrated(measured, nanoseconds, ticks), expected, "{reason}");
        }
    }

    #[test]
    fn nothing_overflows() {
        let now = FastInstant::now();
        assert!(now.saturating_add(Duration::MAX) > now);
        assert_eq!(now.saturating_duration_since(now.saturating_add(Duration::MAX)), Duration::ZERO);
    }
}
