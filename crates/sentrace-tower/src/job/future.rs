//! From the job to its end.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use sentrace_core::Transaction;
use sentrace_protocol::SpanStatus;

use crate::panics;

pin_project! {
    /// A job of [`SentryJob`](super::SentryJob), in the making.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct JobFuture<F> {
        #[pin]
        inner: Option<F>,
        open: Open,
    }

    impl<F> PinnedDrop for JobFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What ends because the job is dropped ends inside it.
            this.open.enter(|| this.inner.set(None));
        }
    }
}

impl<F> JobFuture<F> {
    pub(super) fn new(inner: F, open: Open) -> Self {
        Self { inner: Some(inner), open }
    }
}

impl<F, T, E> Future for JobFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Only `drop` and the end take the job out, and nobody polls after either.
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
        let result = std::task::ready!(this.open.enter(|| inner.poll(cx)));
        this.open.enter(|| this.inner.set(None));
        this.open.end(&result);
        Poll::Ready(result)
    }
}

/// The transaction while the job goes on. Dropped before its end, it was cancelled, or something panicked.
#[derive(Debug)]
pub(super) struct Open(Option<Transaction>);

impl Open {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self(Some(transaction))
    }

    /// Runs code of the worker with the transaction current. A panic in it ends the transaction and goes on.
    pub(super) fn enter<R>(&mut self, run: impl FnOnce() -> R) -> R {
        let enter = |open: &mut Self| match &mut open.0 {
            Some(transaction) => transaction.enter_mut(run),
            None => run(),
        };
        panics::noticing(self, enter, |open| {
            if let Some(transaction) = open.0.take() {
                transaction.set_status(SpanStatus::InternalError);
            }
        })
    }

    fn end<T, E>(&mut self, result: &Result<T, E>) {
        let Some(transaction) = self.0.take() else { return };
        if result.is_err() {
            transaction.set_status(SpanStatus::InternalError);
            transaction.set_data("error.type", std::any::type_name::<E>());
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(transaction) = &self.0 {
            transaction.set_status(SpanStatus::Cancelled);
        }
    }
}
