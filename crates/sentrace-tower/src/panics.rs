//! Panics on the stack of our own calls and polls.

/// Runs `run` over `state`, and `noticed` where it panics, also when somebody further out catches the panic. It goes on.
pub(crate) fn noticing<T, R>(state: &mut T, run: impl FnOnce(&mut T) -> R, noticed: fn(&mut T)) -> R {
    let noticing = Noticing { state, noticed, panicking_before: std::thread::panicking() };
    run(noticing.state)
}

struct Noticing<'a, T> {
    state: &'a mut T,
    noticed: fn(&mut T),
    /// What runs in a destructor during somebody else's panic has not panicked by that.
    panicking_before: bool,
}

impl<T> Drop for Noticing<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.panicking_before {
            (self.noticed)(self.state);
        }
    }
}
