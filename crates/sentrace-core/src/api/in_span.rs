//! Futures, streams and closures in which the current span is current, or one below it.

use sentrace_protocol::SpanStatus;

use crate::client::current::current_span;
use crate::handle::current::enter;
use crate::handle::scoped::Scoped;
use crate::handle::span::Span;
use crate::util::hook::catch_panic;

/// Takes what is current here along to wherever a future or stream is polled: another task, a `JoinSet`, a body. Tasks and
/// threads begin without anything current, so spans that start there are not recorded unless something is taken along.
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
/// A transaction is sent when it ends, so the task has to end before the request does: a span that is still open by then is
/// left out, and one that starts later is not recorded ([debug mode](crate::Options::debug) names both). Work that outlives
/// its request gets a transaction of its own, in the same trace, or spans are
/// [streamed](crate::TraceLifecycle::Stream):
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
    /// The same future, stream or body (feature `http`), in which the span that is current now is current on every poll.
    fn in_current_span(self) -> Scoped<Self> {
        Scoped::new(self, current_span())
    }
}

impl<F> InCurrentSpan for F {}

/// Takes what is current here along to wherever a closure is run: `spawn_blocking`, a thread, a pool.
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

/// Runs `future` in a span of its own below the current one, current inside; the span ends with the future.
///
/// A future that is dropped before it is ready leaves a span with the status `cancelled`. Where nothing is
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

/// Like [`in_span`], for a future that can fail: an error ends the span as `internal_error` and is its `error.message`.
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
/// Those of `future`, as they are.
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
