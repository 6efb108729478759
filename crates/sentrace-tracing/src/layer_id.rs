//! The identity of a layer, and which layers are gone.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static ALIVE: Mutex<Vec<LayerId>> = Mutex::new(Vec::new());
/// The number of layers that are gone. Only read when spans are entered.
static GONE: AtomicUsize = AtomicUsize::new(0);
static IDS: AtomicU64 = AtomicU64::new(1);

/// Distinguishes layers, and so the spans of different subscribers, whose ids may be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerId(u64);

impl LayerId {
    /// Returns an id that is alive.
    pub(crate) fn new() -> Self {
        let id = Self(IDS.fetch_add(1, Ordering::Relaxed));
        alive().push(id);
        id
    }

    pub(crate) fn is_alive(self) -> bool {
        alive().contains(&self)
    }

    /// Records that the layer is gone.
    pub(crate) fn retire(self) {
        alive().retain(|id| *id != self);
        GONE.fetch_add(1, Ordering::Release);
    }

    /// Returns the group of a layer that does not know its subscriber. Addresses of registries are even.
    pub(crate) fn group(self) -> u64 {
        self.0 << 1 | 1
    }
}

/// Returns how many layers are gone. The number changes whenever another one is.
#[inline]
pub(crate) fn gone() -> usize {
    GONE.load(Ordering::Acquire)
}

fn alive() -> MutexGuard<'static, Vec<LayerId>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
