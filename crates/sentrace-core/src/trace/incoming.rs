//! What came in with a request, message or environment, and the traces that begin or go on with it.

use crate::decide::explain::started_by_hook;
use crate::propagation::continuation_rules::ContinuationRules;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use sentrace_protocol::{Carrier, Reason, SpanId, TraceId};

use crate::decide::explain::Unrecorded;
use crate::decide::ignore::Starting;
use crate::decide::recording::Recording;
use crate::decide::sampling::{Decision, Sampler, SamplingContext, decide, is_rate};
use crate::decide::transaction_options::TransactionOptions;
use crate::diagnostics::{OnBehalf, any_debug, on_behalf_of};
use crate::handle::current::with_current;
use crate::handle::scoped::Scoped;
use crate::handle::span::SpanRef;
use crate::handle::transaction::Transaction;
use crate::propagation::extract::{self, SentryTraceRead};
use crate::propagation::recent::RecentHeaders;
use crate::propagation::sample_rand::SampleRand;
use crate::propagation::trace_baggage::{Applied, member, sample_rate};
use crate::propagation::trace_headers::TraceHeaders;
use crate::record::{Held, Record, SpanRecord, Text, pool};
use crate::trace::pipeline::Pipeline;
use crate::trace::process_trace::ProcessTrace;
use crate::trace::recycle;
use crate::trace::state::{OwnTrace, SharedTrace, TraceState};
use crate::util::clock::Moment;
use crate::util::hook;

/// A trace that is continued from somewhere, or that begins here; no transaction is open yet.
///
/// Inside [`scope`](Self::scope) or [`enter`](Self::enter) outgoing calls carry the trace on, with or without a
/// transaction (Sentry SDK specification, *Trace Propagation* 1.9, `continueTrace` and `startNewTrace`).
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

    pub(crate) fn new(pipeline: &Arc<Pipeline>, incoming: Incoming) -> Self {
        let trace = incoming.into_trace();
        let span_id = passing_span_id(&trace);
        Self::with_span_id(pipeline, trace, span_id)
    }

    /// The trace of what runs outside any request, the same each time.
    pub(crate) fn of_process(pipeline: &Arc<Pipeline>) -> Self {
        let process = &pipeline.process_trace;
        let mut trace = recycle::take();
        trace.trace_id = process.trace_id;
        trace.parent_span_id = process.parent_span_id;
        trace.sampled = process.sampled;
        trace.live_mut().baggage.copy_from(&process.baggage);
        Self::with_span_id(pipeline, trace, process.span_id)
    }

    fn with_span_id(pipeline: &Arc<Pipeline>, mut trace: OwnTrace, span_id: SpanId) -> Self {
        let sampling = &pipeline.sampling;
        trace.sampled = undecided(&trace, sampling.sampler.as_ref(), sampling.rate);
        trace.pipeline.set(pipeline);
        trace.span_id = span_id;
        Self(SpanRef::root(trace.shareable()))
    }

    /// The trace's id; `None` where nothing is initialised.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.trace_id()
    }

    /// Starts a transaction in this trace, below the span that called us.
    ///
    /// `op` is the kind of work, for example `queue.task`.
    pub fn start_transaction(&self, name: impl AsRef<str>, op: impl Into<Cow<'static, str>>) -> Transaction {
        self.start_transaction_with(&TransactionOptions::new(name.as_ref(), op))
    }

    /// Starts a transaction with all that can be said about it.
    pub fn start_transaction_with(&self, options: &TransactionOptions<'_>) -> Transaction {
        match self.0.trace().and_then(|trace| Some((trace, trace.pipeline.shared()?))) {
            Some((trace, pipeline)) => open(&pipeline, Incoming::within(trace), options),
            None => Transaction::none(),
        }
    }

    /// Makes the trace current in `future`, on every poll.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        self.0.scope(future)
    }

    /// Makes the trace current in `run`.
    pub fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        self.0.enter(run)
    }

    /// What outgoing calls carry; freezes the dynamic sampling context.
    pub fn trace_headers(&self) -> Option<TraceHeaders> {
        self.0.trace_headers()
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

/// What a carrier said, or the beginning of a trace where it said nothing that can be used.
pub struct Incoming {
    /// Taken out by who goes on with it.
    trace: Option<OwnTrace>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Incoming");
        if let Some(trace) = &self.trace {
            shown.field("trace_id", &trace.trace_id);
            shown.field("parent_span_id", &trace.parent_span_id);
            shown.field("sampled", &trace.sampled);
        }
        shown.finish_non_exhaustive()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(trace) = self.trace.take() {
            recycle::give_back(trace);
        }
    }
}

