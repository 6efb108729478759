//! What was counted rather than kept.

use serde::{Deserialize, Serialize};

/// What SDKs reported as lost, and how many items of every type came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// Sums over all client reports, ordered by project, category and reason.
    pub discarded: Vec<Discarded>,
    /// Items by type, ordered by project and type.
    pub items: Vec<ItemCount>,
}

impl Reports {
    /// Everything that was reported lost in one category, over all projects and reasons.
    ///
    /// ```
    /// use sentrace_collector::model::{Discarded, Reports};
    ///
    /// let reports = Reports {
    ///     discarded: vec![Discarded::new("1", "sample_rate", "span", 12)],
    ///     items: vec![],
    /// };
    /// assert_eq!(reports.lost("span"), 12);
    /// assert_eq!(reports.lost("transaction"), 0);
    /// ```
    pub fn lost(&self, category: &str) -> u64 {
        let of_category = self.discarded.iter().filter(|entry| entry.category == category);
        of_category.fold(0, |sum, entry| sum.saturating_add(entry.quantity))
    }
}

/// A sum over client reports. Follows the Sentry SDK specification, *Client Reports* 1.20.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discarded {
    /// The project that reported the loss.
    pub project: String,
    /// Why, as in `sample_rate`.
    pub reason: String,
    /// What, as in `transaction`.
    pub category: String,
    /// How many.
    pub quantity: u64,
}

impl Discarded {
    /// One sum.
    pub fn new(project: &str, reason: &str, category: &str, quantity: u64) -> Self {
        Self { project: project.into(), reason: reason.into(), category: category.into(), quantity }
    }
}

/// How many items of one type came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemCount {
    /// The project they were sent to.
    pub project: String,
    /// The item type, as in `transaction` or `client_report`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many.
    pub count: u64,
}

/// How many requests the ingest saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Envelopes that arrived whole, whatever became of them.
    pub received: u64,
    /// Envelopes that were answered with success and kept.
    pub accepted: u64,
    /// Requests that were answered with an error or not at all, by a rule or by a
    /// [`Behaviour`](crate::Behaviour).
    pub refused: u64,
}
