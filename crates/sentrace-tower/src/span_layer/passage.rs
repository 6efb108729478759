//! One request's way through a middleware, as its two ends know it.

use std::sync::{Arc, Mutex, PoisonError};

use sentrace_core::adapter::{CallSpan, current};
use sentrace_core::{SpanRef, current_span};
use sentrace_protocol::{SpanId, SpanStatus};

const OP: &str = "middleware.tower";
const ORIGIN: &str = "auto.middleware.tower";

/// Shared by the outer end, which opens the middleware's span, and the inner end, which closes it.
#[derive(Debug, Clone)]
pub(super) struct Passage(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// What was current around the middleware, and is so again inside it.
    outside: SpanRef,
    /// The span on the way in.
    way_in: Option<SpanId>,
    name: Arc<str>,
    way_back: bool,
    /// What the middleware does right now.
    working: Mutex<Option<CallSpan>>,
}

/// Starts the span of a middleware; `None` where it would not be recorded.
pub(super) fn start(outside: &SpanRef, name: &str) -> Option<CallSpan> {
    outside.records_children().then(|| {
        let span = outside.start_span(OP, name);
        span.set_origin(ORIGIN);
        span.set_data("middleware.name", name);
        CallSpan::new(span)
    })
}

impl Passage {
    pub(super) fn new(outside: SpanRef, span: CallSpan, name: Arc<str>, way_back: bool) -> Self {
        let way_in = span.span_id();
        Self(Arc::new(Shared { outside, way_in, name, way_back, working: Mutex::new(Some(span)) }))
    }

    pub(super) fn outside(&self) -> &SpanRef {
        &self.0.outside
    }

    /// The middleware hands the request on.
    pub(super) fn hand_on(&self) {
        self.end(SpanStatus::Ok);
        self.go_on_as(&self.0.outside);
    }

    /// The service inside has answered.
    pub(super) fn come_back(&self) {
        if !self.0.way_back {
            return;
        }
        if let Some(span) = start(&self.0.outside, &self.0.name) {
            let handle = SpanRef::clone(&span);
            self.replace(Some(span));
            self.go_on_as(&handle);
        }
    }

    /// The middleware is done; whether it was still at work.
    pub(super) fn end(&self, status: SpanStatus) {
        if let Some(span) = self.replace(None) {
            span.finish_with_status(status);
        }
    }

    /// Nobody will say how the middleware ended.
    pub(super) fn abandon(&self) {
        drop(self.replace(None));
    }

    /// What the middleware does next belongs to `span`. Only where its own level is the current one: a scope that it has
    /// opened inside is its own affair, and another task knows nothing of it.
    fn go_on_as(&self, span: &SpanRef) {
        let current = current_span().span_id();
        if current == self.0.way_in || current == self.0.outside.span_id() {
            current::replace(span.clone());
        }
    }

    fn replace(&self, span: Option<CallSpan>) -> Option<CallSpan> {
        std::mem::replace(&mut *self.0.working.lock().unwrap_or_else(PoisonError::into_inner), span)
    }
}
