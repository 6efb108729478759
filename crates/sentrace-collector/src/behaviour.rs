//! How the ingest answers, for tests of what an SDK does about it.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// How the ingest answers. The default takes everything at once.
///
/// An envelope that is answered with an error, or not at all, is counted and not kept: whoever sent
/// it must take it for lost.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
/// use sentrace_collector::Behaviour;
///
/// let busy = Behaviour::default()
///     .delay(Duration::from_millis(50))
///     .status(StatusCode::TOO_MANY_REQUESTS)
///     .header(RETRY_AFTER, HeaderValue::from_static("60"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    pub(crate) delay: Duration,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) hang_up: bool,
}

impl Behaviour {
    /// Waits before it looks at the envelope. A client that goes away meanwhile has not delivered.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Answers with this status instead of 200. Envelopes that break a rule are refused as ever.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds a header to every answer, as `X-Sentry-Rate-Limits` or `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Reads the request, then closes the connection without an answer.
    #[must_use]
    pub fn hang_up(mut self) -> Self {
        self.hang_up = true;
        self
    }

    /// Whether the sender must take its envelope for lost.
    pub(crate) fn refuses(&self) -> bool {
        self.hang_up || self.status.is_some_and(|status| !status.is_success())
    }
}
