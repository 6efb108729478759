//! Totals of client reports and items, with a bounded number of names.

use std::collections::BTreeMap;

use crate::model::{Discarded, ItemCount, Reports};

/// Names are not trusted: beyond this many, all counts go to one name.
const MAX_NAMES: usize = 1_000;
const OTHER: &str = "(other)";

/// The totals so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lost: BTreeMap<(String, String, String), u64>,
    items: BTreeMap<(String, String), u64>,
}

impl Tally {
    pub(super) fn lost(&mut self, entry: Discarded) {
        let key = (entry.project, entry.category, entry.reason);
        let key = if self.lost.len() < MAX_NAMES || self.lost.contains_key(&key) {
            key
        } else {
            (OTHER.into(), OTHER.into(), OTHER.into())
        };
        let sum = self.lost.entry(key).or_default();
        *sum = sum.saturating_add(entry.quantity);
    }

    pub(super) fn item(&mut self, project: &str, kind: String, count: u64) {
        let key = (project.to_owned(), kind);
        let key = if self.items.len() < MAX_NAMES || self.items.contains_key(&key) {
            key
        } else {
            (OTHER.into(), OTHER.into())
        };
        let sum = self.items.entry(key).or_default();
        *sum = sum.saturating_add(count);
    }

    pub(super) fn reports(&self) -> Reports {
        let lost = self.lost.iter();
        let items = self.items.iter();
        Reports {
            discarded: lost
                .map(|((project, category, reason), sum)| Discarded::new(project, reason, category, *sum))
                .collect(),
            items: items
                .map(|((project, kind), count)| ItemCount {
                    project: project.clone(),
                    kind: kind.clone(),
                    count: *count,
                })
                .collect(),
        }
    }
}
