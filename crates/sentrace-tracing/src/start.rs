//! What a `tracing` span stands for, decided when it is opened.

use std::sync::Arc;

use sentrace_core::adapter::run_hook;
use sentrace_core::current_span;
use sentrace_core::{Client, SpanRef, TransactionOptions};
use tracing::span::Attributes;
use tracing_subscriber::registry::{self, LookupSpan};

use crate::bound::BOUND_TARGET;
use crate::config::{Filter, TracingLayer};
use crate::data::Data;
use crate::layer_id::LayerId;
use crate::layers::{self, Role};
use crate::naming::Naming;
use crate::state::{Bound, SpanState, States, Times};

const ORIGIN: &str = "auto.tracing";
/// How the threads of delivery are named: what they do must not be delivered in turn.
const OWN_THREADS: &str = "sentrace-";
/// How many spans are looked through for one that keeps anything: below many that keep nothing, as in a deep recursion without a
/// transaction, each new one would otherwise look through all of them.
const MAX_LEVELS: usize = 256;

impl TracingLayer {
    /// The state of a span that was opened now; `None` where it stands for nothing.
    pub(crate) fn start<S>(
        &self,
        attributes: &Attributes<'_>,
        span: &registry::SpanRef<'_, S>,
    ) -> Option<SpanState>
    where
        S: for<'lookup> LookupSpan<'lookup>,
    {
        let metadata = attributes.metadata();
        let parent = self.parent(attributes, span);
        if metadata.target() == BOUND_TARGET {
            return (!parent.is_none()).then(|| SpanState::new(Bound::Context(parent)));
        }
        if !accepts(&self.spans, attributes) {
            // The topmost of those that are left out still takes the transaction along to other threads.
            let takes_along = parent.records_children() && nearest(span, self.key(), |_| Some(())).is_none();
            return takes_along.then(|| SpanState::new(Bound::Context(parent)));
        }
        if parent.has_transaction() {
            return self.start_span(attributes, &parent);
        }
        let set_apart = || attributes.is_root() && !current_span().is_none();
        self.start_transaction(attributes, &parent)
            .or_else(|| set_apart().then(|| SpanState::new(Bound::Apart)))
    }

    fn start_span(&self, attributes: &Attributes<'_>, parent: &SpanRef) -> Option<SpanState> {
        let metadata = attributes.metadata();
        if !parent.records_children() {
            // It is counted as lost, as any span there is.
            parent.start_span("", "").finish();
            return None;
        }
        let mut naming = Naming::of(attributes);
        let op = naming.take_op();
        let span = parent.start_span_of(ORIGIN, op, naming.name(metadata));
        Some(self.describe(attributes, &naming, SpanState::new(Bound::Span(span))))
    }

    #[cold]
    fn start_transaction(&self, attributes: &Attributes<'_>, parent: &SpanRef) -> Option<SpanState> {
        let mut naming = Naming::of(attributes);
        let wanted = naming.transaction
            || self.transactions.as_ref().is_some_and(|filter| accepts(filter, attributes));
        if !wanted || std::thread::current().name().is_some_and(|name| name.starts_with(OWN_THREADS)) {
            return None;
        }
        let client = self.client.clone().or_else(|| parent.client()).or_else(Client::global)?;
        let op = naming.take_op();
        let options =
            TransactionOptions::new(naming.transaction_name(attributes.metadata()), op).origin(ORIGIN);
        let transaction = match &naming.incoming {
            Some(carrier) => client.continue_trace(carrier).start_transaction_with(&options),
            None => parent.enter(|| client.start_transaction_with(&options)),
        };
        Some(self.describe(attributes, &naming, SpanState::new(Bound::Transaction(Arc::new(transaction)))))
    }

    /// What the span is below: an explicit parent goes before what is current, and a root is below nothing.
    fn parent<S>(&self, attributes: &Attributes<'_>, span: &registry::SpanRef<'_, S>) -> SpanRef
    where
        S: for<'lookup> LookupSpan<'lookup>,
    {
        if attributes.is_contextual() {
            let current = current_span();
            if self.is_ours(&current) {
                return current;
            }
        } else if attributes.is_root() {
            return SpanRef::default();
        }
        nearest(span, self.key(), |state| Some(state.parent())).unwrap_or_default()
    }

    /// Whether what is current is for this layer: beside layers with other clients what is theirs is not.
    #[inline]
    pub(crate) fn is_ours(&self, current: &SpanRef) -> bool {
        match self.place.role() {
            Role::Alone | Role::Redundant => true,
            Role::First => self.is_not_of_others(current),
            Role::Further => self.is_of_own_client(current),
        }
    }

    #[cold]
    fn is_not_of_others(&self, current: &SpanRef) -> bool {
        !current.client().is_some_and(|client| layers::is_of_another(self.place.id(), &client))
    }

    #[cold]
    fn is_of_own_client(&self, current: &SpanRef) -> bool {
        let own = self.client.as_ref();
        current.client().is_some_and(|client| own.is_some_and(|own| own.ptr_eq(&client)))
    }

    /// Records what the code and the fields tell.
    fn describe(&self, attributes: &Attributes<'_>, naming: &Naming, mut state: SpanState) -> SpanState {
        let mut data = match &state.bound {
            Bound::Span(span) => Data::new(span, None),
            Bound::Transaction(transaction) => Data::new(transaction, Some(transaction)),
            Bound::Context(_) | Bound::Apart => return state,
        };
        data.starting = true;
        data.dialect = naming.dialect;
        if self.code {
            record_location(data.span, attributes);
        }
        attributes.record(&mut data);
        let (named, statement, dialect) = (data.named, data.statement, data.dialect);
        state.named = named;
        state.statement = statement;
        state.dialect = dialect;
        state.times = self.busy_times.then(Times::new);
        state
    }
}

/// What `read` finds in the nearest span above `span` that keeps anything.
pub(crate) fn nearest<S, R>(
    span: &registry::SpanRef<'_, S>,
    layer: Option<LayerId>,
    read: impl Fn(&SpanState) -> Option<R>,
) -> Option<R>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let state_of = |above: registry::SpanRef<'_, S>| {
        above.extensions().get::<States>().and_then(|states| states.of(layer)).map(&read)
    };
    span.scope().skip(1).take(MAX_LEVELS).find_map(state_of).flatten()
}

/// A filter that panics has not asked for anything.
fn accepts(filter: &Filter, attributes: &Attributes<'_>) -> bool {
    run_hook(|| filter(attributes.metadata())).unwrap_or(false)
}

fn record_location(span: &SpanRef, attributes: &Attributes<'_>) {
    let metadata = attributes.metadata();
    if let Some(module) = metadata.module_path() {
        span.set_data("code.module.name", module);
    }
    if let Some(file) = metadata.file() {
        span.set_data("code.file.path", file);
    }
    if let Some(line) = metadata.line() {
        span.set_data("code.line.number", line);
    }
}
