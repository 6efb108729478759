//! Statistics of a client, to check whether tracing works.

use std::fmt;
use std::time::Duration;

use sentrace_protocol::losses::{Category, DiscardedEvents};

/// What a client has done since it was created; see [`stats`](crate::stats).
///
/// Counters grow and are never reset. They are read one after the other while work continues, so
/// they may be inconsistent by a few. The `Display` text has one line per counter.
///
/// ```
/// use sentrace_core::{Options, testing::Capture};
///
/// let (client, _capture) = Capture::client(Options::new().traces_sample_rate(1.0))?;
/// client.start_transaction("send invoice", "queue.task").finish();
/// let stats = client.stats();
/// assert_eq!((stats.sampled, stats.finished, stats.traces_begun), (1, 1, 1));
/// # Ok::<(), sentrace_core::OptionsError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Transactions that were started and are recorded.
    pub sampled: u64,
    /// Transactions that were started and are not recorded, by a rate, a sampler, their caller, a
    /// rule of [`ignore_spans`](crate::Options::ignore_spans), or backpressure; see
    /// [`lost`](Self::lost) for the reasons.
    pub unsampled: u64,
    /// Requests and work without a transaction: tracing is off, or a filter excludes them.
    pub passed_through: u64,
    /// Recorded transactions that have ended. [`sampled`](Self::sampled) minus these are open; if
    /// the difference keeps growing, some transactions are never dropped.
    pub finished: u64,
    /// How many of all that were started started a trace, because there was no incoming trace to
    /// continue.
    pub traces_begun: u64,
    /// How many of all that were started continued an incoming trace, or one of this process.
    pub traces_continued: u64,
    /// Outgoing calls that carried trace headers.
    pub propagated: u64,
    /// Outgoing calls without trace headers, because their host is not among the
    /// [`tracing_origins`](crate::Options::tracing_origins) or a hook suppressed them.
    pub withheld: u64,
    /// Everything that was lost, by reason and category, whether it has been reported to Sentry or
    /// not (Sentry SDK specification, *Client Reports* 1.20).
    pub lost: Vec<DiscardedEvents>,
    /// The state of delivery.
    pub delivery: DeliveryStats,
}

/// The state of delivery: the part of [`Stats`] that the deliverer provides.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct DeliveryStats {
    /// Whether the deliverer is running.
    pub running: bool,
    /// Transactions that are queued for the worker.
    pub queued_transactions: u64,
    /// Streamed spans that are queued for the worker.
    pub queued_spans: u64,
    /// Bytes of memory that the queues take. What would exceed
    /// [`queue_bytes`](crate::Options::queue_bytes) is lost.
    pub queued_bytes: u64,
    /// Requests to the ingest so far, including retries.
    pub posts: u64,
    /// Requests that wait for a response.
    pub posts_in_flight: u64,
    /// Requests that failed without a response (connection error or timeout).
    pub posts_failed: u64,
    /// Requests that were answered with an error other than 429.
    pub posts_rejected: u64,
    /// Bytes of compressed envelopes in all requests.
    pub posted_bytes: u64,
    /// Transactions that arrived.
    pub delivered_transactions: u64,
    /// Spans that arrived, including transactions and their spans.
    pub delivered_spans: u64,
    /// Transactions that the ingest rejected with 429. It counts them itself.
    pub limited_transactions: u64,
    /// Spans that the ingest rejected with 429, counted like those that arrived.
    pub limited_spans: u64,
    /// The rate limits in effect.
    pub rate_limits: Vec<ActiveLimit>,
    /// How many times sample rates are halved at the moment
    /// ([`backpressure_handling`](crate::Options::backpressure_handling)).
    pub downsample_factor: u32,
    /// How long ago the ingest responded; `None` if it never did.
    pub since_response: Option<Duration>,
}

/// A rate limit in effect (Sentry SDK specification, *Rate Limiting*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveLimit {
    /// What must not be sent; `None` for everything.
    pub category: Option<Category>,
    /// How much longer the limit is in effect.
    pub remaining: Duration,
}

impl ActiveLimit {
    /// Creates a limit on `category`, or on everything.
    pub const fn new(category: Option<Category>, remaining: Duration) -> Self {
        Self { category, remaining }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivery, .. } = self;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            writeln!(f, "{name:<24}{value}")
        };
        line(f, "sampled", &self.sampled)?;
        line(f, "unsampled", &self.unsampled)?;
        line(f, "passed through", &self.passed_through)?;
        line(f, "finished", &self.finished)?;
        line(f, "traces begun", &self.traces_begun)?;
        line(f, "traces continued", &self.traces_continued)?;
        line(f, "calls propagated", &self.propagated)?;
        line(f, "calls withheld", &self.withheld)?;
        for DiscardedEvents { reason, category, quantity } in &self.lost {
            line(f, "lost", &format_args!("{quantity} {category} ({reason})"))?;
        }
        delivery.fmt(f)
    }
}

impl fmt::Display for DeliveryStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            writeln!(f, "{name:<24}{value}")
        };
        line(f, "delivery", &if self.running { "running" } else { "not running" })?;
        line(f, "queued transactions", &self.queued_transactions)?;
        line(f, "queued spans", &self.queued_spans)?;
        line(f, "queued bytes", &self.queued_bytes)?;
        line(f, "posts", &self.posts)?;
        line(f, "posts in flight", &self.posts_in_flight)?;
        line(f, "posts failed", &self.posts_failed)?;
        line(f, "posts rejected", &self.posts_rejected)?;
        line(f, "posted bytes", &self.posted_bytes)?;
        line(f, "delivered transactions", &self.delivered_transactions)?;
        line(f, "delivered spans", &self.delivered_spans)?;
        line(f, "limited transactions", &self.limited_transactions)?;
        line(f, "limited spans", &self.limited_spans)?;
        for ActiveLimit { category, remaining } in &self.rate_limits {
            let what: &dyn fmt::Display = category.as_ref().map_or(&"everything", |category| category);
            line(f, "rate limit", &format_args!("{what} for {} s", remaining.as_secs_f64().ceil()))?;
        }
        line(f, "rate halvings", &self.downsample_factor)?;
        match self.since_response {
            Some(since) => line(f, "last answer", &format_args!("{} s ago", since.as_secs())),
            None => line(f, "last answer", &"none yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use sentrace_protocol::Reason;

    use super::*;

    #[test]
    fn as_text_each_counter_has_a_line() {
        let mut stats = Stats { sampled: 7, ..Stats::default() };
        stats.lost =
            vec![DiscardedEvents { reason: Reason::QueueOverflow, category: Category::Span, quantity: 3 }];
        let seconds = |seconds: u64| Duration::from_millis(seconds * 1_000 - 100);
        stats.delivery.rate_limits = vec![
            ActiveLimit { category: None, remaining: seconds(60) },
            ActiveLimit { category: Some(Category::Transaction), remaining: seconds(5) },
        ];
        let text = stats.to_string();
        for line in [
            "sampled                 7\n",
            "lost                    3 span (queue_overflow)\n",
            "delivery                not running\n",
            "rate limit              everything for 60 s\n",
            "rate limit              transaction for 5 s\n",
            "last answer             none yet\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
    }
}
