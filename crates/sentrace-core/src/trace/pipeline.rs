//! What traces and spans need from their client: where they go, how they are counted, and what new
//! traces announce.

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
use crate::record::content::ContentCollection;
use crate::record::scope::Scope;
use crate::trace::counters::Counters;
use crate::trace::deliver::NoopDeliver;
use crate::trace::deliver::{Deliver, FinishedTransaction};
use crate::trace::finished_span::FinishedSpan;
use crate::util::hook;

/// The immutable state of a client.
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
    /// Whether spans are streamed.
    pub(crate) streams: bool,
    pub(crate) ignore: Vec<IgnoreSpan>,
    pub(crate) max_spans: usize,
    /// How many spans of a transaction start without checking rules and lifecycle: `max_spans`, or
    /// 0. The plain case pays nothing for those checks.
    pub(crate) fast_path_spans: usize,
    pub(crate) idle_timeouts: Timeouts,
    pub(crate) counters: Counters,
    /// Foreign headers that were forwarded or rejected.
    pub(crate) recent: RecentHeaders,
    pub(crate) rate_warnings: RateWarnings,
    /// What the client adds to all spans.
    pub(crate) scope: Scope,
    pub(crate) content: ContentCollection,
}

/// A trace's reference to its pipeline. Only a trace that is kept for reuse has none.
#[derive(Debug, Default)]
pub(crate) struct PipelineRef(Option<Arc<Pipeline>>);

impl PipelineRef {
    pub(crate) fn shared(&self) -> Option<Arc<Pipeline>> {
        self.0.clone()
    }

    /// Touches the reference counter only if it is not the same pipeline already.
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
    /// Returns the pipeline that is used if there is none.
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
            scope: Scope::default(),
            content: ContentCollection::new(),
        }
    }

    pub(crate) fn deliver(&self, record: Box<Record>) {
        // Deliverers are not recorded; otherwise delivery would cause further deliveries.
        hook::without_recording(|| self.deliver.deliver(FinishedTransaction::new(record)));
    }

    pub(crate) fn deliver_span(&self, span: FinishedSpan) {
        match self.deliver.spans() {
            Some(spans) => hook::without_recording(|| spans.deliver_span(span)),
            None => span.discard(Reason::InternalSdkError),
        }
    }

    pub(crate) fn ignores(&self, span: &NewSpan<'_>) -> bool {
        self.ignore.iter().any(|rule| rule.matches(span, self.streams))
    }

    /// Counts a transaction that is not sent, with its child spans. If spans are streamed, the
    /// transaction counts as a span.
    pub(crate) fn record_lost_transaction(&self, reason: Reason, child_spans: u64) {
        if self.streams {
            self.losses.record(reason, Category::Span, child_spans.saturating_add(1));
        } else {
            self.losses.record_transaction(reason, child_spans);
        }
    }
}
