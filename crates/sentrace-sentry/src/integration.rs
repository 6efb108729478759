//! The integration, which links what the official client captures to the current span.

use std::sync::Arc;

use sentrace_core::{SpanRef, current_span};
use sentrace_protocol::DynamicSamplingContext;
use sentry_core::protocol::{Event, Log, Metric, TraceContext};
use sentry_core::protocol::{SpanId, TraceId};
use sentry_core::{ClientOptions, Integration};

/// The attribute of logs with the id of the span (Sentry SDK specification, *Logs*).
const PARENT_SPAN_ID: &str = "sentry.trace.parent_span_id";

/// Adds the ids of the current trace and span to error events, messages, panics, logs and metrics, and the name of the
/// transaction to events.
///
/// A current trace of sentrace takes precedence over that of an official span. Without one, nothing changes.
///
/// The name of an event is that of its scope, which [`SentryHubLayer`](crate::SentryHubLayer) sets in requests. A transaction
/// that starts its trace names its events even without it.
///
/// ```no_run
/// use sentrace_sentry::SentraceIntegration;
///
/// let _sentry = sentry::init(sentry::ClientOptions::new().add_integration(SentraceIntegration::new()));
/// ```
///
/// Follows the Sentry SDK specification, *Trace Propagation* 1.9 (`contexts.trace`) and *Logs*.
#[derive(Debug, Clone, Copy, Default)]
pub struct SentraceIntegration {}

impl SentraceIntegration {
    /// Creates the integration.
    pub fn new() -> Self {
        Self {}
    }
}

impl Integration for SentraceIntegration {
    fn name(&self) -> &'static str {
        "sentrace"
    }

    /// Integrations do not see logs and metrics; only their hooks do.
    fn setup(&self, options: &mut ClientOptions) {
        let of_user = options.before_send_log.take();
        options.before_send_log = Some(Arc::new(move |mut log: Log| {
            Ids::current().into_iter().for_each(|ids| ids.apply_to_log(&mut log));
            match &of_user {
                Some(hook) => hook(log),
                None => Some(log),
            }
        }));
        let of_user = options.before_send_metric.take();
        options.before_send_metric = Some(Arc::new(move |mut metric: Metric| {
            Ids::current().into_iter().for_each(|ids| ids.apply_to_metric(&mut metric));
            match &of_user {
                Some(hook) => hook(metric),
                None => Some(metric),
            }
        }));
    }

    fn process_event(&self, mut event: Event<'static>, _options: &ClientOptions) -> Option<Event<'static>> {
        let span = current_span();
        if let Some(ids) = Ids::of(&span) {
            ids.apply_to_event(&mut event);
            if event.transaction.is_none() {
                event.transaction = name_of_head(&span);
            }
        }
        Some(event)
    }
}

/// The ids of a span, in the types of the official crate.
struct Ids {
    trace_id: TraceId,
    span_id: SpanId,
}

impl Ids {
    fn current() -> Option<Self> {
        Self::of(&current_span())
    }

    fn of(span: &SpanRef) -> Option<Self> {
        let (trace_id, span_id) = (span.trace_id()?, span.span_id()?);
        Some(Self { trace_id: trace_id.to_bytes().into(), span_id: span_id.to_bytes().into() })
    }

    fn apply_to_event(self, event: &mut Event<'static>) {
        let Self { trace_id, span_id } = self;
        let context = TraceContext { trace_id, span_id, ..TraceContext::default() };
        event.contexts.insert("trace".to_owned(), context.into());
    }

    fn apply_to_log(self, log: &mut Log) {
        log.trace_id = Some(self.trace_id);
        log.attributes.insert(PARENT_SPAN_ID.to_owned(), self.span_id.to_string().into());
    }

    fn apply_to_metric(self, metric: &mut Metric) {
        metric.trace_id = self.trace_id;
        metric.span_id = Some(self.span_id);
    }
}

/// Returns the name in the frozen context if the trace starts here. Elsewhere that is the name of another transaction.
fn name_of_head(span: &SpanRef) -> Option<String> {
    if !(span.begins_trace() && span.has_transaction()) {
        return None;
    }
    let context = DynamicSamplingContext::from_baggage(&span.baggage()?);
    context.get("transaction").map(str::to_owned)
}
