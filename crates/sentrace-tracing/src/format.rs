//! The trace in log lines.

use std::fmt;

use sentrace_core::current_span;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Formats log lines as `F` does, and begins each with the trace and span that are current, if any are:
/// `trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331`.
///
/// ```
/// use sentrace_tracing::WithTraceId;
/// use tracing_subscriber::{fmt::format, prelude::*};
///
/// let logs = tracing_subscriber::fmt::layer().event_format(WithTraceId(format().compact()));
/// # let _ = tracing_subscriber::registry().with(logs);
/// ```
///
/// Lines that are JSON would no longer be; there the field of [`bound_span`](crate::bound_span) tells the trace.
#[derive(Debug, Clone, Copy, Default)]
pub struct WithTraceId<F>(pub F);

impl<S, N, F> FormatEvent<S, N> for WithTraceId<F>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let span = current_span();
        if let (Some(trace_id), Some(span_id)) = (span.trace_id(), span.span_id()) {
            write!(writer, "trace_id={trace_id} span_id={span_id} ")?;
        }
        self.0.format_event(context, writer, event)
    }
}
