//! The response future of a job.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use sentrace_core::Transaction;
use sentrace_core::adapter::{Around, Inside};
use sentrace_protocol::SpanStatus;

use crate::panics;

pin_project! {
    /// Response future of [`SentryJob`](super::SentryJob).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct JobFuture<F> {
        // What a job holds is dropped inside its transaction.
        #[pin]
        inside: Inside<F, Open>,
    }
}

impl<F> JobFuture<F> {
    pub(super) fn new(inner: F, open: Open) -> Self {
        Self { inside: Inside::new(inner, open) }
    }
}

impl<F, T, E> Future for JobFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inside = self.project().inside;
        let result = ready!(inside.as_mut().poll(cx));
        inside.as_mut().drop_inner();
        inside.get_around_mut().end(&result);
        Poll::Ready(result)
    }
}

/// The transaction of a running job. If it is dropped before the job's end, the job was cancelled or has panicked.
#[derive(Debug)]
pub(super) struct Open(Option<Transaction>);

impl Open {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self(Some(transaction))
    }

    fn end<T, E>(&mut self, result: &Result<T, E>) {
        let Some(transaction) = self.0.take() else { return };
        if result.is_err() {
            transaction.set_status(SpanStatus::InternalError);
            transaction.set_data("error.type", std::any::type_name::<E>());
        }
    }
}

/// The transaction is current in the worker's code. A panic there ends the transaction and continues.
impl Around for Open {
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
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
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(transaction) = &self.0 {
            transaction.set_status(SpanStatus::Cancelled);
        }
    }
}
