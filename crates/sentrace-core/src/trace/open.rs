//! Starts or continues a trace in this service, and decides whether it is recorded.

use std::borrow::Cow;
use std::sync::Arc;

use sentrace_protocol::Reason;

use super::incoming::IncomingTrace;
use super::pipeline::Pipeline;
use super::recycle;
use super::state::{OwnTrace, SharedTrace, TraceState};
use crate::decide::explain::{NotRecorded, report_started_by_hook};
use crate::decide::ignore::NewSpan;
use crate::decide::recording::Recording;
use crate::decide::sampling::{Decision, Sampler, SamplingContext, decide, is_rate};
use crate::decide::transaction_options::TransactionOptions;
use crate::diagnostics::with_debug_mode;
use crate::propagation::ids;
use crate::propagation::sample_rand::SampleRand;
use crate::propagation::trace_baggage::{Applied, member, sample_rate};
use crate::record::{InternedText, Record, Slot, SpanRecord, Text, pool};
use crate::util::clock::FastInstant;
use crate::util::fork;
use crate::util::hook::in_hook;

/// Opens a transaction in an incoming trace. Returns `None` if a hook asks for one in a new trace.
pub(crate) fn open(
    pipeline: &Arc<Pipeline>,
    incoming: IncomingTrace,
    options: &TransactionOptions<'_>,
) -> Option<SharedTrace> {
    if in_hook() {
        return open_in_hook(pipeline, incoming);
    }
    let mut trace = incoming.into_trace();
    let sampler = options.sampler.or(pipeline.sampling.sampler.as_ref());
    let own_rate = options.sample_rate.filter(|rate| is_rate(*rate));
    let rate = own_rate.or(pipeline.sampling.rate);
    let explicit = options.sampled.or(pipeline.sampling.everything.then_some(true));
    let decides = rate.is_some() || sampler.is_some() || explicit.is_some();
    let decided = options.recorded && decides && !pipeline.sampling.no_project;
    let ignored = decided && pipeline.ignores(&NewSpan::Segment(options));
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
        let halvings = || pipeline.deliver.downsample_factor();
        decide(explicit, sampler, rate, || sample_rand(&trace), halvings, &context)
    });
    let recording = match decision {
        None if ignored => Recording::Unsampled(Reason::Ignored),
        None => Recording::NotTraced,
        Some(Decision { sampled: true, .. }) => Recording::Sampled,
        Some(Decision { sampled: false, reason, .. }) => Recording::Unsampled(reason),
    };
    pipeline.counters.started(recording, trace.parent_span_id.is_none());
    let invalid = decision.and_then(|decision| decision.invalid);
    if invalid.is_some() || own_rate != options.sample_rate {
        pipeline.rate_warnings.warn(options, pipeline.sampling.rate, decision, trace.sampled);
    }
    if recording != Recording::Sampled && pipeline.debug {
        let downsample_factor = pipeline.deliver.downsample_factor();
        report_unrecorded(
            NotRecorded { options, sampling: &pipeline.sampling, ignored, decision, downsample_factor },
            &trace,
        );
    }
    trace.sampled = match decision {
        Some(decision) => Some(decision.sampled),
        // What is called from here would be the only part of the trace.
        None if ignored && trace.parent_span_id.is_none() => Some(false),
        None => inherited_decision(&trace, sampler, rate),
    };
    trace.sample_rate = decision.and_then(|decision| decision.rate);
    if let Some(Decision { sampled, rate: Some(rate), .. }) = decision {
        let trace_id = trace.trace_id;
        trace.live_mut().baggage.apply(trace_id, Applied { rate, sampled });
    }
    trace.recording = recording;
    trace.is_request = options.request.is_some();
    if recording.is_passthrough() {
        trace.span_id = trace.propagated_span_id();
    } else {
        let start = FastInstant::now();
        fork::check(start);
        trace.span_id = ids::span_id();
        if recording == Recording::Sampled {
            begin_record(&mut trace, pipeline, options, start);
        }
    }
    trace.pipeline.set(pipeline);
    Some(trace.shareable())
}

