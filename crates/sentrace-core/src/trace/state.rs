//! The state of one transaction, or of one continuation of a trace, in this process.

use super::finished_span::Segment;
use crate::decide::recording::Recording;
use crate::propagation::ids;
use crate::record::Anchor;
use crate::util::clock::FastInstant;
use crate::util::fork;
use std::fmt::Write as _;
#[cfg(feature = "http")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::losses::{Category, Reason};
use sentrace_protocol::{SentryTrace, SpanId, TraceId, Traceparent, baggage};
use triomphe::{Arc, UniqueArc};

use crate::propagation::received::ReceivedHeaders;
use crate::propagation::sample_rand::SampleRand;
use crate::propagation::trace_baggage::{Applied, TraceBaggage};
use crate::record::scope::Scope;
use crate::record::{Record, Slot};
use crate::trace::pipeline::PipelineRef;
use crate::trace::streamed::Stream;
use crate::util::text::cut_chars;

/// Characters of a transaction's name in the dynamic sampling context: as many as Sentry keeps.
const MAX_NAME_CHARS: usize = 200;

/// A trace with several handles. There are no weak handles, so one load shows which handle is the
/// last.
pub(crate) type SharedTrace = Arc<TraceState>;

/// A trace with a single handle: not opened yet, or finished.
pub(crate) type OwnTrace = UniqueArc<TraceState>;

/// Shared by a transaction, its spans, and the threads where one of them is current.
#[derive(Debug)]
pub(crate) struct TraceState {
    pub(crate) pipeline: PipelineRef,
    pub(crate) trace_id: TraceId,
    /// The transaction's own span, or the propagated id if there is none.
    pub(crate) span_id: SpanId,
    /// The caller's span.
    pub(crate) parent_span_id: Option<SpanId>,
    /// The decision in outgoing headers; `None` if tracing is off and no caller has decided.
    pub(crate) sampled: Option<bool>,
    /// The rate that decided, if this service started the trace.
    pub(crate) sample_rate: Option<f64>,
    pub(crate) recording: Recording,
    /// Whether this is the transaction of an incoming request, recorded or not.
    pub(crate) is_request: bool,
    /// Whether that request carries its mark; see
    /// [`classify`](crate::adapter::IncomingTrace::classify).
    marked: AtomicBool,
    /// The continuation that this transaction was started from. It freezes one context for all its
    /// transactions.
    pub(crate) head: Option<SharedTrace>,
    /// The headers that the request being served received, besides the caller's ids.
    pub(crate) received: ReceivedHeaders,
    pub(crate) live: Mutex<Live>,
    /// The frozen context as a header value, so that later calls copy nothing and take no lock;
    /// `None` if it is empty.
    #[cfg(feature = "http")]
    baggage_header: OnceLock<Option<http::HeaderValue>>,
}

/// The mutable part of a trace.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) baggage: TraceBaggage,
    /// Of a sampled transaction that has not ended.
    pub(crate) record: Option<Box<Record>>,
    /// Of a sampled transaction whose spans are streamed.
    pub(crate) stream: Option<Box<Stream>>,
    /// What was set for the whole trace, shared by its transactions.
    pub(crate) scope: Option<std::sync::Arc<Scope>>,
}

impl Live {
    /// Returns the record of a span that was not handed over yet.
    #[inline]
    pub(crate) fn record_of(&mut self, slot: Slot, span_id: SpanId) -> Option<(&mut Record, Slot)> {
        match slot {
            Slot::OWN_RECORD => Some((self.stream.as_mut()?.open_span(span_id)?, Slot::ROOT)),
            slot => Some((self.record.as_deref_mut()?, slot)),
        }
    }

    /// Returns `true` if a span with this id is recorded.
    pub(crate) fn has_span(&self, span_id: SpanId) -> bool {
        self.record.as_deref().is_some_and(|record| record.spans.iter().any(|span| span.span_id == span_id))
            || self.stream.as_deref().is_some_and(|stream| stream.has_open_span(span_id))
    }

    /// Returns the transaction's name so far.
    fn segment_name(&self) -> std::sync::Arc<str> {
        let ended = self.stream.as_ref().and_then(|stream| stream.name());
        ended.unwrap_or_else(|| {
            self.record.as_ref().map_or_else(|| "".into(), |record| record.streamed_name().into())
        })
    }
}

