//! Whether the ingest can be reached, and how many posts may be under way by that.

use std::time::{Duration, Instant};

use http::Version;

/// Posts under way while the ingest does not answer: enough to notice when it does.
pub(crate) const PROBES: usize = 4;
/// Posts under way before the ingest has answered for the first time: each opens a connection, of which HTTP/2 would need one.
const FIRST: usize = 3;
/// A connection each. At 50 ms an answer this is 2,000 a second.
const POSTS: usize = 100;
/// All on one connection.
const POSTS_OVER_HTTP2: usize = 200;
/// Failures in a row after which nobody is thought to be there.
const FAILURES_UNTIL_AWAY: u32 = 3;

/// What the last posts tell of the ingest.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    answered: bool,
    http2: bool,
    failures: u32,
    heard_at: Option<Instant>,
}

impl Reach {
    /// Something was answered, whatever; whether it had not been before.
    pub(crate) fn answered(&mut self, version: Version, now: Instant) -> bool {
        let back = self.failures > 0;
        *self = Self { answered: true, http2: version == Version::HTTP_2, failures: 0, heard_at: Some(now) };
        back
    }

    /// No answer came.
    pub(crate) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Whether the ingest does not answer at present.
    pub(crate) fn is_away(&self) -> bool {
        self.failures >= FAILURES_UNTIL_AWAY
    }

    /// Whether nothing was answered for so long.
    pub(crate) fn is_silent(&self, since: Duration, now: Instant) -> bool {
        self.heard_at.is_none_or(|heard_at| now.saturating_duration_since(heard_at) > since)
    }

    /// How many posts may be under way.
    pub(crate) fn posts(&self) -> usize {
        match self {
            _ if self.is_away() => PROBES,
            Self { answered: false, .. } => FIRST,
            Self { http2: true, .. } => POSTS_OVER_HTTP2,
            _ => POSTS,
        }
    }

    /// The most that [`posts`](Self::posts) ever says.
    pub(crate) const MOST: usize = POSTS_OVER_HTTP2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_few_until_the_ingest_has_answered_and_while_it_is_away() {
        let (mut reach, now) = (Reach::default(), Instant::now());
        assert!(reach.is_silent(Duration::from_secs(1), now));
        assert_eq!(reach.posts(), FIRST, "nothing is known");
        assert!(!reach.answered(Version::HTTP_11, now));
        assert_eq!(reach.posts(), POSTS);
        assert!(!reach.is_silent(Duration::from_secs(1), now));
        assert!(reach.is_silent(Duration::from_secs(1), now + Duration::from_secs(2)));
        reach.answered(Version::HTTP_2, now);
        assert_eq!(reach.posts(), POSTS_OVER_HTTP2);
        reach.failed();
        reach.failed();
        assert!(!reach.is_away(), "that happens");
        assert_eq!(reach.posts(), POSTS_OVER_HTTP2);
        reach.failed();
        assert!(reach.is_away());
        assert_eq!(reach.posts(), PROBES);
        assert!(reach.answered(Version::HTTP_2, now), "it is back");
        assert_eq!(reach.posts(), POSTS_OVER_HTTP2);
    }
}
