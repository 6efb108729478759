//! The global client, which is used if no client is passed explicitly.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::client::Client;
use crate::client::init_guard;
use crate::diagnostics::{debug, with_debug_mode};
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::trace::pipeline::Pipeline;
use crate::trace::recycle::{self, GLOBAL};

/// Clients that were global before and may become global again, the latest last. They are held
/// weakly, so that dropping all handles gives them up.
static EARLIER: Mutex<Vec<Weak<Pipeline>>> = Mutex::new(Vec::new());

impl Client {
    /// Returns the client of the current span, or else the global one.
    pub fn current() -> Option<Self> {
        with_current(SpanRef::client).flatten().or_else(Self::global)
    }

    /// Like [`current`](Self::current), for something that is about to start. If there is no
    /// client, this warns if the guard was dropped too early.
    pub(crate) fn current_for_start() -> Option<Self> {
        let client = Self::current();
        if client.is_none() {
            init_guard::warn_if_missing();
        }
        client
    }

    /// Returns the global client, set with [`bind`](Self::bind).
    pub fn global() -> Option<Self> {
        recycle::global().map(Self)
    }

    /// Calls `run` with the [current](Self::current) client, if there is one.
    ///
    /// The global client is passed without touching its reference counter, which the requests of
    /// all threads would contend for. Use this for whatever starts with each request.
    pub fn with_current<R>(run: impl FnOnce(&Self) -> R) -> Option<R> {
        let lent = Self::try_with_current(run);
        if lent.is_none() {
            init_guard::warn_if_missing();
        }
        lent
    }

    /// Like [`with_current`](Self::with_current), without the warning.
    pub(crate) fn try_with_current<R>(run: impl FnOnce(&Self) -> R) -> Option<R> {
        if let Some(client) = with_current(SpanRef::client).flatten() {
            return Some(run(&client));
        }
        recycle::lend_global(|pipeline| {
            let client = Self(pipeline);
            let result = run(&client);
            (client.0, result)
        })
    }

    /// Makes this client the global one, and returns the previous one.
    ///
    /// The previous client becomes global again when this one is [unbound](Self::unbind), if it is
    /// still alive and was not unbound itself.
    pub fn bind(&self) -> Option<Self> {
        let mut earlier = earlier();
        let previous = GLOBAL.swap(Some(Arc::clone(&self.0)));
        forget(&mut earlier, &self.0);
        if let Some(previous) = previous.as_ref().filter(|previous| !Arc::ptr_eq(previous, &self.0)) {
            earlier.push(Arc::downgrade(previous));
        }
        drop(earlier);
        init_guard::bound();
        previous.map(Self)
    }

    /// Unsets the global client if it is this client. The previous one becomes global again if it
    /// is still alive.
    ///
    /// A thread that has used this client holds its memory until it looks for a client again or
    /// ends. [`close`](Self::close) does not wait for that.
    pub fn unbind(&self) {
        let mut earlier = earlier();
        forget(&mut earlier, &self.0);
        if !GLOBAL.load().as_ref().is_some_and(|global| Arc::ptr_eq(global, &self.0)) {
            return;
        }
        let next = std::iter::from_fn(|| earlier.pop()).find_map(|earlier| earlier.upgrade());
        let is_last = next.is_none();
        GLOBAL.store(next);
        drop(earlier);
        if is_last && self.0.debug {
            let said = || {
                debug(format_args!(
                    "the global client is taken away: nothing is traced from now on that names no client; where that is \
                     too early, bind the guard of init to a name that lives as long as main"
                ));
            };
            with_debug_mode(true, said);
        }
    }

    /// Called when the guard of `init` that kept this client global is dropped without being
    /// closed. Warns if that is too early.
    #[doc(hidden)]
    pub fn guard_dropped(&self, held: std::time::Duration) {
        init_guard::dropped(&self.0, held, GLOBAL.load().is_none());
    }
}

fn earlier() -> MutexGuard<'static, Vec<Weak<Pipeline>>> {
    EARLIER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes `pipeline` and all that were dropped.
fn forget(earlier: &mut Vec<Weak<Pipeline>>, pipeline: &Arc<Pipeline>) {
    earlier.retain(|known| known.strong_count() > 0 && known.as_ptr() != Arc::as_ptr(pipeline));
}
