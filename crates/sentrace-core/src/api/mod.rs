//! Functions that look up the client, the trace and the current span themselves.

pub(crate) mod idle;
pub(crate) mod in_span;

use crate::client::process::propagated_span;
use std::borrow::Cow;

use sentrace_protocol::Carrier;

use crate::account::stats::Stats;
use crate::client::Client;
use crate::client::current::current_span;
use crate::decide::transaction_options::TransactionOptions;
use crate::handle::current::with_current;
use crate::handle::span::Span;
use crate::handle::trace::Trace;
use crate::handle::transaction::Transaction;
use crate::propagation::trace_headers::TraceHeaders;

/// Continues the trace in `carrier` (headers, job metadata, environment), or starts a new one if
/// there is none that can be continued.
///
/// This opens no transaction (Sentry SDK specification, *Trace Propagation* 1.9, `continueTrace`).
///
/// ```
/// let headers = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
/// let trace = sentrace_core::continue_trace(&headers);
/// trace.enter(|| { /* outgoing calls carry the trace on */ });
/// ```
pub fn continue_trace(carrier: &(impl Carrier + ?Sized)) -> Trace {
    Client::current().map_or_else(Trace::none, |client| client.continue_trace(carrier))
}

/// Starts a new trace, regardless of what is current (Sentry SDK specification, *Trace Propagation*
/// 1.9, `startNewTrace`).
pub fn start_new_trace() -> Trace {
    Client::current().map_or_else(Trace::none, |client| client.start_new_trace())
}

/// Starts a transaction below the current span, or in the trace that the environment names, or in a
/// new trace.
///
/// `op` is the kind of work, for example `queue.task`. The transaction is not made current.
pub fn start_transaction(name: impl AsRef<str>, op: impl Into<Cow<'static, str>>) -> Transaction {
    Client::current_for_start().map_or_else(Transaction::none, |client| client.start_transaction(name, op))
}

/// Starts a transaction with options; see [`start_transaction`].
pub fn start_transaction_with(options: &TransactionOptions<'_>) -> Transaction {
    Client::current_for_start()
        .map_or_else(Transaction::none, |client| client.start_transaction_with(options))
}

/// Starts a span below the current one; see [`SpanRef::start_span`](crate::SpanRef::start_span).
pub fn start_span(op: impl Into<Cow<'static, str>>, description: impl AsRef<str>) -> Span {
    if crate::idle::timer::any_open() {
        return current_span().start_span(op, description);
    }
    let (op, description) = (op.into(), description.as_ref());
    Span(with_current(|current| current.start_child(op, description)).unwrap_or_default())
}

/// Returns the value of `sentry-trace` for an outgoing call, `<trace>-<span>[-0|-1]`, or `None` if
/// no client is initialized.
pub fn get_traceparent() -> Option<String> {
    propagated_span().sentry_trace().map(|value| value.to_string())
}

/// Returns the value of `baggage` for an outgoing call.
///
/// Returns `None` if no client is initialized, or if the caller sent `sentry-trace` without
/// baggage.
pub fn get_baggage() -> Option<String> {
    propagated_span().baggage()
}

/// Returns all trace headers for an outgoing call, as pairs for any carrier, or `None` if no client
/// is initialized.
pub fn trace_headers() -> Option<TraceHeaders> {
    propagated_span().trace_headers()
}

/// Returns `<meta>` tags for the head of a served page, so that the browser continues this trace.
///
/// Values are escaped for HTML attributes. The text is empty if no client is initialized.
///
/// ```
/// let page = format!("<html><head>{}</head></html>", sentrace_core::trace_meta_tags());
/// ```
pub fn trace_meta_tags() -> String {
    trace_headers().map(|headers| crate::carriers::html::meta_tags(&headers)).unwrap_or_default()
}

/// Returns what the client has done so far: what was started and recorded, where traces went, what
/// was lost, and the state of delivery.
///
/// Returns `None` if no client is initialized. Requests pay next to nothing for these counters, so
/// they can be read at any time.
///
/// ```
/// if let Some(stats) = sentrace_core::stats() {
///     println!("{stats}"); // a line for each counter
/// }
/// ```
pub fn stats() -> Option<Stats> {
    Client::current().map(|client| client.stats())
}
