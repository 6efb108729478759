//! Traces without a transaction of their own.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use sentrace_protocol::TraceId;

use super::current::with_current;
use super::scoped::Scoped;
use super::span::SpanRef;
use super::transaction::Transaction;
use crate::decide::transaction_options::TransactionOptions;
use crate::propagation::trace_headers::TraceHeaders;
use crate::trace::incoming::IncomingTrace;
use crate::trace::open::{continue_process_trace, continue_without_transaction, open};
use crate::trace::pipeline::Pipeline;

/// A trace that was continued or started, without an open transaction.
///
/// Inside [`scope`](Self::scope) or [`enter`](Self::enter), outgoing calls propagate the trace,
/// with or without a transaction (Sentry SDK specification, *Trace Propagation* 1.9,
/// `continueTrace` and `startNewTrace`).
///
/// ```
/// # fn job_metadata() -> std::collections::HashMap<String, String> { Default::default() }
/// let trace = sentrace_core::continue_trace(&job_metadata());
/// trace.enter(|| {
///     let transaction = trace.start_transaction("resize image", "queue.task");
///     transaction.finish();
/// });
/// ```
#[derive(Clone)]
pub struct Trace(SpanRef);

impl Trace {
    pub(crate) fn none() -> Self {
        Self(SpanRef::none())
    }

    pub(crate) fn new(pipeline: &Arc<Pipeline>, incoming: IncomingTrace) -> Self {
        Self(SpanRef::root(continue_without_transaction(pipeline, incoming)))
    }

    /// Like [`new`](Self::new), but remembers the headers of the request that is being served.
    pub(crate) fn during_current(pipeline: &Arc<Pipeline>, incoming: IncomingTrace) -> Self {
        let outer = with_current(SpanRef::clone);
        let incoming = match outer.as_ref().and_then(SpanRef::trace) {
            Some(outer) => incoming.during(outer),
            None => incoming,
        };
        Self::new(pipeline, incoming)
    }

    /// Returns the trace of what runs outside any request, the same each time.
    pub(crate) fn of_process(pipeline: &Arc<Pipeline>) -> Self {
        Self(SpanRef::root(continue_process_trace(pipeline)))
    }

    /// Returns the trace id, or `None` if no client is initialized.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.trace_id()
    }

    /// Starts a transaction in this trace, below the caller's span.
    ///
    /// `op` is the kind of work, for example `queue.task`.
    pub fn start_transaction(&self, name: impl AsRef<str>, op: impl Into<Cow<'static, str>>) -> Transaction {
        self.start_transaction_with(&TransactionOptions::new(name.as_ref(), op))
    }

    /// Starts a transaction in this trace with options.
    pub fn start_transaction_with(&self, options: &TransactionOptions<'_>) -> Transaction {
        let opened = self.0.trace().and_then(|trace| {
            let pipeline = trace.pipeline.shared()?;
            open(&pipeline, IncomingTrace::within(trace), options)
        });
        opened.map_or_else(Transaction::none, Transaction::new)
    }

    /// Makes the trace current on every poll of `future`.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        self.0.scope(future)
    }

    /// Makes the trace current while `run` runs.
    pub fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        self.0.enter(run)
    }

    /// Returns the headers for outgoing calls, and freezes the dynamic sampling context.
    pub fn trace_headers(&self) -> Option<TraceHeaders> {
        self.0.trace_headers()
    }

    pub(super) fn span_ref(&self) -> &SpanRef {
        &self.0
    }

    pub(crate) fn into_span_ref(self) -> SpanRef {
        self.0
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trace").field(&self.0).finish()
    }
}
