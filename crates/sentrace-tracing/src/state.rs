//! What a `tracing` span keeps of ours, in its extensions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::current_span;
use sentrace_core::{Span, SpanRef, Transaction};
use sentrace_protocol::sql::Dialect;

use crate::data::Data;
use crate::entered::Entering;
use crate::layer_id::LayerId;

/// What a `tracing` span stands for here. Spans that stand for nothing keep nothing.
#[derive(Debug)]
pub(crate) struct SpanState {
    pub(crate) bound: Bound,
    /// How it is named by somebody, and not by the code alone.
    pub(crate) named: bool,
    /// Whether it told the statement that it runs: then it is what a query of sqlx would be.
    pub(crate) statement: bool,
    /// Whose SQL that is.
    pub(crate) dialect: Dialect,
    pub(crate) times: Option<Times>,
    follows: Vec<String>,
}

/// What layers keep of one `tracing` span. Nearly always there is one layer.
#[derive(Debug)]
pub(crate) struct States {
    first: Option<(LayerId, SpanState)>,
    more: Vec<(LayerId, SpanState)>,
}

impl States {
    /// The state of this layer; of whichever has one if none is asked for.
    pub(crate) fn of(&self, layer: Option<LayerId>) -> Option<&SpanState> {
        let is_its = |entry: &&(LayerId, SpanState)| layer.is_none_or(|layer| entry.0 == layer);
        self.first.iter().chain(&self.more).find(is_its).map(|entry| &entry.1)
    }

    pub(crate) fn of_mut(&mut self, layer: Option<LayerId>) -> Option<&mut SpanState> {
        let is_its = |entry: &&mut (LayerId, SpanState)| layer.is_none_or(|layer| entry.0 == layer);
        self.first.iter_mut().chain(&mut self.more).find(is_its).map(|entry| &mut entry.1)
    }

    pub(crate) fn new(layer: LayerId, state: SpanState) -> Self {
        Self { first: Some((layer, state)), more: Vec::new() }
    }

    /// Adds the state of another layer.
    pub(crate) fn insert(&mut self, layer: LayerId, state: SpanState) {
        self.more.push((layer, state));
    }

    /// A layer that keeps something.
    pub(crate) fn layer(&self) -> Option<LayerId> {
        self.first.as_ref().map(|entry| entry.0)
    }

    /// Takes the state of this layer out; of whichever has one if none is asked for.
    pub(crate) fn remove(&mut self, layer: Option<LayerId>) -> Option<SpanState> {
        let is_its = |entry: &(LayerId, SpanState)| layer.is_none_or(|layer| entry.0 == layer);
        if self.first.as_ref().is_some_and(is_its) {
            return self.first.take().map(|entry| entry.1);
        }
        let at = self.more.iter().position(is_its)?;
        Some(self.more.remove(at).1)
    }
}

#[derive(Debug)]
pub(crate) enum Bound {
    /// A span that began with it.
    Span(Span),
    /// A transaction that began with it.
    Transaction(Arc<Transaction>),
    /// Nothing began with it: it takes along what was current when it was opened.
    Context(SpanRef),
    /// It belongs to nothing that was current when it was opened.
    Apart,
}

impl SpanState {
    pub(crate) fn new(bound: Bound) -> Self {
        Self {
            bound,
            named: false,
            statement: false,
            dialect: Dialect::Unknown,
            times: None,
            follows: Vec::new(),
        }
    }

    /// Below what its children begin.
    pub(crate) fn parent(&self) -> SpanRef {
        match &self.bound {
            Bound::Span(span) => (**span).clone(),
            Bound::Transaction(transaction) => (**transaction).clone(),
            Bound::Context(span) => span.clone(),
            Bound::Apart => SpanRef::default(),
        }
    }

    /// What is to be current while it is entered; `None` where that stays as it is.
    pub(crate) fn to_enter(&self) -> Option<Entering> {
        match &self.bound {
            // What is current in its trace knows better where we are.
            Bound::Context(span) if span.trace_id() == current_span().trace_id() => None,
            _ => Some(Entering { span: self.parent(), began: matches!(self.bound, Bound::Span(_)) }),
        }
    }

    /// What began with it, to be marked and described.
    pub(crate) fn own(&self) -> Option<Own> {
        match &self.bound {
            Bound::Span(span) => Some(Own::Span((**span).clone())),
            Bound::Transaction(transaction) => Some(Own::Transaction(Arc::clone(transaction))),
            Bound::Context(_) | Bound::Apart => None,
        }
    }

    /// Notes a span that came before it, though it is not its parent.
    pub(crate) fn follow(&mut self, follows: &SpanRef) {
        if let (Some(own), Some(sentry_trace)) = (self.own(), follows.sentry_trace()) {
            self.follows.push(format!("{}-{}", sentry_trace.trace_id, sentry_trace.span_id));
            own.span().set_data("follows_from", self.follows.clone());
        }
    }

    /// It ends.
    pub(crate) fn close(self) {
        if let (Some(times), Some(own)) = (&self.times, self.own()) {
            times.record(own.span());
        }
        if let Bound::Span(span) = self.bound {
            span.resume();
        }
    }
}

/// The span or transaction that began with a `tracing` span, apart from it: so that no lock is held while it is described
/// by values, which may be code of users.
#[derive(Debug)]
pub(crate) enum Own {
    Span(SpanRef),
    Transaction(Arc<Transaction>),
}

impl Own {
    pub(crate) fn span(&self) -> &SpanRef {
        match self {
            Self::Span(span) => span,
            Self::Transaction(transaction) => transaction,
        }
    }

    /// Records fields on it.
    pub(crate) fn data(&self) -> Data<'_> {
        match self {
            Self::Span(span) => Data::new(span, None),
            Self::Transaction(transaction) => Data::new(transaction, Some(transaction)),
        }
    }
}

/// How long a span was entered, and how long it waited.
#[derive(Debug)]
pub(crate) struct Times {
    busy: Duration,
    idle: Duration,
    /// By how many it is entered now.
    entered: usize,
    since: Instant,
}

impl Times {
    pub(crate) fn new() -> Self {
        Self { busy: Duration::ZERO, idle: Duration::ZERO, entered: 0, since: Instant::now() }
    }

    pub(crate) fn enter(&mut self) {
        self.pass();
        self.entered += 1;
    }

    pub(crate) fn exit(&mut self) {
        self.pass();
        self.entered = self.entered.saturating_sub(1);
    }

    /// The time since the last look was busy where somebody was in it.
    fn pass(&mut self) {
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.since);
        self.since = now;
        *(if self.entered > 0 { &mut self.busy } else { &mut self.idle }) += passed;
    }

    fn record(&self, span: &SpanRef) {
        let idle = self.idle + self.since.elapsed();
        span.set_data("busy_ns", nanoseconds(self.busy));
        span.set_data("idle_ns", nanoseconds(idle));
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
