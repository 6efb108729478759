//! The client: one project's options and the way to it, shared by all that traces.

pub(crate) mod current;
pub(crate) mod global;
pub(crate) mod idle;
pub(crate) mod init_guard;
pub(crate) mod process;

use crate::trace::deliver::Nowhere;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sentrace_protocol::Carrier;

use crate::account::close_report::Closed;
use crate::account::losses::Losses;
use crate::account::stats::Stats;
use crate::decide::rate_warnings::RateWarnings;
use crate::decide::sampling::Sampling;
use crate::decide::transaction_options::TransactionOptions;
use crate::diagnostics::{Debugged, OnBehalf};
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::handle::trace::Trace;
use crate::handle::transaction::Transaction;
use crate::options::lifecycle::TraceLifecycle;
use crate::options::{DEFAULT_ENVIRONMENT, Options, OptionsError, identity, warn_of_contradictions};
use crate::propagation::continuation_rules::ContinuationRules;
use crate::propagation::outgoing::Outgoing;
use crate::propagation::recent::RecentHeaders;
use crate::record::identity::Identity;
use crate::trace::counters::Counters;
use crate::trace::deliver::Deliver;
use crate::trace::incoming::Incoming;
use crate::trace::open::open;
use crate::trace::pipeline::Pipeline;
use crate::util::clock::Moment;

/// Child spans of one transaction (Sentry SDK specification, *maxSpans*); further ones are counted as lost.
const MAX_SPANS: usize = 1000;

/// A client; cheap to clone. Most services have one, made by `init` and found by everything; tests and processes
/// with two projects pass clients explicitly.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Pipeline>);