impl Incoming {
    /// Nothing came in, or nothing that is to be trusted: a trace begins here.
    pub fn nothing() -> Self {
        Self::beginning(recycle::take())
    }

    fn beginning(mut trace: OwnTrace) -> Self {
        trace.trace_id = crate::propagation::ids::trace_id();
        trace.live_mut().baggage.clear();
        Self::of(trace)
    }

    /// Remembers what `other` has brought, too.
    pub(crate) fn carrying_what(mut self, other: &Self) -> Self {
        if let (Some(trace), Some(other)) = (&mut self.trace, &other.trace) {
            trace.inherit_carried(other);
        }
        self
    }

    /// The trace and the span that called, if any did.
    pub(crate) fn caller(&self) -> Option<(TraceId, SpanId)> {
        self.trace.as_ref()?.caller()
    }

    /// Reads a carrier. Whatever cannot be used is as good as absent.
    pub(crate) fn read(rules: &ContinuationRules, carrier: &(impl Carrier + ?Sized)) -> Self {
        let _on_behalf = any_debug().then(|| OnBehalf::of(rules.debug));
        let mut trace = recycle::take();
        let baggage = &mut trace.live_mut().baggage;
        let SentryTraceRead { agreed: from_sentry, came, differ } = extract::sentry_trace(carrier, baggage);
        let from_w3c = || if rules.reads_traceparent { extract::traceparent(carrier) } else { None };
        let Some(parent) = from_sentry.or_else(from_w3c) else {
            if came {
                trace.carried.remember(carrier, true);
            } else {
                trace.carried.remember_traceparent(carrier);
            }
            return Self::beginning(trace);
        };
        baggage.came(parent.trace_id, parent.sampled);
        if rules.ask_for_organisation() {
            let allowed = baggage.with_member(parent.trace_id, "org_id", |theirs| {
                let mut theirs = theirs.filter(|org_id| !org_id.is_empty());
                let mut allowed = rules.allow(theirs);
                // A context that is another trace's says nothing of this one. To find out costs another search.
                if theirs.is_some()
                    && (!allowed || rules.strict)
                    && baggage.is_of_another_trace(parent.trace_id)
                {
                    theirs = None;
                    allowed = rules.allow(theirs);
                }
                if !allowed {
                    rules.explain_refusal(parent.trace_id, theirs);
                }
                allowed
            });
            if !allowed {
                trace.carried.remember(carrier, true);
                return Self::beginning(trace);
            }
        }
        if from_sentry.is_none() {
            // Who sends `traceparent` alone knows nothing of Sentry: then the context begins here.
            baggage.open_if_empty(parent.trace_id);
        }
        // Where the caller that the trace goes on from does not tell all that came.
        if differ || (came && from_sentry.is_none()) {
            trace.carried.remember(carrier, false);
        } else if rules.propagates_traceparent {
            trace.carried.remember_traceparent(carrier);
        }
        trace.trace_id = parent.trace_id;
        trace.parent_span_id = Some(parent.span_id);
        trace.sampled = parent.sampled;
        Self::of(trace)
    }

    /// A trace begins here, whatever `carrier` says; that is only remembered.
    pub(crate) fn refused(carrier: &(impl Carrier + ?Sized)) -> Self {
        let mut trace = recycle::take();
        trace.carried.remember(carrier, true);
        Self::beginning(trace)
    }

    /// Lets tasks that are spawned without a context know, too, what was refused.
    pub(crate) fn note_refused(&self, recent: &RecentHeaders) {
        if let Some(trace) = &self.trace
            && trace.carried.is_refused()
        {
            trace.carried.values().iter().for_each(|value| recent.remember(*value));
        }
    }

