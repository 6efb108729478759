//! What is current on this thread: a span, a transaction, or a trace without one.

use std::cell::{Cell, RefCell};

use crate::handle::span::SpanRef;
use crate::util::thread_local::with_mut;

thread_local! {
    static CURRENT: RefCell<SpanRef> = const { RefCell::new(SpanRef::none()) };
    /// Called before the current span is read; see [`check_before_use`].
    static CHECK: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// Calls `check` whenever the current span of this thread is read, until it is replaced by another
/// function or `None`.
///
/// This is for adapters that make a span current with [`replace`] and may not be called when the
/// previous one has to be restored: `check` then restores it. It must be cheap, and must not read
/// the current span itself.
pub fn check_before_use(check: Option<fn()>) {
    let _ = CHECK.try_with(|current| current.set(check));
}

impl SpanRef {
    /// Makes this span current while `run` runs, and restores the previous one afterwards.
    pub fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        enter(&mut self.clone(), run)
    }
}

/// Calls `read` with the current span, without touching a reference counter.
///
/// `read` must not run user code, which might ask for the current span again. Returns `None` while
/// the thread is shutting down.
pub(crate) fn with_current<R>(read: impl FnOnce(&SpanRef) -> R) -> Option<R> {
    if let Some(check) = CHECK.try_with(Cell::get).ok().flatten() {
        check();
    }
    CURRENT.try_with(|current| current.try_borrow().ok().map(|span| read(&span))).ok().flatten()
}

/// Makes `span` current while `run` runs, and restores the previous one afterwards, without
/// touching a reference counter.
///
/// This is for futures and bodies, which are polled many times.
pub fn enter<R>(span: &mut SpanRef, run: impl FnOnce() -> R) -> R {
    let _entered = Entered::new(span);
    run()
}

/// Makes `span` current and returns the previous one.
///
/// This is for adapters that are notified of entering and leaving separately. The caller has to
/// restore the previous span; everybody else uses [`enter`].
///
/// ```
/// use sentrace_core::SpanRef;
/// use sentrace_core::adapter::current;
///
/// let previous = current::replace(SpanRef::default());
/// // ... until the other call comes
/// current::replace(previous);
/// ```
pub fn replace(mut span: SpanRef) -> SpanRef {
    swap(&mut span);
    span
}

/// Swaps on creation and swaps back on drop, also during a panic.
struct Entered<'a> {
    span: &'a mut SpanRef,
}

impl<'a> Entered<'a> {
    fn new(span: &'a mut SpanRef) -> Self {
        swap(span);
        Self { span }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        swap(self.span);
    }
}

fn swap(span: &mut SpanRef) {
    // While a thread is shutting down, nothing can be made current.
    let _ = with_mut(&CURRENT, |current| std::mem::swap(current, span));
}
