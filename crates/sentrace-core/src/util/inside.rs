//! Futures, streams and bodies that are polled, and dropped, inside something: a current span, a Hub, a `tracing` span.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

/// Code can run inside it.
pub trait Around {
    /// Runs `run` inside.
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R;

    /// Runs `run`, which drops a value, inside. This may be as late as the destructors of a thread.
    #[inline]
    fn around_drop(&mut self, run: impl FnOnce()) {
        self.around(run);
    }
}

/// Nothing is around `None`.
impl<A: Around> Around for Option<A> {
    #[inline]
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        match self {
            Some(around) => around.around(run),
            None => run(),
        }
    }

    #[inline]
    fn around_drop(&mut self, run: impl FnOnce()) {
        match self {
            Some(around) => around.around_drop(run),
            None => run(),
        }
    }
}

pin_project! {
    /// A future, stream or body that is polled and dropped inside an [`Around`], which is dropped after it.
    ///
    /// ```
    /// use sentrace_core::adapter::{Around, Inside};
    ///
    /// #[derive(Default)]
    /// struct Counted(u32);
    ///
    /// impl Around for Counted {
    ///     fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
    ///         self.0 += 1;
    ///         run()
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut future = Box::pin(Inside::new(async { 7 }, Counted::default()));
    /// assert_eq!((future.as_mut().await, future.get_around().0), (7, 1));
    /// # });
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Inside<T, A: Around> {
        #[pin]
        inner: Option<T>,
        around: A,
    }

    impl<T, A: Around> PinnedDrop for Inside<T, A> {
        fn drop(this: Pin<&mut Self>) {
            this.drop_inner();
        }
    }
}

impl<T, A: Around> Inside<T, A> {
    /// Puts `inner` inside.
    #[inline]
    pub const fn new(inner: T, around: A) -> Self {
        Self { inner: Some(inner), around }
    }

    /// Returns what is inside, unless it was dropped by [`drop_inner`](Self::drop_inner).
    #[inline]
    pub const fn get_inner(&self) -> Option<&T> {
        self.inner.as_ref()
    }

    /// Returns what is around it.
    #[inline]
    pub const fn get_around(&self) -> &A {
        &self.around
    }

    /// Returns a mutable reference to what is around it.
    #[inline]
    pub fn get_around_mut(self: Pin<&mut Self>) -> &mut A {
        self.project().around
    }

    /// Calls `poll`, inside, or `gone` if what was inside is dropped. Returns what they return as it is: to wrap it and take it
    /// out again would copy a whole response.
    #[inline]
    fn poll_inner<R>(
        self: Pin<&mut Self>,
        poll: impl FnOnce(Pin<&mut T>) -> R,
        gone: impl FnOnce() -> R,
    ) -> R {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(inner) => this.around.around(|| poll(inner)),
            None => gone(),
        }
    }

    /// Drops what is inside, inside, before the rest is.
    #[inline]
    pub fn drop_inner(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.inner.is_some() {
            this.around.around_drop(|| this.inner.set(None));
        }
    }
}

/// A future that was dropped early never completes.
impl<F: Future, A: Around> Future for Inside<F, A> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_inner(|inner| inner.poll(cx), || Poll::Pending)
    }
}

impl<S: Stream, A: Around> Stream for Inside<S, A> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.poll_inner(|inner| inner.poll_next(cx), || Poll::Ready(None))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

#[cfg(feature = "http")]
impl<B: http_body::Body, A: Around> http_body::Body for Inside<B, A> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<B::Data>, B::Error>>> {
        self.poll_inner(|inner| inner.poll_frame(cx), || Poll::Ready(None))
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    #[inline]
    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.as_ref().map_or_else(|| http_body::SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

impl<T: Default, A: Around + Default> Default for Inside<T, A> {
    fn default() -> Self {
        Self::new(T::default(), A::default())
    }
}
