//! Futures, streams and closures that run with a current span.

use sentrace_protocol::SpanStatus;

use crate::client::current::current_span;
use crate::handle::current::enter;
use crate::handle::scoped::Scoped;
use crate::handle::span::Span;
use crate::util::hook::catch_panic;

/// Carries the current span to wherever a future or stream is polled: another task, a `JoinSet`, a
/// body.
///
/// Tasks and threads start without a current span, so spans started in them are not recorded unless
/// one is carried over.
///
/// ```
/// use sentrace_core::InCurrentSpan;
///
/// # async fn price(_: u64) -> u32 { 7 }
/// # async fn handler() -> Result<(), tokio::task::JoinError> {
/// let price = tokio::spawn(price(7).in_current_span()); // its spans belong to the request
/// price.await?;
/// # Ok(())
/// # }
/// ```
///
/// A transaction is sent when it ends, so the task has to end before the request does. A span that
/// is still open by then is dropped, and a span that starts later is not recorded ([debug
/// mode](crate::Options::debug) reports both). For work that outlives its request, start a separate
/// transaction in the same trace, or [stream](crate::TraceLifecycle::Stream) spans:
///
/// ```
/// # async fn send_mail() {}
/// # async fn handler() {
/// let mail = sentrace_core::start_transaction("send mail", "task"); // below the current span
/// tokio::spawn(async move {
///     mail.scope(send_mail()).await;
///     mail.finish();
/// });
/// # }
/// ```
pub trait InCurrentSpan: Sized {
    /// Wraps this future, stream or body (feature `http`) so that the span that is current now is
    /// current on every poll.
    fn in_current_span(self) -> Scoped<Self> {
        Scoped::new(self, current_span())
    }
}

impl<F> InCurrentSpan for F {}

/// Carries the current span to wherever a closure runs: `spawn_blocking`, a thread, a pool.
///
/// ```
/// # fn resize() {}
/// let thread = std::thread::spawn(sentrace_core::with_current_span(|| resize()));
/// # thread.join().unwrap();
/// ```
pub fn with_current_span<R>(run: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let mut span = current_span();
    move || enter(&mut span, run)
}

/// Runs `future` in a new span below the current one. The span is current inside and ends with the
/// future.
///
/// If the future is dropped before it completes, the span's status is `cancelled`. If nothing is
/// recorded, `future` simply runs.
///
/// ```
/// # async fn load(_: u64) -> u32 { 7 }
/// # async fn handler() {
/// let price = sentrace_core::in_span("db.query", "SELECT price FROM cart WHERE id = ?", load(1)).await;
/// # }
/// ```
pub async fn in_span<F: Future>(
    op: impl Into<std::borrow::Cow<'static, str>>,
    description: impl AsRef<str>,
    future: F,
) -> F::Output {
    let span = CancelledUnlessDone { span: current_span().start_span(op, description), done: false };
    let output = span.span.scope(future).await;
    span.done();
    output
}

/// Like [`in_span`], for a fallible future: an error sets the status `internal_error` and the data
/// `error.message`.
///
/// ```
/// # async fn load(_: u64) -> Result<u32, std::io::Error> { Ok(7) }
/// # async fn handler() -> Result<(), std::io::Error> {
/// let price = sentrace_core::try_in_span("db.query", "SELECT price FROM cart WHERE id = ?", load(1)).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Returns the errors of `future` unchanged.
pub async fn try_in_span<T, E: std::fmt::Display>(
    op: impl Into<std::borrow::Cow<'static, str>>,
    description: impl AsRef<str>,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    in_span(op, description, async {
        let result = future.await;
        if let Err(error) = &result {
            let span = current_span();
            span.set_status(SpanStatus::InternalError);
            if let Some(message) = span.is_recording().then(|| catch_panic(|| error.to_string())).flatten() {
                span.set_data("error.message", message);
            }
        }
        result
    })
    .await
}

struct CancelledUnlessDone {
    span: Span,
    done: bool,
}

impl CancelledUnlessDone {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for CancelledUnlessDone {
    fn drop(&mut self) {
        if !self.done {
            self.span.set_dropped_status();
        }
    }
}
