//! Interleaved samples of variants.
//!
//! In a *generation*, each variant runs in a separate process, and each process takes one sample
//! per round. Changes of the machine's speed affect all samples of a round equally, so they cancel
//! in differences. The memory layout of a process does not cancel; it is drawn anew with each
//! generation. So the independent figures are those of generations, not of samples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::timing::interval::Interval;
use crate::timing::time::{Time, median};

/// The samples that `benches/variants.rs` saves next to criterion's results.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Samples {
    /// Samples by variant, generation and round.
    pub variants: BTreeMap<String, Vec<Vec<Time>>>,
}

impl Samples {
    /// Returns the path of the samples in the folder of criterion's group.
    pub fn path(group: &Path) -> PathBuf {
        group.join("samples.json")
    }

    /// Returns the time of a call minus that of the base, or `None` if either has no samples.
    pub fn own(&self, name: &str, base: Option<&str>) -> Option<Interval> {
        let whole = self.variants.get(name)?;
        let mut generations: Vec<f64> = match base {
            None => whole.iter().map(|rounds| middle(rounds.iter().map(|time| time.nanoseconds))).collect(),
            Some(base) => {
                let pairs = whole.iter().zip(self.variants.get(base)?);
                pairs.map(|(whole, base)| middle(differences(whole, base))).collect()
            }
        };
        (!generations.is_empty()).then(|| Interval::of_median(&mut generations))
    }

    /// Returns the nanoseconds that other threads spend on a call.
    pub fn elsewhere(&self, name: &str) -> Option<f64> {
        let generations = self.variants.get(name)?;
        Some(middle(generations.iter().flatten().map(|time| time.elsewhere)))
    }
}

/// Returns the differences of samples from the same round.
fn differences<'a>(whole: &'a [Time], base: &'a [Time]) -> impl Iterator<Item = f64> + 'a {
    whole.iter().zip(base).map(|(whole, base)| whole.nanoseconds - base.nanoseconds)
}

fn middle(figures: impl Iterator<Item = f64>) -> f64 {
    median(&mut figures.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(nanoseconds: [f64; 3]) -> Vec<Time> {
        nanoseconds.map(|nanoseconds| Time { nanoseconds, elsewhere: 7.0 }).into()
    }

    #[test]
    fn what_slows_a_whole_round_does_not_count() {
        let variants = [
            ("base", vec![rounds([100.0, 900.0, 300.0]), rounds([110.0, 120.0, 130.0])]),
            ("whole", vec![rounds([150.0, 950.0, 350.0]), rounds([170.0, 180.0, 190.0])]),
        ];
        let samples = Samples { variants: variants.map(|(name, times)| (name.to_owned(), times)).into() };
        let own = samples.own("whole", Some("base"));
        assert_eq!(own, Some(Interval { middle: 60.0, low: 50.0, high: 60.0 }));
        assert_eq!(samples.own("whole", Some("nobody")), None);
        assert_eq!(samples.elsewhere("whole"), Some(7.0));
    }
}
