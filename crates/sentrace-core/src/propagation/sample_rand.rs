//! The random number by which all services of a trace decide.

use std::fmt;

use sentrace_protocol::TraceId;

/// A random fraction in `[0, 1)` with six decimals, one per trace (Sentry SDK specification, *Trace
/// Propagation* 1.9, `sample_rand`).
///
/// Decisions compare it to the rate, so all services agree. A value that a caller wrote with more
/// decimals is compared as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SampleRand(f64);

const MILLION: u32 = 1_000_000;

impl SampleRand {
    /// Returns the fraction of a trace, which is the same wherever it is computed.
    pub(crate) fn of_trace(trace_id: TraceId) -> Self {
        let id = u128::from_be_bytes(trace_id.to_bytes());
        // The finalizer of SplitMix64: ids of other SDKs are not evenly distributed in every bit.
        let mut bits = (id as u64) ^ ((id >> 64) as u64).rotate_left(32);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        Self::millionths((bits % u64::from(MILLION)) as u32)
    }

    fn millionths(count: u32) -> Self {
        Self(f64::from(count) / f64::from(MILLION))
    }

    /// Parses a caller's value, if it is a fraction in `[0, 1)`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|fraction| (0.0..1.0).contains(fraction)).map(Self)
    }

    /// Returns a fraction that explains the caller's decision at the caller's rate: below the rate
    /// if it was sampled, otherwise not below. Returns `None` if there is none.
    pub(crate) fn explaining(trace_id: TraceId, sampled: bool, rate: f64) -> Option<Self> {
        let Self(anywhere) = Self::of_trace(trace_id);
        let first_unsampled = Self::first_not_below(rate);
        let (low, high) = if sampled { (0, first_unsampled) } else { (first_unsampled, MILLION) };
        let offset = (anywhere * f64::from(high.saturating_sub(low))) as u32;
        (low < high).then(|| Self::millionths(low + offset))
    }

    /// Returns the smallest number of millionths that is not below `rate`.
    fn first_not_below(rate: f64) -> u32 {
        let mut count = (rate.clamp(0.0, 1.0) * f64::from(MILLION)) as u32;
        // The product is rounded, possibly past its neighbors.
        while count > 0 && !Self::millionths(count - 1).is_below(rate) {
            count -= 1;
        }
        while count < MILLION && Self::millionths(count).is_below(rate) {
            count += 1;
        }
        count
    }

    pub(crate) fn is_below(self, rate: f64) -> bool {
        self.0 < rate
    }
}

impl fmt::Display for SampleRand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace_id(last: u8) -> TraceId {
        TraceId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, last]).unwrap()
    }

    #[test]
    fn sample_rand_has_six_decimals_and_spreads_evenly() {
        assert_eq!(SampleRand::millionths(42).to_string(), "0.000042");
        assert_eq!(SampleRand::parse("0.104233"), Some(SampleRand::millionths(104_233)));
        for count in 0..MILLION {
            let rand = SampleRand::millionths(count);
            assert_eq!(SampleRand::parse(&rand.to_string()), Some(rand), "reading what was written");
        }
        let upstream = SampleRand::parse("0.3333334").unwrap();
        assert!(!upstream.is_below(1.0 / 3.0), "more decimals than six are compared as they came");
        for nonsense in ["1.0", "-0.1", "NaN", "inf", "", "x"] {
            assert_eq!(SampleRand::parse(nonsense), None, "{nonsense}");
        }
        let below_a_quarter = (0..10_000u128)
            .filter_map(|id| TraceId::from_bytes((id + 1).to_be_bytes()))
            .filter(|id| SampleRand::of_trace(*id).is_below(0.25));
        let share = below_a_quarter.count();
        assert!((2_300..2_700).contains(&share), "{share} of 10,000 counted ids below 0.25");
    }

    #[test]
    fn a_missing_sample_rand_is_chosen_to_explain_the_decision() {
        for id in 1..=200 {
            for (sampled, rate) in
                [(true, 0.25), (false, 0.25), (true, 0.000001), (false, 0.999999), (true, 1.0)]
            {
                let rand = SampleRand::explaining(trace_id(id), sampled, rate).unwrap();
                assert_eq!(rand.is_below(rate), sampled, "{rand} at {rate}");
            }
        }
        for count in 1..MILLION {
            let SampleRand(exact) = SampleRand::millionths(count);
            for rate in [exact.next_down(), exact, exact.next_up()] {
                let first = SampleRand::first_not_below(rate);
                assert!(SampleRand::millionths(first - 1).is_below(rate), "{rate}");
                assert!(!SampleRand::millionths(first).is_below(rate), "{rate}");
            }
        }
        assert_eq!(SampleRand::explaining(trace_id(1), true, 0.0), None, "nothing is below 0");
        assert_eq!(SampleRand::explaining(trace_id(1), false, 1.0), None, "everything is below 1");
    }
}
