//! The trace headers of an outgoing call, for any carrier.

use sentrace_protocol::{SentryTrace, Traceparent, baggage, sentry_trace, traceparent};

/// The trace headers of one outgoing call, request, message or page.
///
/// ```
/// # fn send(_: Vec<(&str, String)>) {}
/// if let Some(headers) = sentrace_core::trace_headers() {
///     send(headers.into_iter().collect()); // [("sentry-trace", "…"), ("baggage", "…")]
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceHeaders {
    sentry_trace: SentryTrace,
    baggage: Option<String>,
    traceparent: Option<Traceparent>,
}

impl TraceHeaders {
    pub(crate) fn new(
        sentry_trace: SentryTrace,
        baggage: Option<String>,
        traceparent: Option<Traceparent>,
    ) -> Self {
        Self { sentry_trace, baggage, traceparent }
    }

    /// Returns the value of `sentry-trace`.
    pub fn sentry_trace(&self) -> SentryTrace {
        self.sentry_trace
    }

    /// Returns Sentry's members of `baggage`, at most 8,192 bytes, or `None` if the caller sent
    /// `sentry-trace` without them.
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }

    /// Returns the value of W3C's `traceparent`, if
    /// [`Options::propagate_traceparent`](crate::Options::propagate_traceparent) is set.
    pub fn traceparent(&self) -> Option<Traceparent> {
        self.traceparent
    }
}

impl IntoIterator for TraceHeaders {
    type Item = (&'static str, String);
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<Self::Item>, 3>>;

    /// Returns names in lower case, and their values.
    fn into_iter(self) -> Self::IntoIter {
        [
            Some((sentry_trace::HEADER, self.sentry_trace.to_string())),
            self.baggage.map(|value| (baggage::HEADER, value)),
            self.traceparent.map(|value| (traceparent::HEADER, value.to_string())),
        ]
        .into_iter()
        .flatten()
    }
}
