//! The spans of one request in a middleware.

use std::sync::{Arc, Mutex, PoisonError};

use sentrace_core::adapter::{CallSpan, InstrumentedSpan, current};
use sentrace_core::{SpanRef, current_span};
use sentrace_protocol::{SpanId, SpanStatus};

use super::config::Config;

const OP: &str = "middleware.tower";
const ORIGIN: &str = "auto.middleware.tower";

/// Shared by the outer end of the middleware, which starts its span, and the inner end, which ends it.
#[derive(Debug, Clone)]
pub(super) struct MiddlewareSpan(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    /// The span around the middleware, which is current again in the inner service.
    outer: SpanRef,
    /// The span before the inner service is called.
    request_span: Option<SpanId>,
    /// The open span.
    open: Mutex<Option<CallSpan>>,
}

/// Starts the span of a middleware. Returns `None` if it would not be recorded.
pub(super) fn start(outer: &SpanRef, name: &str) -> Option<CallSpan> {
    outer.records_children().then(|| {
        let attributes = [("middleware.name", name.into())];
        let start = InstrumentedSpan { attributes: &attributes, ..InstrumentedSpan::new(OP, ORIGIN, name) };
        CallSpan::new(start.start(outer))
    })
}

impl MiddlewareSpan {
    pub(super) fn new(outer: SpanRef, span: CallSpan, config: Config) -> Self {
        let request_span = span.span_id();
        Self(Arc::new(Shared { config, outer, request_span, open: Mutex::new(Some(span)) }))
    }

    pub(super) fn outer(&self) -> &SpanRef {
        &self.0.outer
    }

    /// The middleware calls the inner service.
    pub(super) fn on_inner_call(&self) {
        self.end(SpanStatus::Ok);
        self.set_current(&self.0.outer);
    }

    /// The inner service has responded.
    pub(super) fn on_inner_response(&self) {
        if !self.0.config.response_span {
            return;
        }
        if let Some(span) = start(&self.0.outer, &self.0.config.name) {
            let handle = SpanRef::clone(&span);
            self.replace(Some(span));
            self.set_current(&handle);
        }
    }

    /// Ends the open span, if there is one.
    pub(super) fn end(&self, status: SpanStatus) {
        if let Some(span) = self.replace(None) {
            span.finish_with_status(status);
        }
    }

    /// Ends the open span as `cancelled`, if there is one.
    pub(super) fn cancel(&self) {
        drop(self.replace(None));
    }

    /// Makes `span` current for what the middleware does next, unless the middleware has made another span current, or runs
    /// on another task.
    fn set_current(&self, span: &SpanRef) {
        let current = current_span().span_id();
        if current == self.0.request_span || current == self.0.outer.span_id() {
            current::replace(span.clone());
        }
    }

    fn replace(&self, span: Option<CallSpan>) -> Option<CallSpan> {
        std::mem::replace(&mut *self.0.open.lock().unwrap_or_else(PoisonError::into_inner), span)
    }
}
