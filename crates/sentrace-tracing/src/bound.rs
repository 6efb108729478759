//! `tracing` spans that take along what is current here.

use sentrace_core::current::current_span;
use tracing::Span;

/// Marks the spans of [`bound_span`]; users may filter by it.
pub(crate) const BOUND_TARGET: &str = "sentrace::bound";

/// A `tracing` span that takes along what is current here, to wherever it is entered: another task, a thread of a pool,
/// the thread on which sqlx runs a SQLite connection. Nothing is recorded for it.
///
/// It is called `request` and has the field `trace_id`, so that all log lines within tell their trace. Its level is
/// `ERROR`, so that no filter by level keeps it away. Where nothing is current, it is [`Span::none`].
///
/// ```
/// use tracing::Instrument;
///
/// # async fn resize() {}
/// # async fn handler() {
/// tokio::spawn(resize().instrument(sentrace_tracing::bound_span()));
/// # }
/// ```
pub fn bound_span() -> Span {
    match current_span().trace_id() {
        Some(trace_id) => tracing::error_span!(target: BOUND_TARGET, "request", %trace_id),
        None => Span::none(),
    }
}
