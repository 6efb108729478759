//! Exponential backoff with jitter, so that many clients do not return at the same moment.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// Returns the pause after the `failures`-th consecutive failure, counted from 1. It doubles from `first` to `longest`, and is
/// shortened by a random part of up to one half.
pub(crate) fn pause(failures: u32, first: Duration, longest: Duration) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let full = doubled.min(longest);
    full.mul_f64(1.0 - 0.5 * random())
}

/// Returns a number from 0 to 1. Each `RandomState` has its own random keys, which is random enough here.
fn random() -> f64 {
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
