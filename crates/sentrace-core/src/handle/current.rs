//! What is current on this thread: a span, a transaction, or a trace without one.

use std::cell::{Cell, RefCell};

use crate::handle::span::SpanRef;
use crate::util::thread_local::with_mut;

thread_local! {
    static CURRENT: RefCell<SpanRef> = const { RefCell::new(SpanRef::none()) };
    /// What an adapter wants to look after before somebody reads what is current.
    static CHECK: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// Has `check` run on this thread whenever somebody asks what is current, until it is replaced by another one or `None`.
///
/// For adapters that make a span current with [`replace`] and might not be told when to bring the previous one back: `check`
/// then does that. It must be cheap, and must not ask what is current.
pub fn check_before_use(check: Option<fn()>) {
    let _ = CHECK.try_with(|current| current.set(check));
}

impl SpanRef {
    /// Makes this span current in `run` and restores what was current afterwards.
    pub fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        enter(&mut self.clone(), run)
    }
}

/// Lends the current span, without touching a reference counter: `read` must run no code of users, who might ask for
/// it again. `None` on a thread that is going down.
pub(crate) fn with_current<R>(read: impl FnOnce(&SpanRef) -> R) -> Option<R> {
    if let Some(check) = CHECK.try_with(Cell::get).ok().flatten() {
        check();
    }
    CURRENT.try_with(|current| current.try_borrow().ok().map(|span| read(&span))).ok().flatten()
}

/// Makes `span` current while `run` runs, and gives it back afterwards, without touching a reference counter.
///
/// The way of futures and bodies that are polled many times.
pub fn enter<R>(span: &mut SpanRef, run: impl FnOnce() -> R) -> R {
    let _entered = Entered::new(span);
    run()
}

/// Makes `span` current and gives back what was: the way of adapters that are told of entering and leaving apart, and
/// not of one around the other. Whoever calls this brings the previous one back; everybody else uses
/// [`enter`].
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

/// Swaps on creation and swaps back on drop, a panic included.
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
    // On a thread that is going down nothing can be current any more.
    let _ = with_mut(&CURRENT, |current| std::mem::swap(current, span));
}
