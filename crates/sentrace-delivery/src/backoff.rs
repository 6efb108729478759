//! Pauses that grow, and differ by chance, so that many clients do not come back at the same moment.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// How long to wait after the `failures`-th failure in a row (counted from 1): it doubles from `first` to `longest`, and
/// up to half of it is taken off by chance.
pub(crate) fn pause(failures: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let full = doubled.min(longest);
    full.mul_f64(1.0 - 0.5 * chance())
}

/// From 0 to 1. Each `RandomState` has keys of its own, and what they hash nothing to is as random as is needed here.
fn chance() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_the_longest_and_differs_by_chance() {
        let (first, longest) = (Duration::from_millis(250), Duration::from_secs(8));
        for (failures, full) in
            [(1, 250), (2, 500), (3, 1_000), (6, 8_000), (7, 8_000), (40, 8_000), (u32::MAX, 8_000)]
        {
            let full = Duration::from_millis(full);
            let pauses: Vec<Duration> = (0..50).map(|_| pause(failures, first, longest)).collect();
            assert!(
                pauses.iter().all(|pause| *pause >= full / 2 && *pause <= full),
                "{failures}: {pauses:?}"
            );
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{failures}: {pauses:?}");
        }
    }
}
