//! How the ingest answers, to test how an SDK handles it.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sentrace_protocol::rate_limits;

/// How the ingest answers. By default it accepts everything at once.
///
/// An envelope that is answered with an error, or not at all, is counted but not kept, because its
/// sender must consider it lost.
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
///
/// Of the faults that replace the answer, the last one set applies:
///
/// ```
/// # use sentrace_collector::Behaviour;
/// assert_eq!(Behaviour::default().hang().reset(), Behaviour::default().reset());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behaviour {
    pub(crate) delay: Duration,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) fault: Option<Fault>,
    pub(crate) slow_read: Option<SlowRead>,
}

/// What happens instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    HangUp,
    Reset,
    Hang,
    Garbage,
}

/// How slowly connections are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlowRead {
    pub(crate) bytes: usize,
    pub(crate) every: Duration,
}

impl Behaviour {
    /// Waits before processing an envelope. If the client disconnects meanwhile, the envelope is
    /// discarded.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Answers with this status instead of 200. Envelopes that break a rule are still refused.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds a header to every answer, such as `X-Sentry-Rate-Limits` or `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds the header `X-Sentry-Rate-Limits`, for example `60:transaction;span:key` (Sentry SDK
    /// specification, *Rate Limiting*). It may accompany any status. Limited items are still
    /// accepted unless the status is 429.
    #[must_use]
    pub fn rate_limits(self, limits: HeaderValue) -> Self {
        self.header(HeaderName::from_static(rate_limits::HEADER), limits)
    }

    /// Reads the request, then closes the connection without an answer.
    #[must_use]
    pub fn hang_up(self) -> Self {
        self.instead(Fault::HangUp)
    }

    /// Reads the request, then resets the connection (TCP `RST`).
    #[must_use]
    pub fn reset(self) -> Self {
        self.instead(Fault::Reset)
    }

    /// Reads the request and never answers, until the other side closes the connection.
    #[must_use]
    pub fn hang(self) -> Self {
        self.instead(Fault::Hang)
    }

    /// Reads the request, answers with bytes that are not HTTP, and closes the connection.
    #[must_use]
    pub fn garbage(self) -> Self {
        self.instead(Fault::Garbage)
    }

    /// Reads connections slowly: `bytes` (at least one) at a time, with pauses of `every` in
    /// between. This affects everything read from a connection while it is set, including requests
    /// for pages.
    #[must_use]
    pub fn slow_read(mut self, bytes: usize, every: Duration) -> Self {
        self.slow_read = Some(SlowRead { bytes: bytes.max(1), every });
        self
    }

    fn instead(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Returns `true` if the sender must consider its envelope lost.
    pub(crate) fn refuses(&self) -> bool {
        self.fault.is_some() || self.status.is_some_and(|status| !status.is_success())
    }
}
