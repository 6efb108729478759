//! An outgoing call: whether it is traced, and which headers it carries.

use super::explain;
use crate::call::call_span::CallSpan;
use crate::client::Client;
use crate::client::current::current_span;
use crate::diagnostics::with_debug_mode;
use crate::handle::span::SpanRef;
use crate::propagation::outgoing::PropagationTargets;
use crate::propagation::trace_headers::TraceHeaders;
use crate::trace::pipeline::Pipeline;

/// One outgoing call, checked against `tracing_origins`. For adapters to HTTP clients.
///
/// ```
/// use sentrace_core::adapter::{CallSpan, OutgoingCall, OutgoingRequest};
///
/// # fn send(_: impl IntoIterator<Item = (&'static str, String)>) -> u16 { 200 }
/// let Some(call) = OutgoingCall::to("http://localhost:3001/stock/7", None) else { return };
/// let request = OutgoingRequest { method: "GET", host: "localhost", port: Some(3001), path: "/stock/7", ..Default::default() };
/// let span = CallSpan::http(call.parent(), "auto.http.mine", None, &request);
/// let status = send(call.trace_headers(&span).into_iter().flatten());
/// span.finish_with_status_code(status);
/// ```
#[derive(Debug)]
pub struct OutgoingCall {
    /// The client that decides, if it is not the parent's. That one needs no further reference.
    client: Option<Client>,
    parent: SpanRef,
    allowed: bool,
}

impl OutgoingCall {
    /// Creates a call to `url` (absolute) below the current span. `client` is used instead of the
    /// current or global one.
    ///
    /// Returns `None` if the call must not be touched: there is no client, or the call goes to the
    /// DSN's host (Sentry SDK specification, *HTTP Client Integrations*).
    pub fn to(url: &str, client: Option<&Client>) -> Option<Self> {
        let parent = current_span();
        let client = match client {
            Some(client) => Some(client.clone()),
            None if parent.is_none() => Some(Client::global()?),
            None => None,
        };
        let mut call = Self { client, parent, allowed: false };
        call.allowed = call.propagation_targets().allows(url);
        if !call.allowed {
            with_debug_mode(call.pipeline().debug, || explain::withheld(call.propagation_targets(), url));
            if call.propagation_targets().is_dsn_host(url) {
                return None;
            }
            call.pipeline().counters.withheld();
        }
        Some(call)
    }

    /// Returns the span that the call belongs to. It refers to no trace if nothing is current.
    pub fn parent(&self) -> &SpanRef {
        &self.parent
    }

    /// Suppresses the trace headers, regardless of `tracing_origins`.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        if self.allowed {
            with_debug_mode(self.pipeline().debug, explain::withheld_by_hook);
            self.pipeline().counters.withheld();
        }
        self.allowed = false;
        self
    }

    /// Returns `true` if the call may carry trace headers.
    pub fn allows_headers(&self) -> bool {
        self.allowed
    }

    /// Returns the headers of the call, with `span` around it, or `None` if it may carry none.
    ///
    /// Outside any trace, this is the process's own trace (Sentry SDK specification, *Trace
    /// Propagation* 1.9).
    pub fn trace_headers(&self, span: &CallSpan) -> Option<TraceHeaders> {
        if !self.allowed {
            return None;
        }
        self.count_propagated();
        self.with_carried(span, SpanRef::trace_headers)
    }

    /// Calls `read` with the span whose trace the call carries, if it may carry any.
    pub(crate) fn with_carried<R>(&self, span: &CallSpan, read: impl FnOnce(&SpanRef) -> R) -> R {
        match &self.client {
            Some(client) if self.parent.is_none() => read(&client.process_trace().into_span_ref()),
            _ if span.is_none() => read(&self.parent),
            _ => read(span),
        }
    }

    /// Removes trace headers from a call for which [`OutgoingCall::to`] returned `None`, if a
    /// handler forwards them or if this process set them for an earlier call. Headers that the
    /// application set are kept.
    ///
    /// ```
    /// use sentrace_core::adapter::OutgoingCall;
    ///
    /// let mut headers = http::HeaderMap::new();
    /// let Some(call) = OutgoingCall::to("https://o1.ingest.sentry.io/api/1/envelope/", None) else {
    ///     OutgoingCall::remove_propagated_headers(&mut headers, None);
    ///     return;
    /// };
    /// ```
    #[cfg(feature = "http")]
    pub fn remove_propagated_headers(headers: &mut http::HeaderMap, client: Option<&Client>) {
        if headers.is_empty() {
            return;
        }
        let serving = current_span();
        let client = client.cloned().or_else(|| serving.client()).or_else(Client::global);
        let pipeline = client.as_ref().map_or_else(|| Pipeline::noop(), Client::pipeline);
        super::provenance::Provenance::new(&serving, pipeline).remove_propagated(headers);
    }

    /// Returns what is known of headers that the call already has.
    #[cfg(feature = "http")]
    #[cold]
    pub(crate) fn provenance(&self) -> super::provenance::Provenance<'_> {
        super::provenance::Provenance::new(&self.parent, self.pipeline())
    }

    pub(crate) fn count_propagated(&self) {
        self.pipeline().counters.propagated();
    }

    /// Returns where calls of the deciding client may carry trace headers.
    pub fn propagation_targets(&self) -> &PropagationTargets {
        &self.pipeline().outgoing
    }

    /// Returns the deciding client.
    pub fn into_client(self) -> Client {
        match self.client {
            Some(client) => client,
            None => self.parent.client_or_noop(),
        }
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        match (&self.client, self.parent.trace()) {
            (Some(client), _) => client.pipeline(),
            (None, Some(trace)) => &trace.pipeline,
            (None, None) => Pipeline::noop(),
        }
    }
}