    /// For a trace that begins or goes on by hand: the request that is being served stays the current one.
    pub(crate) fn during_current(mut self) -> Self {
        if let Some(trace) = &mut self.trace {
            with_current(|current| {
                if let Some(outer) = current.trace() {
                    trace.inherit_carried(outer);
                }
            });
        }
        self
    }

    /// The process's trace, to be kept by a client.
    pub(crate) fn into_process_trace(self) -> ProcessTrace {
        let mut trace = self.into_trace();
        ProcessTrace {
            trace_id: trace.trace_id,
            span_id: passing_span_id(&trace),
            parent_span_id: trace.parent_span_id,
            sampled: trace.sampled,
            baggage: std::mem::take(&mut trace.live_mut().baggage),
        }
    }

    /// What a span of this process hands to a transaction that starts below it.
    pub(crate) fn below(span: &SpanRef) -> Option<Self> {
        let trace = span.trace()?;
        if trace.recording.passes_through() {
            return Some(Self::within(trace));
        }
        let mut below = recycle::take();
        below.trace_id = trace.trace_id;
        below.parent_span_id = span.span_id();
        below.sampled = trace.sampled;
        below.inherit_carried(trace);
        trace.copy_frozen_baggage(&mut below.live_mut().baggage);
        Some(Self::of(below))
    }

    /// What a continuation without a span of its own hands on: what it was given.
    fn within(trace: &SharedTrace) -> Self {
        let live = trace.live();
        let mut within = recycle::take();
        within.trace_id = trace.trace_id;
        within.parent_span_id = trace.parent_span_id;
        // Without a caller there is no decision yet that a transaction would have to follow.
        within.sampled = trace.parent_span_id.and(trace.sampled);
        within.head = (!live.baggage.is_frozen()).then(|| SharedTrace::clone(trace));
        within.carried.clone_from(&trace.carried);
        within.live_mut().baggage.copy_from(&live.baggage);
        Self::of(within)
    }

    fn of(trace: OwnTrace) -> Self {
        Self { trace: Some(trace) }
    }

    fn into_trace(mut self) -> OwnTrace {
        self.trace.take().unwrap_or_else(recycle::take)
    }
}

/// The span id of outgoing headers where nothing is recorded here: the caller's own, so that whoever is called
/// next finds a parent that exists.
fn passing_span_id(trace: &TraceState) -> SpanId {
    trace.parent_span_id.unwrap_or_else(crate::propagation::ids::span_id)
}

/// The decision that goes on where no transaction makes one: the caller's. A trace that begins here without
/// any chance of being recorded says so; otherwise it stays open.
fn undecided(trace: &TraceState, sampler: Option<&Sampler>, rate: Option<f64>) -> Option<bool> {
    let begins_here = trace.parent_span_id.is_none();
    let never = begins_here && sampler.is_none() && rate == Some(0.0);
    if never { Some(false) } else { trace.sampled }
}

fn sample_rand(trace: &TraceState) -> SampleRand {
    let live = trace.live();
    let members = live.baggage.read(trace.trace_id);
    let adopted = member(&members, "sample_rand").and_then(|text| SampleRand::parse(&text));
    let explaining = || SampleRand::explaining(trace.trace_id, trace.sampled?, sample_rate(&members)?);
    adopted.or_else(explaining).unwrap_or_else(|| SampleRand::of_trace(trace.trace_id))
}