impl Client {
    /// A client that hands finished transactions to `deliver`, which counts what it loses in `losses`.
    ///
    /// # Errors
    /// [`OptionsError`] for the first option that breaks its rule.
    pub fn new(
        options: Options,
        deliver: Arc<dyn Deliver>,
        losses: Arc<Losses>,
    ) -> Result<Self, OptionsError> {
        let options = options.validated()?;
        let debugged = options.debug.then(|| Debugged::new(current_is_debugged));
        let _on_behalf = OnBehalf::of(options.debug);
        // The first look sets the clock up, which is nothing for a request to wait for.
        Moment::now();
        let dsn = options.dsn.as_ref();
        let own = dsn.map(|dsn| (dsn.host(), dsn.port_or_default()));
        let identity = Identity {
            public_key: dsn.map(|dsn| dsn.public_key().to_owned()),
            org_id: identity::org_id(options.org_id.as_deref())
                .or_else(|| dsn.and_then(|dsn| dsn.org_id()).map(str::to_owned)),
            release: identity::release(options.release.as_deref()),
            environment: identity::environment(Some(&options.environment))
                .unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned()),
            server_name: identity::server_name(options.server_name.as_deref()),
        };
        let delivers_spans = deliver.spans().is_some();
        let takes_spans = delivers_spans || options.sampling.no_project;
        warn_of_contradictions(&options, identity.org_id.as_deref(), takes_spans);
        let outgoing = Outgoing::new(options.tracing_origins, own);
        let continuation = ContinuationRules {
            org_id: identity.org_id.clone(),
            strict: options.strict_trace_continuation,
            reads_traceparent: options.continue_traceparent,
            propagates_traceparent: options.propagate_traceparent,
            debug: options.debug,
        };
        let streams = options.lifecycle.lifecycle == TraceLifecycle::Stream && delivers_spans;
        let plain = !streams && options.lifecycle.ignore.is_empty();
        let process_trace = Incoming::read(&continuation, options.environment_carrier.as_slice());
        Ok(Self(Arc::new(Pipeline {
            deliver,
            losses,
            identity: identity.interned(),
            outgoing,
            sampling: options.sampling,
            process_trace: process_trace.into_process_trace(),
            continuation,
            debug: options.debug,
            _debugged: debugged,
            propagate_traceparent: options.propagate_traceparent,
            streams,
            ignore: options.lifecycle.ignore,
            max_spans: MAX_SPANS,
            unchecked_spans: if plain { MAX_SPANS } else { 0 },
            idle_timeouts: options.idle,
            counters: Counters::default(),
            recent: RecentHeaders::default(),
            rate_warnings: RateWarnings::default(),
        })))
    }

    /// A client without a project: traces pass through, nothing is recorded or sent.
    ///
    /// # Errors
    /// [`OptionsError`] for the first option that breaks its rule.
    pub fn without_delivery(mut options: Options) -> Result<Self, OptionsError> {
        options.sampling = Sampling { no_project: true, ..Sampling::default() };
        Self::new(options, Arc::new(Nowhere), Arc::new(Losses::default()))
    }

    /// A client that records everything, whatever rates and samplers say: for Spotlight alone, without a project
    /// (Sentry SDK specification, *Spotlight*).
    ///
    /// # Errors
    /// [`OptionsError`] for the first option that breaks its rule.
    pub fn recording_everything(
        mut options: Options,
        deliver: Arc<dyn Deliver>,
        losses: Arc<Losses>,
    ) -> Result<Self, OptionsError> {
        options.sampling.everything = true;
        Self::new(options, deliver, losses)
    }

    /// Returns `true` if `other` is a handle to the same client.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Reads what came in. Whatever cannot be used is as good as absent: then a trace begins.
    pub fn read(&self, carrier: &(impl Carrier + ?Sized)) -> Incoming {
        let incoming = Incoming::read(&self.0.continuation, carrier);
        incoming.note_refused(&self.0.recent);
        incoming
    }

    /// A trace begins, whatever came in: for callers that are not believed. What they sent is known again when a handler
    /// hands it on with calls of its own, and is replaced there ([`OutgoingCall::inject`](crate::adapter::OutgoingCall::inject)).
    ///
    /// ```
    /// # let (client, _) = sentrace_core::testing::Capture::client(sentrace_core::Options::new()).unwrap();
    /// # fn is_inside(_: &[(&str, &str)]) -> bool { false }
    /// let headers = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
    /// let incoming = if is_inside(&headers) { client.read(&headers) } else { client.refuse(&headers) };
    /// # let _ = incoming;
    /// ```
    pub fn refuse(&self, carrier: &(impl Carrier + ?Sized)) -> Incoming {
        let incoming = Incoming::refused(carrier);
        incoming.note_refused(&self.0.recent);
        incoming
    }

    /// Opens a transaction in the trace that came in.
    pub fn open(&self, incoming: Incoming, options: &TransactionOptions<'_>) -> Transaction {
        open(&self.0, incoming, options).map_or_else(Transaction::none, Transaction::new)
    }

    /// The trace that `carrier` brings, or a new one; see [`continue_trace`](crate::continue_trace).
    pub fn continue_trace(&self, carrier: &(impl Carrier + ?Sized)) -> Trace {
        Trace::during_current(&self.0, self.read(carrier))
    }

    /// A trace that begins here; see [`start_new_trace`](crate::start_new_trace).
    pub fn start_new_trace(&self) -> Trace {
        Trace::during_current(&self.0, Incoming::nothing())
    }

    /// Starts a transaction; see [`start_transaction`](crate::start_transaction).
    pub fn start_transaction(
        &self,
        name: impl AsRef<str>,
        op: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Transaction {
        self.start_transaction_with(&TransactionOptions::new(name.as_ref(), op))
    }

    /// Starts a transaction with all that can be said about it; see [`start_transaction`](crate::start_transaction).
    pub fn start_transaction_with(&self, options: &TransactionOptions<'_>) -> Transaction {
        // An idle transaction that is open somewhere else is nobody's parent.
        if let Some(incoming) = with_current(SpanRef::incoming_below).flatten() {
            return self.open(incoming, options);
        }
        if self.0.process_trace.parent_span_id.is_some() {
            return self.process_trace().start_transaction_with(options);
        }
        self.open(Incoming::nothing(), options)
    }

    /// The trace of what runs outside any request: continued from the environment, or this process's own.
    pub fn process_trace(&self) -> Trace {
        Trace::of_process(&self.0)
    }

    /// Where outgoing calls may carry trace headers.
    pub fn outgoing(&self) -> &Outgoing {
        &self.0.outgoing
    }

    pub(crate) fn pipeline(&self) -> &Arc<Pipeline> {
        &self.0
    }

    /// What it did so far; see [`stats`](crate::stats).
    pub fn stats(&self) -> Stats {
        self.0.counters.read(self.0.losses.total(), self.0.deliver.stats())
    }

    /// Counters of what was lost.
    pub fn losses(&self) -> &Losses {
        &self.0.losses
    }

    /// Whether `traceparent` goes out too.
    pub fn propagates_traceparent(&self) -> bool {
        self.0.propagate_traceparent
    }

    /// Whether a trace goes on that came with `traceparent` alone.
    pub fn continues_traceparent(&self) -> bool {
        self.0.continuation.reads_traceparent
    }

    /// Waits until what has finished is delivered or lost; whether that came true in time.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.0.deliver.flush(timeout)
    }

    /// Ends its open idle transactions, flushes, and delivers nothing any more; what could not be delivered or reported in time is returned.
    pub fn close(&self, timeout: Duration) -> Closed {
        crate::idle::finish_all(&self.0);
        let complete = self.0.deliver.close(timeout);
        Closed { complete, unreported: self.0.losses.peek() }
    }
}

impl SpanRef {
    /// The client that the span reports to.
    pub fn client(&self) -> Option<Client> {
        self.trace().and_then(|trace| trace.pipeline.shared()).map(Client)
    }

    /// The same, and a client that does nothing where there is no trace.
    pub(crate) fn client_or_inert(&self) -> Client {
        self.client().unwrap_or_else(|| Client(Arc::clone(Pipeline::inert())))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(self.0.identity).finish()
    }
}

fn current_is_debugged() -> Option<bool> {
    Client::try_with_current(|client| client.pipeline().debug)
}
