//! Runs user code inside sentrace: filters, samplers, names, messages.
//!
//! What such code starts must not be recorded. A sampler that opens a transaction would be called
//! for that one, too, without end; a message handler that opens one would cause the next message.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How deeply this thread is nested in user code.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// The payload of a panic may panic when it is dropped, with another payload. After this many, the
/// payload is leaked.
const MAX_PAYLOADS: usize = 8;

/// Returns `true` while this thread runs a hook, or other user code called by [`catch_panic`]. Then
/// nothing that starts is recorded. Adapters check this before they call their own hooks.
#[inline]
#[must_use]
pub fn in_hook() -> bool {
    DEPTH.with(|depth| depth.get() > 0)
}

/// Runs user code and catches any panic, returning `None` if it panicked. Spans and transactions
/// that start inside are not recorded.
pub fn catch_panic<R>(run: impl FnOnce() -> R) -> Option<R> {
    enter();
    let done = catch_unwind(AssertUnwindSafe(run)).map_err(discard).ok();
    leave();
    done
}

/// Runs a hook like [`catch_panic`], but never inside another hook: there it returns `None` without
/// running it, as if it had panicked.
///
/// ```
/// use sentrace_core::adapter::run_hook;
///
/// assert_eq!(run_hook(|| 1), Some(1));
/// assert_eq!(run_hook(|| run_hook(|| 1)), Some(None));
/// ```
pub fn run_hook<R>(hook: impl FnOnce() -> R) -> Option<R> {
    if in_hook() { None } else { catch_panic(hook) }
}

/// Runs foreign code without recording what starts inside. Panics are not caught.
pub(crate) fn without_recording<R>(run: impl FnOnce() -> R) -> R {
    struct Left;
    impl Drop for Left {
        fn drop(&mut self) {
            leave();
        }
    }
    enter();
    let _left = Left;
    run()
}

fn enter() {
    DEPTH.with(|depth| depth.set(depth.get().saturating_add(1)));
}

fn leave() {
    DEPTH.with(|depth| depth.set(depth.get().saturating_sub(1)));
}

/// Drops the payload of a panic, which may itself panic.
#[cold]
fn discard(payload: Box<dyn Any + Send>) {
    let mut payload = payload;
    for _ in 0..MAX_PAYLOADS {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    std::mem::forget(payload);
}

/// A user's closure. Panics of its captures when they are dropped do not reach whoever drops the
/// last reference, which may be a request.
pub(crate) struct UserClosure<F>(Option<F>);

impl<F> UserClosure<F> {
    pub(crate) fn new(closure: F) -> Self {
        Self(Some(closure))
    }

    pub(crate) fn get(&self) -> Option<&F> {
        self.0.as_ref()
    }
}

impl<F> Drop for UserClosure<F> {
    fn drop(&mut self) {
        let closure = self.0.take();
        catch_panic(|| drop(closure));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics with another one when it is dropped, `levels` deep.
    struct Bomb {
        levels: u32,
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.levels > 0 {
                std::panic::panic_any(Self { levels: self.levels - 1 });
            }
        }
    }

    #[test]
    fn nothing_escapes_whatever_the_payload_does() {
        for levels in [0, 1, 2, 7, 8, 9, 100] {
            assert_eq!(catch_panic(|| std::panic::panic_any(Bomb { levels })), None::<()>, "{levels} levels");
            assert!(!in_hook(), "the hook has ended after {levels} levels");
        }
        assert_eq!(catch_panic(|| 7), Some(7));
    }

    #[test]
    fn captures_that_panic_when_they_are_dropped_stay_where_they_are() {
        for levels in [1, 3] {
            let bomb = Bomb { levels };
            let closure = UserClosure::new(move || {
                let whole: &Bomb = &bomb;
                whole.levels
            });
            assert_eq!(closure.get().map(|closure| closure()), Some(levels));
            drop(closure);
        }
        assert!(!in_hook());
    }

    #[test]
    fn hooks_are_not_run_within_hooks() {
        assert_eq!(run_hook(|| (in_hook(), run_hook(|| ()))), Some((true, None)));
        assert_eq!(
            catch_panic(|| catch_panic(in_hook)),
            Some(Some(true)),
            "what catches panics is run wherever it is"
        );
        assert!(!in_hook());
        let panicked = catch_unwind(|| without_recording(|| panic!("whoever delivers")));
        assert!(panicked.is_err() && !in_hook());
    }
}
