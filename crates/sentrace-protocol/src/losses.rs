//! What was lost, and why: client reports.

use serde::Serialize;

use crate::Timestamp;
use crate::util::text_enum::text_enum;

/// A kind of data that Sentry counts and limits by itself. Not the same as the `type` of an envelope's item.
///
/// Sentry SDK specification, *Rate Limiting* and *Client Reports* 1.20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Events that are neither errors nor transactions.
    Default,
    /// Errors.
    Error,
    /// Transactions.
    Transaction,
    /// Spans, those within transactions included.
    Span,
    /// Check-ins of scheduled jobs.
    Monitor,
    /// Log lines, counted.
    LogItem,
    /// Log lines, by their bytes.
    LogByte,
    /// Release health sessions.
    Session,
    /// Files that belong to events.
    Attachment,
    /// Profiles of transactions.
    Profile,
    /// Continuous profiles.
    ProfileChunk,
    /// Session replays.
    Replay,
    /// What users write about a problem.
    Feedback,
    /// Metrics, counted.
    TraceMetric,
    /// Metrics, by their bytes.
    TraceMetricByte,
    /// Reports of browsers about violated security policies.
    Security,
    /// The SDK's own affairs, such as client reports.
    Internal,
}

text_enum!(Category, "data category", {
    Default => "default",
    Error => "error",
    Transaction => "transaction",
    Span => "span",
    Monitor => "monitor",
    LogItem => "log_item",
    LogByte => "log_byte",
    Session => "session",
    Attachment => "attachment",
    Profile => "profile",
    ProfileChunk => "profile_chunk",
    Replay => "replay",
    Feedback => "feedback",
    TraceMetric => "trace_metric",
    TraceMetricByte => "trace_metric_byte",
    Security => "security",
    Internal => "internal",
});

impl Category {
    /// Its place in [`ALL`](Self::ALL), to count in an array.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Why something was not sent. The server accepts these reasons and no others.
///
/// Sentry SDK specification, *Client Reports* 1.20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The queue before the transport was full.
    QueueOverflow,
    /// A cache on disk was full.
    CacheOverflow,
    /// A buffer that collects items was full.
    BufferOverflow,
    /// The server asked for a pause.
    RatelimitBackoff,
    /// The network failed and it was not tried again.
    NetworkError,
    /// The server refused it, other than by a rate limit.
    SendError,
    /// The SDK failed, for instance at serialising.
    InternalSdkError,
    /// Not sampled.
    SampleRate,
    /// The application's hook dropped it.
    BeforeSend,
    /// An event processor dropped it.
    EventProcessor,
    /// It did not have enough in it to be of use.
    InsufficientData,
    /// The SDK sampled less because the system was overloaded.
    Backpressure,
    /// The options say to ignore it.
    Ignored,
    /// It was not valid.
    Invalid,
}

text_enum!(Reason, "discard reason", {
    QueueOverflow => "queue_overflow",
    CacheOverflow => "cache_overflow",
    BufferOverflow => "buffer_overflow",
    RatelimitBackoff => "ratelimit_backoff",
    NetworkError => "network_error",
    SendError => "send_error",
    InternalSdkError => "internal_sdk_error",
    SampleRate => "sample_rate",
    BeforeSend => "before_send",
    EventProcessor => "event_processor",
    InsufficientData => "insufficient_data",
    Backpressure => "backpressure",
    Ignored => "ignored",
    Invalid => "invalid",
});

impl Reason {
    /// Its place in [`ALL`](Self::ALL), to count in an array.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The payload of a `client_report` item: what was not sent since the last one.
///
/// Sentry SDK specification, *Client Reports* 1.20. An item may have 4 KiB, which is room for 40 entries at
/// least.
///
/// ```
/// use sentrace_protocol::losses::{Category, ClientReport, DiscardedEvents, Reason};
///
/// let report = ClientReport::new(vec![DiscardedEvents {
///     reason: Reason::SampleRate,
///     category: Category::Transaction,
///     quantity: 4,
/// }]);
/// assert_eq!(
///     serde_json::to_string(&report)?,
///     r#"{"discarded_events":[{"reason":"sample_rate","category":"transaction","quantity":4}]}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClientReport {
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// One entry for each pair of reason and category.
    #[serde(rename = "discarded_events")]
    pub discarded: Vec<DiscardedEvents>,
}

impl ClientReport {
    /// Creates a report that does not say when it was made.
    pub fn new(discarded: Vec<DiscardedEvents>) -> Self {
        Self { timestamp: None, discarded }
    }
}

/// How much of one category was not sent for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DiscardedEvents {
    /// Why.
    pub reason: Reason,
    /// What.
    pub category: Category,
    /// How many.
    pub quantity: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_index_is_the_place_in_all() {
        for (at, category) in Category::ALL.iter().copied().enumerate() {
            assert_eq!(category.index(), at, "{category}");
            assert_eq!(category.as_str().parse(), Ok(category));
        }
        for (at, reason) in Reason::ALL.iter().copied().enumerate() {
            assert_eq!(reason.index(), at, "{reason}");
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
    }

    #[test]
    fn a_report_has_the_shape_of_the_specification() {
        let report = ClientReport {
            timestamp: Some(Timestamp(Duration::from_millis(1_787_220_030_500))),
            discarded: vec![
                DiscardedEvents { reason: Reason::SampleRate, category: Category::Transaction, quantity: 4 },
                DiscardedEvents { reason: Reason::SampleRate, category: Category::Span, quantity: 31 },
            ],
        };
        let expected = serde_json::json!({
            "timestamp": 1_787_220_030.5,
            "discarded_events": [
                {"reason": "sample_rate", "category": "transaction", "quantity": 4},
                {"reason": "sample_rate", "category": "span", "quantity": 31},
            ],
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), expected);
    }
}
