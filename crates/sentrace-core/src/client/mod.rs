//! The client: one project's options and its delivery, shared by everything that is traced.

mod build;
pub(crate) mod current;
pub(crate) mod global;
pub(crate) mod idle;
pub(crate) mod init_guard;
pub(crate) mod process;
pub(crate) mod scope;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sentrace_protocol::Carrier;

use crate::account::close_report::CloseReport;
use crate::account::losses::Losses;
use crate::account::stats::Stats;
use crate::decide::transaction_options::TransactionOptions;
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::handle::trace::Trace;
use crate::handle::transaction::Transaction;
use crate::propagation::outgoing::PropagationTargets;
use crate::trace::incoming::IncomingTrace;
use crate::trace::open::open;
use crate::trace::pipeline::Pipeline;

/// A client. Cheap to clone.
///
/// Most services have one, created by `init` and found by everything. Tests, and processes with two
/// projects, pass clients explicitly.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Pipeline>);

impl Client {
    /// Returns `true` if `other` is a handle to the same client.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Reads the incoming trace from `carrier`. If it has none that can be continued, a new trace
    /// starts.
    pub fn extract(&self, carrier: &(impl Carrier + ?Sized)) -> IncomingTrace {
        let incoming = IncomingTrace::read(&self.0.continuation, carrier);
        incoming.remember_rejected(&self.0.recent);
        incoming
    }

    /// Starts a new trace, regardless of what `carrier` has, for callers that are not trusted.
    ///
    /// The headers are remembered. If a handler forwards them with its own calls, they are replaced
    /// there ([`OutgoingCall::inject`](crate::adapter::OutgoingCall::inject)).
    ///
    /// ```
    /// # let (client, _) = sentrace_core::testing::Capture::client(sentrace_core::Options::new()).unwrap();
    /// # fn is_inside(_: &[(&str, &str)]) -> bool { false }
    /// let headers = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
    /// let incoming = if is_inside(&headers) { client.extract(&headers) } else { client.extract_untrusted(&headers) };
    /// # let _ = incoming;
    /// ```
    pub fn extract_untrusted(&self, carrier: &(impl Carrier + ?Sized)) -> IncomingTrace {
        let incoming = IncomingTrace::rejected(carrier);
        incoming.remember_rejected(&self.0.recent);
        incoming
    }

    /// Starts a transaction in an incoming trace.
    pub fn start_transaction_from(
        &self,
        incoming: IncomingTrace,
        options: &TransactionOptions<'_>,
    ) -> Transaction {
        open(&self.0, incoming, options).map_or_else(Transaction::none, Transaction::new)
    }

    /// Continues the trace in `carrier`, or starts a new one; see
    /// [`continue_trace`](crate::continue_trace).
    pub fn continue_trace(&self, carrier: &(impl Carrier + ?Sized)) -> Trace {
        Trace::during_current(&self.0, self.extract(carrier))
    }

    /// Starts a new trace; see [`start_new_trace`](crate::start_new_trace).
    pub fn start_new_trace(&self) -> Trace {
        Trace::during_current(&self.0, IncomingTrace::new_trace())
    }

    /// Starts a transaction; see [`start_transaction`](crate::start_transaction).
    pub fn start_transaction(
        &self,
        name: impl AsRef<str>,
        op: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Transaction {
        self.start_transaction_with(&TransactionOptions::new(name.as_ref(), op))
    }

    /// Starts a transaction with options; see [`start_transaction`](crate::start_transaction).
    pub fn start_transaction_with(&self, options: &TransactionOptions<'_>) -> Transaction {
        // Open idle transactions are not parents, so they are not considered here.
        if let Some(incoming) = with_current(SpanRef::incoming_below).flatten() {
            return self.start_transaction_from(incoming, options);
        }
        if self.0.process_trace.parent_span_id.is_some() {
            return self.process_trace().start_transaction_with(options);
        }
        self.start_transaction_from(IncomingTrace::new_trace(), options)
    }

    /// Returns the trace of what runs outside any request: continued from the environment, or the
    /// process's own.
    pub fn process_trace(&self) -> Trace {
        Trace::of_process(&self.0)
    }

    /// Returns where outgoing calls may carry trace headers.
    pub fn propagation_targets(&self) -> &PropagationTargets {
        &self.0.outgoing
    }

    pub(crate) fn pipeline(&self) -> &Arc<Pipeline> {
        &self.0
    }

    /// Returns what the client has done so far; see [`stats`](crate::stats).
    pub fn stats(&self) -> Stats {
        self.0.counters.read(self.0.losses.total(), self.0.deliver.stats())
    }

    /// Returns the counters of lost events.
    pub fn losses(&self) -> &Losses {
        &self.0.losses
    }

    /// Returns `true` if outgoing calls carry `traceparent`, too.
    pub fn propagates_traceparent(&self) -> bool {
        self.0.propagate_traceparent
    }

    /// Returns `true` if traces are continued from `traceparent` alone.
    pub fn continues_traceparent(&self) -> bool {
        self.0.continuation.reads_traceparent
    }

    /// Waits until everything that has finished is delivered or lost. Returns `false` if `timeout`
    /// elapsed first.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.0.deliver.flush(timeout)
    }

    /// Ends open idle transactions, flushes, and stops delivery. Returns what could not be
    /// delivered or reported in time.
    pub fn close(&self, timeout: Duration) -> CloseReport {
        crate::idle::finish_all(&self.0);
        let complete = self.0.deliver.close(timeout);
        CloseReport { complete, unreported: self.0.losses.peek() }
    }
}

impl SpanRef {
    /// Returns the client that the span reports to.
    pub fn client(&self) -> Option<Client> {
        self.trace().and_then(|trace| trace.pipeline.shared()).map(Client)
    }

    /// Returns the client that the span reports to, or one that does nothing.
    pub(crate) fn client_or_noop(&self) -> Client {
        self.client().unwrap_or_else(|| Client(Arc::clone(Pipeline::noop())))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(self.0.identity).finish()
    }
}
