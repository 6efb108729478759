//! The rate limits that the ingest imposes.

use std::time::{Duration, Instant};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use sentrace_core::ActiveLimit;
use sentrace_outbox::deadline;
use sentrace_protocol::Category;
use sentrace_protocol::rate_limits::{self, Categories, RateLimit};

/// How long a 429 without a time limits.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The rate limits of one DSN (Sentry SDK specification, *Rate Limiting*).
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RateLimits {
    /// Until when nothing at all may be sent.
    all: Option<Instant>,
    categories: [Option<Instant>; Category::ALL.len()],
}

impl RateLimits {
    /// Applies the limits in a response of any status. Of two limits for a category, the longer one applies.
    pub(crate) fn update(&mut self, status: StatusCode, headers: &HeaderMap, now: Instant) {
        if headers.contains_key(rate_limits::HEADER) {
            for value in headers.get_all(rate_limits::HEADER) {
                for limit in rate_limits::parse(&String::from_utf8_lossy(value.as_bytes())) {
                    self.extend(limit, now);
                }
            }
        } else if status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after =
                retry_after.and_then(rate_limits::parse_retry_after).unwrap_or(DEFAULT_RETRY_AFTER);
            self.extend(RateLimit::new(retry_after, Categories::ALL), now);
        }
    }

    /// Returns `true` if data of `category` must not be sent now.
    pub(crate) fn is_active(&self, category: Category, now: Instant) -> bool {
        [self.all, self.categories[category.index()]].into_iter().flatten().any(|until| now < until)
    }

    /// Returns for how much longer data of `category` must not be sent.
    pub(crate) fn remaining(&self, category: Category, now: Instant) -> Duration {
        let until = self.all.max(self.categories[category.index()]);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Returns `true` if any limit applies now.
    pub(crate) fn any_active(&self, now: Instant) -> bool {
        self.categories.iter().chain([&self.all]).flatten().any(|until| now < *until)
    }

    /// Returns the limits that apply now.
    pub(crate) fn active(&self, now: Instant) -> impl Iterator<Item = ActiveLimit> {
        let all = std::iter::once((None, self.all));
        let each = Category::ALL
            .iter()
            .copied()
            .zip(self.categories)
            .map(|(category, until)| (Some(category), until));
        all.chain(each).filter_map(move |(category, until)| {
            let remaining = until?.saturating_duration_since(now);
            (!remaining.is_zero()).then_some(ActiveLimit::new(category, remaining))
        })
    }

    fn extend(&mut self, limit: RateLimit, now: Instant) {
        let until = Some(deadline(now, limit.retry_after));
        if limit.categories.is_all() {
            self.all = self.all.max(until);
            return;
        }
        for category in limit.categories.iter() {
            let slot = &mut self.categories[category.index()];
            *slot = (*slot).max(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    /// Seconds for which transactions, spans and client reports are limited, each up to 10,000.
    fn limited(limits: &RateLimits, now: Instant) -> [u64; 3] {
        [Category::Transaction, Category::Span, Category::Internal].map(|category| {
            let active = |seconds: &u64| limits.is_active(category, now + Duration::from_secs(*seconds));
            (0..10_000).take_while(active).count() as u64
        })
    }

    #[test]
    fn an_answer_limits_what_it_names() {
        let name = "x-sentry-rate-limits";
        let rows = [
            (200_u16, vec![], [0, 0, 0], "nothing said"),
            (500, vec![], [0, 0, 0], "a failure is no limit"),
            (200, vec![(name, "60:transaction:key")], [60, 0, 0], "on any status"),
            (503, vec![("retry-after", "60")], [0, 0, 0], "Retry-After counts on 429 only"),
            (429, vec![("retry-after", "7")], [7, 7, 7], "Retry-After limits all"),
            (429, vec![], [60, 60, 60], "a bare 429 is a minute"),
            (429, vec![("retry-after", "soon")], [60, 60, 60], "so is one with nonsense"),
            (429, vec![(name, "5:span"), ("retry-after", "60")], [0, 5, 0], "the better header wins"),
            (429, vec![(name, "5:unicorn")], [0, 0, 0], "unknown categories are never widened"),
            (200, vec![(name, "5::organization")], [5, 5, 5], "no category is all"),
            (
                200,
                vec![(name, "5:span, 9:span"), (name, "7:span;transaction")],
                [7, 9, 0],
                "several headers, the longer",
            ),
        ];
        for (status, pairs, expected, reason) in rows {
            let now = Instant::now();
            let mut limits = RateLimits::default();
            limits.update(StatusCode::from_u16(status).unwrap(), &headers(&pairs), now);
            assert_eq!(limited(&limits, now), expected, "{reason}");
        }
    }

    #[test]
    fn a_later_shorter_limit_does_not_shorten_an_earlier_one() {
        let now = Instant::now();
        let mut limits = RateLimits::default();
        for value in ["100:transaction", "10:transaction"] {
            limits.update(StatusCode::OK, &headers(&[("x-sentry-rate-limits", value)]), now);
        }
        assert_eq!(limited(&limits, now), [100, 0, 0]);
    }
}
