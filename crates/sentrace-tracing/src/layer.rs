//! The layer at work: what `tracing` tells, and what is made of it.

use sentrace_core::SpanRef;
use sentrace_core::adapter::in_hook;
use sentrace_core::current_span;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{self, LookupSpan, Registry};

use crate::bound;
use crate::config::TracingLayer;
use crate::database::{self, Query};
use crate::entered::{self, Entering};
use crate::error;
use crate::layer_id::LayerId;
use crate::layers::Role;
use crate::start::nearest;
use crate::state::{SpanState, States, Times};

impl<S> Layer<S> for TracingLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let _ = self.subscriber.set(subscriber.downgrade());
        self.place.join(subscriber, self.client.as_ref());
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        let address = std::ptr::from_ref(subscriber).addr();
        let subscriber: &dyn Subscriber = subscriber;
        let inner = subscriber.downcast_ref::<Self>().map(|inner| &inner.place);
        self.place.put_on(address, inner, self.client.as_ref());
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if !self.place.is_settled() {
            self.settle(&span);
        }
        // What a hook opens stands for nothing, and is not worth another hook.
        if !self.works() || in_hook() {
            return;
        }
        bound::seen(attributes.metadata());
        let Some(state) = self.start(attributes, &span) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(states) = extensions.get_mut::<States>() {
            if self.key().is_none()
                && let Some(other) = states.layer()
            {
                self.place.meet(other);
            }
            states.insert(self.place.id(), state);
        } else {
            extensions.insert(States::new(self.place.id(), state));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|_| self.works()) else { return };
        let told = span
            .extensions()
            .get()
            .and_then(|states: &States| states.of(self.key()))
            .and_then(|state| Some((state.own()?, state.named, state.dialect)));
        let Some((own, named, dialect)) = told else { return };
        let mut data = own.data();
        data.named = named;
        data.dialect = dialect;
        values.record(&mut data);
        if let Some(state) =
            span.extensions_mut().get_mut::<States>().and_then(|states| states.of_mut(self.key()))
        {
            state.named |= data.named;
            state.statement |= data.statement;
            state.dialect = data.dialect;
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let (Some(span), Some(follows)) = (context.span(id), context.span(follows)) else { return };
        if !self.works() {
            return;
        }
        let Some(follows) = self.state(&follows, SpanState::parent) else { return };
        if let Some(state) =
            span.extensions_mut().get_mut::<States>().and_then(|states| states.of_mut(self.key()))
        {
            state.follow(&follows);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // Our own messages come here too, where a handler logs them: they are nobody's failure.
        if !self.works() || in_hook() {
            return;
        }
        if self.database && database::is_query(event) {
            self.on_query(event, &context);
        } else if self.errors && *event.metadata().level() == Level::ERROR {
            let failed = context
                .event_scope(event)
                .and_then(|mut scope| scope.find_map(|span| self.state(&span, SpanState::own)));
            // What only takes a context along is not what failed: how a request went, its answer says.
            if let Some(span) = failed.flatten() {
                error::mark(span.span(), event);
            }
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|_| self.works()) else { return };
        if self.busy_times {
            self.with_times(&span, Times::enter);
        }
        let own = self.state(&span, SpanState::to_enter);
        let entering = match own {
            Some(entering) => entering,
            // On another thread, below a span that takes something along.
            None if current_span().is_none() => {
                nearest(&span, self.key(), |above| Some(Entering { began: false, ..above.to_enter()? }))
            }
            None => None,
        };
        if let Some(entering) = entering {
            entered::enter(self.place.id(), id, entering);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        // Spans that made nothing current are not looked up: there is nothing to do.
        let Some(left) = entered::exit(self.place.id(), id).filter(|_| self.works()) else { return };
        if self.busy_times
            && let Some(span) = context.span(id)
        {
            self.with_times(&span, Times::exit);
        }
        if left.began {
            left.span.end_provisionally();
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id).filter(|_| self.works()) else { return };
        let state = span.extensions_mut().get_mut::<States>().and_then(|states| states.remove(self.key()));
        if let Some(state) = state {
            state.close();
        }
    }
}

impl TracingLayer {
    /// Whether no other layer does its work.
    #[inline]
    fn works(&self) -> bool {
        self.place.role() != Role::Redundant
    }

    /// Asks a new span which other layers of ours were told of it.
    #[cold]
    fn settle<S>(&self, span: &registry::SpanRef<'_, S>)
    where
        S: for<'lookup> LookupSpan<'lookup>,
    {
        self.place.introduce(self.client.as_ref());
        let mut extensions = span.extensions_mut();
        if let Some(other) = extensions.get_mut::<States>().and_then(|states| states.layer()) {
            self.place.meet(other);
        }
        self.place.settle(&mut extensions);
    }

    /// Whose states of spans are its own: all, unless other layers keep theirs beside it.
    #[inline]
    pub(crate) fn key(&self) -> Option<LayerId> {
        matches!(self.place.role(), Role::First | Role::Further).then(|| self.place.id())
    }

    fn state<S, R>(&self, span: &registry::SpanRef<'_, S>, read: impl FnOnce(&SpanState) -> R) -> Option<R>
    where
        S: for<'lookup> LookupSpan<'lookup>,
    {
        span.extensions().get::<States>().and_then(|states| states.of(self.key())).map(read)
    }

    fn with_times<S>(&self, span: &registry::SpanRef<'_, S>, count: impl FnOnce(&mut Times))
    where
        S: for<'lookup> LookupSpan<'lookup>,
    {
        let mut extensions = span.extensions_mut();
        let state = extensions.get_mut::<States>().and_then(|states| states.of_mut(self.key()));
        if let Some(SpanState { times: Some(times), .. }) = state {
            count(times);
        }
    }

    fn on_query<S>(&self, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        let mut parent = current_span();
        if !self.is_ours(&parent) {
            let above = context
                .event_scope(event)
                .and_then(|mut scope| scope.find_map(|span| self.state(&span, SpanState::parent)));
            parent = above.unwrap_or_default();
        }
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
            .and_then(|span| self.state(&span, |state| state.own().filter(|_| state.statement)).flatten());
        let Some(query) = Query::of(event, self.database_system) else { return };
        match opened_for_it {
            Some(span) => query.record_rows(span.span()),
            None => query.record_below(&parent),
        }
    }

    /// What the entered span takes along that a filter keeps away from this layer, as its entering was. It may be all that
    /// was entered on this thread, and what we know of is above it.
    fn beyond_filters<S: Subscriber>(&self, context: &Context<'_, S>) -> Option<SpanRef> {
        let current = context.current_span();
        let read = |subscriber: &Dispatch| {
            let entered = subscriber.downcast_ref::<Registry>()?.span(current.id()?)?;
            entered.scope().find_map(|span| self.state(&span, SpanState::parent))
        };
        match self.subscriber.get() {
            Some(subscriber) => read(&subscriber.upgrade()?),
            // Layers in a `Vec` or an `Option` are not told, but nearly everybody's subscriber is the global one.
            None => tracing::dispatcher::get_default(read),
        }
    }
}