/// Opens a transaction in the trace that came in.
pub(crate) fn open(
    pipeline: &Arc<Pipeline>,
    incoming: Incoming,
    options: &TransactionOptions<'_>,
) -> Transaction {
    if hook::in_hook() {
        return open_in_hook(pipeline, incoming);
    }
    let mut trace = incoming.into_trace();
    let sampler = options.sampler.or(pipeline.sampling.sampler.as_ref());
    let own_rate = options.sample_rate.filter(|rate| is_rate(*rate));
    let rate = own_rate.or(pipeline.sampling.rate);
    let explicit = options.sampled.or(pipeline.sampling.everything.then_some(true));
    let decides = rate.is_some() || sampler.is_some() || explicit.is_some();
    let decided = options.recorded && decides && !pipeline.sampling.no_project;
    let ignored = decided && pipeline.ignores(&Starting::Segment(options));
    let decision = (decided && !ignored).then(|| {
        let context = SamplingContext {
            trace_id: trace.trace_id,
            op: &options.op,
            parent_sampled: trace.sampled,
            request: options.request,
            custom: options.custom,
            name: options.name,
            parent_sample_rate: &|| sample_rate(&trace.live().baggage.read(trace.trace_id)),
        };
        let halvings = || pipeline.deliver.rate_halvings();
        decide(explicit, sampler, rate, || sample_rand(&trace), halvings, &context)
    });
    let recording = match decision {
        None if ignored => Recording::Unsampled(Reason::Ignored),
        None => Recording::Off,
        Some(Decision { sampled: true, .. }) => Recording::Sampled,
        Some(Decision { sampled: false, reason, .. }) => Recording::Unsampled(reason),
    };
    pipeline.counters.started(recording, trace.parent_span_id.is_none());
    let unusable = decision.and_then(|decision| decision.unusable);
    if unusable.is_some() || own_rate != options.sample_rate {
        pipeline.rate_warnings.warn(options, pipeline.sampling.rate, decision, trace.sampled);
    }
    if recording != Recording::Sampled && pipeline.debug {
        let rate_halvings = pipeline.deliver.rate_halvings();
        explain_unrecorded(
            Unrecorded { options, sampling: &pipeline.sampling, ignored, decision, rate_halvings },
            &trace,
        );
    }
    trace.sampled = match decision {
        Some(decision) => Some(decision.sampled),
        None => undecided(&trace, sampler, rate),
    };
    trace.sample_rate = decision.and_then(|decision| decision.rate);
    if let Some(Decision { sampled, rate: Some(rate), .. }) = decision {
        let trace_id = trace.trace_id;
        trace.live_mut().baggage.apply(trace_id, Applied { rate, sampled });
    }
    trace.recording = recording;
    trace.of_request = options.request.is_some();
    trace.span_id =
        if recording.passes_through() { passing_span_id(&trace) } else { crate::propagation::ids::span_id() };
    if recording == Recording::Sampled {
        let mut record = pool::take(crate::propagation::ids::event_id(), trace.trace_id, pipeline.identity);
        record.set_name(options.name.0, options.name.1, options.source);
        if let (Some(request), Some(collection)) = (options.request, options.collection) {
            let Record { request: into, arena, name, .. } = &mut *record;
            let name = Held { text: options.name.1, at: name.rest };
            into.copy(arena, request, name, collection, collection.personal(pipeline.sampling.everything));
        }
        let op = record.arena.keep(options.op.clone());
        record.push_span(SpanRecord {
            span_id: trace.span_id,
            parent_span_id: trace.parent_span_id,
            op,
            description: Text::EMPTY,
            origin: Text::Literal(options.origin),
            status: None,
            start: Moment::now(),
            end: None,
            status_open: false,
            may_go_on: false,
        });
        let live = trace.live_mut();
        live.record = Some(record);
        live.stream = pipeline.streams.then(Box::default);
    }
    trace.pipeline.set(pipeline);
    Transaction::new(trace.shareable())
}

/// What a hook starts is not recorded and asks no other hook. A trace that is continued passes through; none begins.
#[cold]
fn open_in_hook(pipeline: &Arc<Pipeline>, incoming: Incoming) -> Transaction {
    on_behalf_of(pipeline.debug, started_by_hook);
    let mut trace = incoming.into_trace();
    if trace.parent_span_id.is_none() {
        recycle::give_back(trace);
        return Transaction::none();
    }
    trace.recording = Recording::Off;
    trace.span_id = passing_span_id(&trace);
    trace.pipeline.set(pipeline);
    Transaction::new(trace.shareable())
}

/// Away from the code that every request runs.
#[cold]
fn explain_unrecorded(unrecorded: Unrecorded<'_>, trace: &TraceState) {
    on_behalf_of(true, || unrecorded.explain(|| sample_rand(trace)));
}
