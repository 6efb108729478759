//! Futures in which a span is current.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use sentrace_protocol::SpanStatus;

use crate::current::{current_span, enter};
use crate::span::{Span, SpanRef};

pin_project! {
    /// A future with a span that is current whenever it is polled, and when it is dropped; see [`SpanRef::scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        span: SpanRef,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Spans that end because the future is dropped end inside its scope, not in somebody else's.
            enter(this.span, || this.future.set(None));
        }
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(span: SpanRef, future: F) -> Self {
        Self { span, future: Some(future) }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.future.as_pin_mut() {
            Some(future) => enter(this.span, || future.poll(cx)),
            // Only `drop` takes the future out, and nobody polls after it.
            None => Poll::Pending,
        }
    }
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
            let panicked = std::thread::panicking();
            self.span.set_status(if panicked { SpanStatus::InternalError } else { SpanStatus::Cancelled });
        }
    }
}
