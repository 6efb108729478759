//! What a `tracing` span stands for, decided when it is opened.

use std::sync::Arc;

use sentrace_core::current::current_span;
use sentrace_core::{Client, SpanRef, TransactionOptions, guarded};
use tracing::span::Attributes;
use tracing_subscriber::registry::{self, LookupSpan};

use crate::bound::BOUND_TARGET;
use crate::config::{Filter, TracingLayer};
use crate::naming::Naming;
use crate::state::{Bound, SpanState, Times};

const ORIGIN: &str = "auto.tracing";
/// How the threads of delivery are named: what they do must not be delivered in turn.
const OWN_THREADS: &str = "sentrace-";

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
        let parent = parent(attributes, span);
        if metadata.target() == BOUND_TARGET {
            return (!parent.is_none()).then(|| SpanState::new(Bound::Context(parent)));
        }
        if !accepts(&self.spans, attributes) {
            // The topmost of those that are left out still takes the transaction along to other threads.
            let takes_along = parent.records_children() && nearest(span, |_| Some(())).is_none();
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
        let span = parent.start_span(op, naming.name(metadata));
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

    /// Records what the code and the fields tell.
    fn describe(&self, attributes: &Attributes<'_>, naming: &Naming, mut state: SpanState) -> SpanState {
        let Some(own) = state.own() else { return state };
        let mut data = own.data();
        data.starting = true;
        data.dialect = naming.dialect;
        if data.transaction.is_none() {
            data.span.set_origin(ORIGIN);
        }
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

/// What the span is below: an explicit parent goes before what is current, and a root is below nothing.
fn parent<S>(attributes: &Attributes<'_>, span: &registry::SpanRef<'_, S>) -> SpanRef
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    if attributes.is_contextual() {
        current_span()
    } else if attributes.is_root() {
        SpanRef::default()
    } else {
        nearest(span, |state| Some(state.parent())).unwrap_or_default()
    }
}

/// What `read` finds in the nearest span above `span` that keeps anything.
pub(crate) fn nearest<S, R>(
    span: &registry::SpanRef<'_, S>,
    read: impl Fn(&SpanState) -> Option<R>,
) -> Option<R>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    span.scope().skip(1).find_map(|above| above.extensions().get::<SpanState>().map(&read)).flatten()
}

/// A filter that panics has not asked for anything.
fn accepts(filter: &Filter, attributes: &Attributes<'_>) -> bool {
    guarded(|| filter(attributes.metadata())).unwrap_or(false)
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