impl TraceState {
    /// Returns an empty trace.
    pub(crate) fn empty() -> Self {
        Self {
            pipeline: PipelineRef::default(),
            trace_id: ids::trace_id(),
            span_id: ids::span_id(),
            parent_span_id: None,
            sampled: None,
            sample_rate: None,
            recording: Recording::NotTraced,
            is_request: false,
            marked: AtomicBool::new(false),
            head: None,
            received: ReceivedHeaders::default(),
            live: Mutex::default(),
            #[cfg(feature = "http")]
            baggage_header: OnceLock::new(),
        }
    }

    /// Resets the state for reuse, keeping its allocations and its pipeline.
    pub(crate) fn reset(&mut self) {
        self.parent_span_id = None;
        self.sampled = None;
        self.sample_rate = None;
        self.recording = Recording::NotTraced;
        self.is_request = false;
        *self.marked.get_mut() = false;
        self.head = None;
        self.received.clear();
        #[cfg(feature = "http")]
        self.baggage_header.take();
        let live = self.live_mut();
        live.baggage.clear();
        live.record = None;
        live.stream = None;
        live.scope = None;
    }

    /// Returns the caller's trace and span, if there is a caller.
    #[inline]
    pub(crate) fn caller(&self) -> Option<(TraceId, SpanId)> {
        self.parent_span_id.map(|span_id| (self.trace_id, span_id))
    }

    /// Returns the span id for outgoing headers if nothing is recorded here: the caller's own, so
    /// that callees find a parent that exists.
    pub(crate) fn propagated_span_id(&self) -> SpanId {
        self.parent_span_id.unwrap_or_else(|| {
            fork::check(FastInstant::now());
            ids::span_id()
        })
    }

    /// Takes over the headers that the request of `outer` received.
    pub(crate) fn inherit_received(&mut self, outer: &Self) {
        self.received.inherit(&outer.received, outer.caller());
    }

