//! Futures, streams and closures in which a span is current.

use crate::handle::current::enter;
use crate::handle::span::SpanRef;
use crate::util::inside::{Around, Inside};

/// A future, stream or body (feature `http`) with a span that is current whenever it is polled, and when it is dropped; see
/// [`SpanRef::scope`] and [`InCurrentSpan`]. A body of a request takes its span along to the task of the connection, which
/// polls it.
pub type Scoped<F> = Inside<F, SpanRef>;

/// The span is current.
impl Around for SpanRef {
    #[inline]
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        enter(self, run)
    }
}

impl SpanRef {
    /// Makes this span current in `future`, on every poll, and restores what was current after each.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(future, self.clone())
    }
}
