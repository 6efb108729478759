//! The layer at work: what `tracing` tells, and what is made of it.

use sentrace_core::SpanRef;
use sentrace_core::current::current_span;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{self, LookupSpan, Registry};

use crate::config::TracingLayer;
use crate::database::{self, Query};
use crate::entered::{self, Entering};
use crate::error;
use crate::start::nearest;
use crate::state::{SpanState, Times};

impl<S> Layer<S> for TracingLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let _ = self.subscriber.set(subscriber.downgrade());
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        let subscriber: &dyn Subscriber = subscriber;
        self.redundant = subscriber.is::<Self>();
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|_| !self.redundant) else { return };
        if let Some(state) = self.start(attributes, &span) {
            span.extensions_mut().replace(state);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|_| !self.redundant) else { return };
        let told = span
            .extensions()
            .get()
            .and_then(|state: &SpanState| Some((state.own()?, state.named, state.dialect)));
        let Some((own, named, dialect)) = told else { return };
        let mut data = own.data();
        data.named = named;
        data.dialect = dialect;
        values.record(&mut data);
        if let Some(state) = span.extensions_mut().get_mut::<SpanState>() {
            state.named |= data.named;
            state.statement |= data.statement;
            state.dialect = data.dialect;
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let (Some(span), Some(follows)) = (context.span(id), context.span(follows)) else { return };
        let Some(follows) = follows.extensions().get::<SpanState>().map(SpanState::parent) else { return };
        if let Some(state) = span.extensions_mut().get_mut::<SpanState>() {
            state.follow(&follows);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if self.redundant {
            return;
        }
        if self.database && database::is_query(event) {
            self.on_query(event, &context);
        } else if self.errors && *event.metadata().level() == Level::ERROR {
            let failed = context.event_scope(event).and_then(|mut scope| {
                scope.find_map(|span| span.extensions().get::<SpanState>().map(SpanState::own))
            });
            // What only takes a context along is not what failed: how a request went, its answer says.
            if let Some(span) = failed.flatten() {
                error::mark(span.span(), event);
            }
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|_| !self.redundant) else { return };
        if self.busy_times {
            with_times(&span, Times::enter);
        }
        let own = span.extensions().get::<SpanState>().map(SpanState::to_enter);
        let entering = match own {
            Some(entering) => entering,
            // On another thread, below a span that takes something along.
            None if current_span().is_none() => {
                nearest(&span, |above| Some(Entering { began: false, ..above.to_enter()? }))
            }
            None => None,
        };
        if let Some(entering) = entering {
            entered::enter(id, entering);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        // Spans that made nothing current are not looked up: there is nothing to do.
        let Some(left) = entered::exit(id).filter(|_| !self.redundant) else { return };
        if self.busy_times
            && let Some(span) = context.span(id)
        {
            with_times(&span, Times::exit);
        }
        if left.began {
            left.span.may_end_here();
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let state = context.span(&id).and_then(|span| span.extensions_mut().remove::<SpanState>());
        if let Some(state) = state {
            state.close();
        }
    }
}

fn with_times<S>(span: &registry::SpanRef<'_, S>, count: impl FnOnce(&mut Times))
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    if let Some(SpanState { times: Some(times), .. }) = span.extensions_mut().get_mut() {
        count(times);
    }
}

impl TracingLayer {
    fn on_query<S>(&self, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        let mut parent = current_span();
        if parent.is_none() {
            parent = self.beyond_filters(context).unwrap_or_default();
        }
        if !parent.has_transaction() {
            return;
        }
        if !parent.records_children() {
            if Query::is_told_by(event) {
                parent.start_span("", "").finish();
            }
            return;
        }
        let opened_for_it = context
            .event_span(event)
            .and_then(|span| span.extensions().get::<SpanState>().filter(|state| state.statement)?.own());
        let Some(query) = Query::of(event, self.database_system) else { return };
        match opened_for_it {
            Some(span) => query.record_rows(span.span()),
            None => query.record_below(&parent),
        }
    }

    /// What the entered span takes along that a filter keeps away from this layer, as its entering was. It may be all that
    /// was entered on this thread, and what we know of is above it.
    fn beyond_filters<S: Subscriber>(&self, context: &Context<'_, S>) -> Option<SpanRef> {
        let subscriber = self.subscriber.get()?.upgrade()?;
        let registry = subscriber.downcast_ref::<Registry>()?;
        let entered = registry.span(context.current_span().id()?)?;
        entered.scope().find_map(|span| span.extensions().get::<SpanState>().map(SpanState::parent))
    }
}
