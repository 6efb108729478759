//! The global client: the one that is found where none is named.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::client::Client;
use crate::client::init_guard;
use crate::diagnostics::{debug, with_debug_mode};
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::trace::pipeline::Pipeline;
use crate::trace::recycle::{self, GLOBAL};

/// Clients that were global before and may be so again, the latest last. Whoever holds none of them has given it up.
static EARLIER: Mutex<Vec<Weak<Pipeline>>> = Mutex::new(Vec::new());

impl Client {
    /// The client of the current span, else the global one.
    pub fn current() -> Option<Self> {
        with_current(SpanRef::client).flatten().or_else(Self::global)
    }

    /// The same for something that is about to start. Where there is no client any more, a guard that was dropped too
    /// early is warned of.
    pub(crate) fn current_for_start() -> Option<Self> {
        let client = Self::current();
        if client.is_none() {
            init_guard::warn_if_missing();
        }
        client
    }

    /// The client that [`bind`](Self::bind) made global.
    pub fn global() -> Option<Self> {
        recycle::global().map(Self)
    }

    /// Lends [`current`](Self::current) where there is one, counted only where it is not the global client: requests on all
    /// threads would write to that counter. The way of what starts something for each request.
    pub fn with_current<R>(run: impl FnOnce(&Self) -> R) -> Option<R> {
        let lent = Self::try_with_current(run);
        if lent.is_none() {
            init_guard::warn_if_missing();
        }
        lent
    }

    /// The same for those that only look.
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

    /// Makes this client the one that is found where none is named; the previous one is returned, and is global again
    /// when this one is [unbound](Self::unbind), if it still lives and was not unbound itself.
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

    /// Takes the global client away if it is this one: the one before it is global again, if it still lives. A thread that
    /// has used this one holds its memory until it looks for a client again or ends; [`close`](Self::close) does not wait
    /// for that.
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

    /// Notes that the guard of `init` which kept this client global was dropped, and not closed: warns if that was too early.
    #[doc(hidden)]
    pub fn guard_dropped(&self, held: std::time::Duration) {
        init_guard::dropped(&self.0, held, GLOBAL.load().is_none());
    }
}

fn earlier() -> MutexGuard<'static, Vec<Weak<Pipeline>>> {
    EARLIER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves out `pipeline` and all that nobody holds any more.
fn forget(earlier: &mut Vec<Weak<Pipeline>>, pipeline: &Arc<Pipeline>) {
    earlier.retain(|known| known.strong_count() > 0 && known.as_ptr() != Arc::as_ptr(pipeline));
}
