//! Futures, streams and closures in which a span is current.

use crate::handle::current::enter;
use crate::handle::span::SpanRef;
use crate::util::inside::{Around, Inside};

/// A future, stream or body (feature `http`) whose span is current whenever it is polled, and when
/// it is dropped; see [`SpanRef::scope`] and [`InCurrentSpan`](crate::InCurrentSpan).
///
/// The body of a request carries its span to the task of the connection, which polls it.
pub type Scoped<F> = Inside<F, SpanRef>;

/// Makes the span current.
impl Around for SpanRef {
    #[inline]
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        enter(self, run)
    }
}

impl SpanRef {
    /// Makes this span current on every poll of `future`, and restores the previous one after each.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(future, self.clone())
    }
}
