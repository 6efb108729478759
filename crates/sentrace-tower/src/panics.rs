//! Panics in the code that our calls and polls run.

/// Runs `run` over `state`, and `noticed` if it panics. The panic continues, and may be caught further out.
pub(crate) fn noticing<T, R>(state: &mut T, run: impl FnOnce(&mut T) -> R, noticed: fn(&mut T)) -> R {
    let noticing = Noticing { state, noticed, panicking_before: std::thread::panicking() };
    run(noticing.state)
}

struct Noticing<'a, T> {
    state: &'a mut T,
    noticed: fn(&mut T),
    /// Whether `run` runs in a destructor during another panic, which is not its own.
    panicking_before: bool,
}

impl<T> Drop for Noticing<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.panicking_before {
            (self.noticed)(self.state);
        }
    }
}