    /// Records that its request is marked. The mark travels with the request, which orders the
    /// accesses.
    pub(crate) fn mark(&self) {
        self.marked.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_marked(&self) -> bool {
        self.marked.load(Ordering::Relaxed)
    }

    pub(crate) fn live_mut(&mut self) -> &mut Live {
        self.live.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sentry_trace(&self, span_id: SpanId) -> SentryTrace {
        SentryTrace { trace_id: self.trace_id, span_id, sampled: self.sampled }
    }

    /// Returns the value of `traceparent`, if it is propagated.
    pub(crate) fn traceparent(&self, span_id: SpanId) -> Option<Traceparent> {
        self.pipeline.propagate_traceparent.then(|| Traceparent {
            trace_id: self.trace_id,
            parent_id: span_id,
            sampled: self.sampled == Some(true),
        })
    }

    /// Remembers foreign ids that are propagated from here; see
    /// [`RecentHeaders`](crate::propagation::recent::RecentHeaders).
    #[inline]
    pub(crate) fn remember_propagated(&self, span_id: SpanId) {
        if self.recording.is_passthrough() && self.parent_span_id == Some(span_id) {
            self.remember(span_id);
        }
    }

    #[cold]
    fn remember(&self, span_id: SpanId) {
        self.pipeline.recent.remember(crate::propagation::received::hash_of_ids(self.trace_id, span_id));
    }

    /// Freezes the dynamic sampling context and passes it to `read`. It never changes afterwards.
    pub(crate) fn with_frozen_baggage<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        let mut live = self.live();
        self.freeze(&mut live);
        read(live.baggage.parse(self.trace_id))
    }

    /// Freezes the context and returns it as a header value, or `None` if it is empty.
    #[cfg(feature = "http")]
    pub(crate) fn frozen_baggage_header(&self) -> Option<http::HeaderValue> {
        let read = || {
            let value = |members: &str| http::HeaderValue::from_str(members).ok();
            self.with_frozen_baggage(value).filter(|value| !value.is_empty())
        };
        self.baggage_header.get_or_init(read).clone()
    }

    /// Freezes the context and copies it for a transaction that starts below.
    pub(crate) fn copy_frozen_baggage(&self, into: &mut TraceBaggage) {
        let mut live = self.live();
        self.freeze(&mut live);
        into.copy_from(&live.baggage);
    }

    /// Writes the context of a trace that starts here, if it is not written yet.
    pub(crate) fn freeze(&self, live: &mut Live) {
        let Live { baggage, record, .. } = live;
        if baggage.is_frozen() {
            return;
        }
        let write = |into: &mut String| self.write_context(record.as_deref(), into);
        match &self.head {
            Some(head) => {
                let head = &mut head.live().baggage;
                let is_ours = !head.is_frozen();
                if is_ours {
                    head.freeze(write);
                }
                baggage.copy_from(head);
                if let (false, Some(rate), Some(sampled)) = (is_ours, self.sample_rate, self.sampled) {
                    // Another transaction of the trace wrote it, possibly with a different rate.
                    baggage.apply(self.trace_id, Applied { rate, sampled });
                }
            }
            None => baggage.freeze(write),
        }
    }

    /// Like [`freeze`](Self::freeze), for a trace with a single handle.
    pub(crate) fn freeze_own(&mut self) {
        if !self.live_mut().baggage.is_frozen() {
            // Taken out in the meantime, because writing reads the whole trace.
            let mut live = std::mem::take(self.live_mut());
            self.freeze(&mut live);
            *self.live_mut() = live;
        }
    }

    /// Writes the context of a trace that starts here (Sentry SDK specification, *Dynamic Sampling
    /// Context* 1.3).
    fn write_context(&self, record: Option<&Record>, into: &mut String) {
        let identity = self.pipeline.identity;
        // Writing to a String cannot fail.
        let _ = write!(into, "sentry-trace_id={}", self.trace_id);
        let mut member = |key: &str, value: &str| {
            into.push_str(",sentry-");
            into.push_str(key);
            into.push('=');
            baggage::encode_into(value, into);
        };
        if let Some(public_key) = &identity.public_key {
            member("public_key", public_key);
        }
        // A decision that was inherited, or made without a rate, needs a rate, too.
        if let Some(rate) = self.sample_rate.or(self.sampled.map(|sampled| f64::from(u8::from(sampled)))) {
            member("sample_rate", &rate.abs().to_string());
        }
        member("sample_rand", &SampleRand::of_trace(self.trace_id).to_string());
        if let Some(sampled) = self.sampled {
            member("sampled", if sampled { "true" } else { "false" });
        }
        if let Some(release) = &identity.release {
            member("release", release);
        }
        member("environment", &identity.environment);
        if let Some(org_id) = &identity.org_id {
            member("org_id", org_id);
        }
        if let Some(record) = record.filter(|record| record.source.is_low_cardinality()) {
            let name = if self.pipeline.streams { record.shown_streamed_name() } else { record.shown_name() };
            member("transaction", cut_chars(&name, MAX_NAME_CHARS));
        }
        if into.len() > baggage::MAX_BYTES {
            self.shorten_context(into);
        }
    }

    /// Shortens the context to the limits of its header.
    #[cold]
    fn shorten_context(&self, context: &mut String) {
        match baggage::fit(context, baggage::MAX_BYTES, baggage::MAX_MEMBERS) {
            Some(fitting) => *context = fitting.into_owned(),
            None => {
                // Usual names are never that long. What remains is what Sentry requires.
                *context = baggage::without(context, &["transaction", "release", "environment", "org_id"]);
                if context.len() > baggage::MAX_BYTES {
                    context.clear();
                }
            }
        }
    }
}

impl Segment for TraceState {
    fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn span_id(&self) -> SpanId {
        self.span_id
    }

    fn discarded(&self) -> Option<Reason> {
        self.live().stream.as_ref().and_then(|stream| stream.discarded())
    }

    fn name_and_anchor(&self) -> (std::sync::Arc<str>, Anchor) {
        let mut live = self.live();
        let anchor = live.stream.as_mut().map(|stream| stream.anchor());
        (live.segment_name(), anchor.unwrap_or_else(Anchor::now))
    }

    fn dynamic_sampling_context(&self) -> Option<DynamicSamplingContext> {
        let frozen = self.with_frozen_baggage(|baggage| {
            (!baggage.is_empty()).then(|| DynamicSamplingContext::from_baggage(baggage))
        });
        frozen.or_else(|| {
            let public_key = self.pipeline.identity.public_key.as_deref()?;
            let trace_id = self.trace_id.to_hex();
            Some([("trace_id", &*trace_id), ("public_key", public_key)].into_iter().collect())
        })
    }

    fn count_lost(&self, reason: Reason) {
        self.pipeline.losses.record(reason, Category::Span, 1);
    }
}
