//! Aggregated counters.

use serde::{Deserialize, Serialize};

/// Losses reported by SDKs, and the number of received items by type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reports {
    /// Totals of all client reports, ordered by project, category and reason.
    pub discarded: Vec<Discarded>,
    /// Received items, ordered by project and type.
    pub items: Vec<ItemCount>,
}

impl Reports {
    /// Returns the total that was reported lost in one category, over all projects and reasons.
    ///
    /// ```
    /// use sentrace_collector::model::{Discarded, Reports};
    ///
    /// let mut reports = Reports::default();
    /// reports.discarded.push(Discarded::new("1", "sample_rate", "span", 12));
    /// assert_eq!(reports.lost("span"), 12);
    /// assert_eq!(reports.lost("transaction"), 0);
    /// ```
    pub fn lost(&self, category: &str) -> u64 {
        let of_category = self.discarded.iter().filter(|entry| entry.category == category);
        of_category.fold(0, |sum, entry| sum.saturating_add(entry.quantity))
    }
}

/// A total of client reports. Follows the Sentry SDK specification, *Client Reports* 1.20.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Discarded {
    /// The project that reported the loss.
    pub project: String,
    /// The reason, such as `sample_rate`.
    pub reason: String,
    /// The data category, such as `transaction`.
    pub category: String,
    /// How many were lost.
    pub quantity: u64,
}

impl Discarded {
    /// Creates a total.
    pub fn new(project: &str, reason: &str, category: &str, quantity: u64) -> Self {
        Self { project: project.into(), reason: reason.into(), category: category.into(), quantity }
    }
}

/// The number of received items of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ItemCount {
    /// The project they were sent to.
    pub project: String,
    /// The item type, such as `transaction` or `client_report`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many were received.
    pub count: u64,
}

/// The number of requests to the ingest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// Envelopes that were received completely, accepted or not.
    pub received: u64,
    /// Envelopes that were accepted and kept.
    pub accepted: u64,
    /// Requests that were answered with an error or not at all, because they broke a rule or
    /// because of the [`Behaviour`](crate::Behaviour).
    pub refused: u64,
}

impl Counts {
    /// Creates counts, to compare with.
    pub fn new(received: u64, accepted: u64, refused: u64) -> Self {
        Self { received, accepted, refused }
    }
}
