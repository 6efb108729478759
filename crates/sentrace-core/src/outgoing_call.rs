//! A call that leaves the process: whether it is ours to trace, and what it carries.

use crate::call_span::CallSpan;
use crate::client::Client;
use crate::current::current_span;
use crate::explain;
use crate::headers::TraceHeaders;
use crate::span::SpanRef;

/// One outgoing call, judged by `tracing_origins`: the way of adapters to HTTP clients.
///
/// ```
/// use sentrace_core::{CallSpan, OutgoingCall, OutgoingRequest};
///
/// # fn send(_: impl IntoIterator<Item = (&'static str, String)>) -> u16 { 200 }
/// let Some(call) = OutgoingCall::to("http://localhost:3001/stock/7", None) else { return };
/// let request = OutgoingRequest { method: "GET", host: "localhost", port: Some(3001), path: "/stock/7", ..Default::default() };
/// let span = CallSpan::http(call.parent(), "auto.http.mine", None, &request);
/// let status = send(call.trace_headers(&span).into_iter().flatten());
/// span.answered(status);
/// ```
#[derive(Debug)]
pub struct OutgoingCall {
    client: Client,
    parent: SpanRef,
    allowed: bool,
}

impl OutgoingCall {
    /// A call to `url` (absolute) from what is current now. `client` decides instead of the current or global one.
    ///
    /// `None` where the call is to be left alone: there is no client, or it goes to the DSN's host (Sentry SDK
    /// specification, *HTTP Client Integrations*).
    pub fn to(url: &str, client: Option<&Client>) -> Option<Self> {
        let parent = current_span();
        let client = client.cloned().or_else(|| parent.client()).or_else(Client::global)?;
        let allowed = client.outgoing().allows(url);
        if !allowed {
            explain::withheld(client.outgoing(), url);
            if client.outgoing().is_own(url) {
                return None;
            }
            client.counters().withheld();
        }
        Some(Self { client, parent, allowed })
    }

    /// The span that the call belongs to; a span on which nothing happens where nothing is current.
    pub fn parent(&self) -> &SpanRef {
        &self.parent
    }

    /// Lets the call carry nothing, whatever `tracing_origins` say.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        if self.allowed {
            explain::withheld_by_hook();
            self.client.counters().withheld();
        }
        self.allowed = false;
        self
    }

    /// Whether the call may carry trace headers.
    pub fn allows_headers(&self) -> bool {
        self.allowed
    }

    /// What the call carries with `span` around it; `None` where it may carry nothing. Outside any trace it is the
    /// process's own (Sentry SDK specification, *Trace Propagation* 1.9).
    pub fn trace_headers(&self, span: &CallSpan) -> Option<TraceHeaders> {
        self.with_carried(span, SpanRef::trace_headers).flatten()
    }

    /// Lends the span whose trace the call carries; `None` where it may carry nothing.
    pub(crate) fn with_carried<R>(&self, span: &CallSpan, read: impl FnOnce(&SpanRef) -> R) -> Option<R> {
        if !self.allowed {
            return None;
        }
        self.client.counters().propagated();
        if self.parent.is_none() {
            return Some(read(&self.client.process_trace().into_span_ref()));
        }
        Some(read(if span.is_none() { &self.parent } else { span }))
    }

    /// The client that decided.
    pub fn into_client(self) -> Client {
        self.client
    }
}
