//! What traces and spans need of their client: where they go, how they are counted, what heads put into traces.

use crate::record::identity::Identity;
use crate::trace::process_trace::ProcessTrace;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use sentrace_protocol::losses::{Category, Reason};

use crate::account::losses::Losses;
use crate::decide::ignore::{IgnoreSpan, NewSpan};
use crate::decide::rate_warnings::RateWarnings;
use crate::decide::sampling::Sampling;
use crate::diagnostics::DebugClient;
use crate::options::idle::Timeouts;
use crate::propagation::continuation_rules::ContinuationRules;
use crate::propagation::outgoing::PropagationTargets;
use crate::propagation::recent::RecentHeaders;
use crate::record::Record;
use crate::trace::counters::Counters;
use crate::trace::deliver::NoopDeliver;
use crate::trace::deliver::{Deliver, FinishedTransaction};
use crate::trace::finished_span::FinishedSpan;
use crate::util::hook;

/// The immutable inside of a client.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) deliver: Arc<dyn Deliver>,
    pub(crate) losses: Arc<Losses>,
    pub(crate) identity: &'static Identity,
    pub(crate) outgoing: PropagationTargets,
    pub(crate) sampling: Sampling,
    pub(crate) process_trace: ProcessTrace,
    pub(crate) continuation: ContinuationRules,
    pub(crate) debug: bool,
    pub(crate) _debug_client: Option<DebugClient>,
    pub(crate) propagate_traceparent: bool,
    /// Whether spans are sent by themselves.
    pub(crate) streams: bool,
    pub(crate) ignore: Vec<IgnoreSpan>,
    pub(crate) max_spans: usize,
    /// Spans of a transaction that start without a look at rules and lifecycle, so that the plain case pays nothing
    /// for these: `max_spans`, or none.
    pub(crate) fast_path_spans: usize,
    pub(crate) idle_timeouts: Timeouts,
    pub(crate) counters: Counters,
    /// Foreign headers that were handed on or refused.
    pub(crate) recent: RecentHeaders,
    pub(crate) rate_warnings: RateWarnings,
}

/// A trace's share in its pipeline. Only a trace that is over and waits for its memory to be used again has none.
#[derive(Debug, Default)]
pub(crate) struct PipelineRef(Option<Arc<Pipeline>>);

impl PipelineRef {
    pub(crate) fn shared(&self) -> Option<Arc<Pipeline>> {
        self.0.clone()
    }

    /// Counted only where it is not the same already.
    pub(crate) fn set(&mut self, pipeline: &Arc<Pipeline>) {
        if !self.0.as_ref().is_some_and(|held| Arc::ptr_eq(held, pipeline)) {
            self.0 = Some(Arc::clone(pipeline));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}

impl Deref for PipelineRef {
    type Target = Pipeline;

    fn deref(&self) -> &Pipeline {
        self.0.as_deref().unwrap_or_else(|| Pipeline::noop())
    }
}

impl Pipeline {
    /// What stands in where there is none.
    pub(crate) fn noop() -> &'static Arc<Self> {
        static NOOP: LazyLock<Arc<Pipeline>> = LazyLock::new(|| Arc::new(Pipeline::new_noop()));
        &NOOP
    }

    /// Records nothing and sends nothing.
    fn new_noop() -> Self {
        let identity = Identity {
            public_key: None,
            org_id: None,
            release: None,
            environment: String::new(),
            server_name: None,
        };
        Self {
            deliver: Arc::new(NoopDeliver),
            losses: Arc::default(),
            identity: identity.interned(),
            outgoing: PropagationTargets::new(Some(Vec::new()), None),
            sampling: Sampling::default(),
            process_trace: ProcessTrace::begin(),
            continuation: ContinuationRules {
                org_id: None,
                strict: false,
                reads_traceparent: false,
                propagates_traceparent: false,
                debug: false,
            },
            debug: false,
            _debug_client: None,
            propagate_traceparent: false,
            streams: false,
            ignore: Vec::new(),
            max_spans: 0,
            fast_path_spans: 0,
            idle_timeouts: Timeouts::default(),
            counters: Counters::default(),
            recent: RecentHeaders::default(),
            rate_warnings: RateWarnings::default(),
        }
    }

    pub(crate) fn deliver(&self, record: Box<Record>) {
        // Whoever delivers is not to be recorded, or delivering would never end.
        hook::without_recording(|| self.deliver.deliver(FinishedTransaction::new(record)));
    }

    pub(crate) fn deliver_span(&self, span: FinishedSpan) {
        match self.deliver.spans() {
            Some(spans) => hook::without_recording(|| spans.deliver_span(span)),
            None => span.lost(Reason::InternalSdkError),
        }
    }

    pub(crate) fn ignores(&self, span: &NewSpan<'_>) -> bool {
        self.ignore.iter().any(|rule| rule.matches(span))
    }

    /// Counts a transaction that is not sent, with so many spans below it. Where spans are streamed it would have been
    /// a span as they are.
    pub(crate) fn record_lost_transaction(&self, reason: Reason, child_spans: u64) {
        if self.streams {
            self.losses.record(reason, Category::Span, child_spans.saturating_add(1));
        } else {
            self.losses.record_transaction(reason, child_spans);
        }
    }
}
