//! The one idle transaction of a client that is found without a handle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::lifetime::Idle;
use crate::handle::span::SpanRef;
use crate::options::idle::Timeouts;

/// A client's idle transaction, if one is open, and how long its next one waits.
#[derive(Debug, Default)]
pub(crate) struct IdleSlot {
    pub(crate) timeouts: Timeouts,
    open: Mutex<Weak<Idle>>,
}

impl IdleSlot {
    pub(crate) fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, open: Mutex::default() }
    }

    /// The transaction's own span, while it is open.
    pub(crate) fn span(&self) -> Option<SpanRef> {
        self.get().map(|idle| idle.span())
    }

    pub(crate) fn get(&self) -> Option<Arc<Idle>> {
        let idle = self.lock().upgrade()?;
        (!idle.has_ended()).then_some(idle)
    }

    pub(crate) fn take(&self) -> Option<Arc<Idle>> {
        std::mem::take(&mut *self.lock()).upgrade()
    }

    /// Keeps `idle`; one that another thread has put here meanwhile is given back.
    pub(crate) fn put(&self, idle: &Arc<Idle>) -> Option<Arc<Idle>> {
        std::mem::replace(&mut *self.lock(), Arc::downgrade(idle)).upgrade()
    }

    fn lock(&self) -> MutexGuard<'_, Weak<Idle>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
