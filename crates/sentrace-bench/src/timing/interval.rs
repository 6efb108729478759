//! Figures with a confidence interval.

use serde::{Deserialize, Serialize};

use crate::timing::time::median;

/// A figure and its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The figure.
    pub middle: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Interval {
    /// Returns the median of independent figures. The interval is that of the sign test, which
    /// assumes no distribution: it lies between two of the figures. With fewer than six figures it
    /// is their whole range, which is less than 95 %.
    pub fn of_median(figures: &mut [f64]) -> Self {
        let middle = median(figures);
        let outside = outside(figures.len());
        let at = |at: usize| figures.get(at).copied().unwrap_or(f64::NAN);
        Self { middle, low: at(outside), high: at(figures.len().wrapping_sub(outside + 1)) }
    }
}

/// Returns how many of the sorted figures are outside the interval on each side, so that the true
/// median is beyond it with a probability of at most 2.5 %.
fn outside(count: usize) -> usize {
    let (mut chance, mut sum) = (0.5_f64.powi(count as i32), 0.0);
    for at in 0..count / 2 {
        sum += chance;
        if sum > 0.025 {
            return at.saturating_sub(1);
        }
        chance *= (count - at) as f64 / (at + 1) as f64;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_leaves_out_as_many_as_the_sign_test_allows() {
        // From tables of the sign test, two-sided, at most 5 %.
        for (count, expected) in [(1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (12, 2), (15, 3), (20, 5), (25, 7)]
        {
            assert_eq!(outside(count), expected, "of {count}");
        }
    }

    #[test]
    fn one_generation_that_went_wrong_moves_nothing() {
        let mut figures: Vec<f64> = (1..=15).map(f64::from).collect();
        let clean = Interval::of_median(&mut figures);
        assert_eq!((clean.low, clean.middle, clean.high), (4.0, 8.0, 12.0));
        figures[14] = 1e9;
        assert_eq!(Interval::of_median(&mut figures), clean);
    }
}
