//! Span statuses, reduced to what matters for finding failures.

use serde::{Deserialize, Serialize};

/// The three ways a span can end, read from its status.
///
/// The status values are those of the Sentry SDK specification, *Span Status*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// `ok`, or no status at all.
    Fine,
    /// `cancelled`: the caller stopped waiting for the answer.
    Cancelled,
    /// Every other status.
    Failed,
}

impl Outcome {
    /// Reads a status.
    ///
    /// ```
    /// use sentrace_collector::model::Outcome;
    ///
    /// assert_eq!(Outcome::of(Some("not_found")), Outcome::Failed);
    /// assert_eq!(Outcome::of(Some("cancelled")), Outcome::Cancelled);
    /// assert_eq!(Outcome::of(None), Outcome::Fine);
    /// ```
    pub fn of(status: Option<&str>) -> Self {
        match status {
            None | Some("ok") => Self::Fine,
            Some("cancelled") => Self::Cancelled,
            Some(_) => Self::Failed,
        }
    }
}