/// Records the transaction's own span, and the allowed parts of its request.
#[inline]
fn begin_record(
    trace: &mut TraceState,
    pipeline: &Pipeline,
    options: &TransactionOptions<'_>,
    start: FastInstant,
) {
    let mut record = pool::take(ids::event_id(), trace.trace_id, pipeline.identity);
    record.set_name(options.name.0, options.name.1, options.source);
    if let (Some(request), Some(collection)) = (options.request, options.collection) {
        let Record { request: into, arena, name, .. } = &mut *record;
        let name = InternedText { text: options.name.1, at: name.rest };
        into.copy(arena, request, name, collection, collection.personal(pipeline.sampling.everything));
    }
    let op = record.arena.keep(options.op.clone());
    record.push_span(SpanRecord {
        span_id: trace.span_id,
        parent_span_id: trace.parent_span_id,
        op,
        description: Text::EMPTY,
        origin: Text::Literal(options.origin),
        derives_name: options.derives_name,
        status: None,
        start,
        end: None,
        status_unset: false,
        end_is_provisional: false,
    });
    for (key, value) in options.attributes {
        record.set_data(Slot::ROOT, Cow::Borrowed(key), value.clone());
    }
    for link in options.links {
        record.add_link(Slot::ROOT, link.clone());
    }
    if pipeline.streams {
        record.set_thread();
    }
    let live = trace.live_mut();
    live.record = Some(record);
    live.stream = pipeline.streams.then(Box::default);
}

/// Transactions of hooks are not recorded and call no other hook. A trace that has a caller is
/// propagated; no trace starts.
#[cold]
fn open_in_hook(pipeline: &Arc<Pipeline>, incoming: IncomingTrace) -> Option<SharedTrace> {
    with_debug_mode(pipeline.debug, report_started_by_hook);
    let mut trace = incoming.into_trace();
    if trace.parent_span_id.is_none() {
        recycle::give_back(trace);
        return None;
    }
    trace.recording = Recording::NotTraced;
    trace.span_id = trace.propagated_span_id();
    trace.pipeline.set(pipeline);
    Some(trace.shareable())
}

/// Continues or starts a trace without a transaction.
pub(crate) fn continue_without_transaction(pipeline: &Arc<Pipeline>, incoming: IncomingTrace) -> SharedTrace {
    let mut trace = incoming.into_trace();
    trace.span_id = trace.propagated_span_id();
    share(pipeline, trace)
}

/// Continues the trace of what runs outside any request, the same each time.
pub(crate) fn continue_process_trace(pipeline: &Arc<Pipeline>) -> SharedTrace {
    let process = &pipeline.process_trace;
    let mut trace = recycle::take();
    trace.trace_id = process.trace_id;
    trace.span_id = process.span_id;
    trace.parent_span_id = process.parent_span_id;
    trace.sampled = process.sampled;
    trace.live_mut().baggage.copy_from(&process.baggage);
    share(pipeline, trace)
}

fn share(pipeline: &Arc<Pipeline>, mut trace: OwnTrace) -> SharedTrace {
    let sampling = &pipeline.sampling;
    trace.sampled = inherited_decision(&trace, sampling.sampler.as_ref(), sampling.rate);
    trace.pipeline.set(pipeline);
    trace.shareable()
}

/// Kept out of the code that every request runs.
#[cold]
fn report_unrecorded(unrecorded: NotRecorded<'_>, trace: &TraceState) {
    with_debug_mode(true, || unrecorded.report(|| sample_rand(trace)));
}

/// Returns the decision to propagate if no transaction decides: the caller's. A new trace that
/// cannot be recorded is not sampled; otherwise the decision stays open.
fn inherited_decision(trace: &TraceState, sampler: Option<&Sampler>, rate: Option<f64>) -> Option<bool> {
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
