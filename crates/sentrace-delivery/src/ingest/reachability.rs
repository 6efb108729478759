//! Whether the ingest responds, and how many posts may be in flight.

use std::time::{Duration, Instant};

use http::Version;

/// Posts in flight while the ingest does not respond: enough to notice when it does.
pub(crate) const PROBES: usize = 4;
/// Posts in flight before the first response: each opens a connection, and HTTP/2 needs only one.
const INITIAL: usize = 3;
/// One per connection. If a response takes 50 ms, this is 2,000 a second.
const HTTP1: usize = 100;
/// All on one connection.
const HTTP2: usize = 200;
/// Consecutive failures after which the ingest counts as unreachable.
const MAX_FAILURES: u32 = 3;

/// What the last posts say about the ingest.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    has_responded: bool,
    http2: bool,
    failures: u32,
    responded_at: Option<Instant>,
}

impl Reachability {
    /// The largest result of [`max_posts`](Self::max_posts).
    pub(crate) const MAX_POSTS: usize = HTTP2;

    /// Records a response of any status. Returns `true` if posts were failing before.
    pub(crate) fn on_response(&mut self, version: Version, now: Instant) -> bool {
        let was_failing = self.is_failing();
        let http2 = version == Version::HTTP_2;
        *self = Self { has_responded: true, http2, failures: 0, responded_at: Some(now) };
        was_failing
    }

    /// Records a post without a response.
    pub(crate) fn on_failure(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Returns `true` if the last post got no response.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Returns `true` after several posts in a row without a response.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    /// Returns `true` if there was no response for longer than `duration`.
    pub(crate) fn no_response_for(&self, duration: Duration, now: Instant) -> bool {
        self.responded_at.is_none_or(|at| now.saturating_duration_since(at) > duration)
    }

    /// Returns how many posts may be in flight.
    pub(crate) fn max_posts(&self) -> usize {
        match self {
            _ if self.is_unreachable() => PROBES,
            Self { has_responded: false, .. } => INITIAL,
            Self { http2: true, .. } => HTTP2,
            _ => HTTP1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_few_until_the_first_response_and_while_the_ingest_is_unreachable() {
        let (mut reachability, now) = (Reachability::default(), Instant::now());
        assert!(reachability.no_response_for(Duration::from_secs(1), now));
        assert_eq!(reachability.max_posts(), INITIAL, "nothing is known");
        assert!(!reachability.on_response(Version::HTTP_11, now));
        assert_eq!(reachability.max_posts(), HTTP1);
        assert!(!reachability.no_response_for(Duration::from_secs(1), now));
        assert!(reachability.no_response_for(Duration::from_secs(1), now + Duration::from_secs(2)));
        reachability.on_response(Version::HTTP_2, now);
        assert_eq!(reachability.max_posts(), HTTP2);
        reachability.on_failure();
        reachability.on_failure();
        assert!(!reachability.is_unreachable(), "that happens");
        assert_eq!(reachability.max_posts(), HTTP2);
        reachability.on_failure();
        assert!(reachability.is_unreachable());
        assert_eq!(reachability.max_posts(), PROBES);
        assert!(reachability.on_response(Version::HTTP_2, now), "it is back");
        assert_eq!(reachability.max_posts(), HTTP2);
    }
}
