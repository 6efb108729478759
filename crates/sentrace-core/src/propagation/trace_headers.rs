//! What an outgoing call carries, for any carrier.

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

    /// The value of `sentry-trace`.
    pub fn sentry_trace(&self) -> SentryTrace {
        self.sentry_trace
    }

    /// Sentry's members of `baggage`, at most 8,192 bytes; absent where upstream sent `sentry-trace` without them.
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }

    /// The value of W3C's `traceparent`, where [`Options::propagate_traceparent`](crate::Options::propagate_traceparent)
    /// asks for it.
    pub fn traceparent(&self) -> Option<Traceparent> {
        self.traceparent
    }
}

impl IntoIterator for TraceHeaders {
    type Item = (&'static str, String);
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<Self::Item>, 3>>;

    /// Names in lower case and their values.
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
