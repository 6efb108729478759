//! The integration: what the official client captures belongs to the current span.

use std::sync::Arc;

use sentrace_core::{SpanRef, current_span};
use sentrace_protocol::DynamicSamplingContext;
use sentry_core::protocol::{Event, Log, Metric, TraceContext};
use sentry_core::protocol::{SpanId, TraceId};
use sentry_core::{ClientOptions, Integration};

/// Where the span is named in the attributes of a log (Sentry SDK specification, *Logs*).
const PARENT_SPAN_ID: &str = "sentry.trace.parent_span_id";

/// Gives error events, messages, panics, logs and metrics the ids of the trace and of the span that is current where
/// they are captured, and events the name of their transaction.
///
/// Where a trace of ours is current, it goes before that of an official span: both cannot be. Where none is current,
/// nothing changes.
///
/// An event is named as its scope says, which [`SentryHubLayer`](crate::SentryHubLayer) sees to in requests; a
/// transaction that begins its trace names its events in any case.
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
    /// The integration.
    pub fn new() -> Self {
        Self {}
    }
}

impl Integration for SentraceIntegration {
    fn name(&self) -> &'static str {
        "sentrace"
    }

    /// Logs and metrics pass by no integration, only by their hooks.
    fn setup(&self, options: &mut ClientOptions) {
        let of_user = options.before_send_log.take();
        options.before_send_log = Some(Arc::new(move |mut log: Log| {
            Ids::current().into_iter().for_each(|ids| ids.tell_log(&mut log));
            match &of_user {
                Some(hook) => hook(log),
                None => Some(log),
            }
        }));
        let of_user = options.before_send_metric.take();
        options.before_send_metric = Some(Arc::new(move |mut metric: Metric| {
            Ids::current().into_iter().for_each(|ids| ids.tell_metric(&mut metric));
            match &of_user {
                Some(hook) => hook(metric),
                None => Some(metric),
            }
        }));
    }

    fn process_event(&self, mut event: Event<'static>, _options: &ClientOptions) -> Option<Event<'static>> {
        let span = current_span();
        if let Some(ids) = Ids::of(&span) {
            ids.tell_event(&mut event);
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

    fn tell_event(self, event: &mut Event<'static>) {
        let Self { trace_id, span_id } = self;
        let context = TraceContext { trace_id, span_id, ..TraceContext::default() };
        event.contexts.insert("trace".to_owned(), context.into());
    }

    fn tell_log(self, log: &mut Log) {
        log.trace_id = Some(self.trace_id);
        log.attributes.insert(PARENT_SPAN_ID.to_owned(), self.span_id.to_string().into());
    }

    fn tell_metric(self, metric: &mut Metric) {
        metric.trace_id = self.trace_id;
        metric.span_id = Some(self.span_id);
    }
}

/// What the frozen context says of a trace that begins here. Elsewhere it names the transaction of its head.
fn name_of_head(span: &SpanRef) -> Option<String> {
    if !(span.begins_trace() && span.has_transaction()) {
        return None;
    }
    let context = DynamicSamplingContext::from_baggage(&span.baggage()?);
    context.get("transaction").map(str::to_owned)
}
