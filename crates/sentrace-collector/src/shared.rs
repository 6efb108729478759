//! State shared by the server and the handle.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::behaviour::{Behaviour, SlowRead};
use crate::store::{Limits, Store};

/// The store, the behaviour, and notifications of changes to the store.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    store: Mutex<Store>,
    behaviour: Mutex<Behaviour>,
    changed: watch::Sender<()>,
    changed_blocking: Condvar,
}

impl Shared {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            store: Mutex::new(Store::new(limits)),
            behaviour: Mutex::default(),
            changed: watch::Sender::new(()),
            changed_blocking: Condvar::new(),
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the store and wakes all waiting tasks and threads.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let result = change(&mut self.store());
        self.changed.send_replace(());
        self.changed_blocking.notify_all();
        result
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn slow_read(&self) -> Option<SlowRead> {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner).slow_read
    }

    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Waits until the condition holds. Returns `false` if the timeout elapses first.
    pub(crate) async fn wait_for(&self, condition: impl Fn(&Store) -> bool, timeout: Duration) -> bool {
        let mut changes = self.changed.subscribe();
        let holds = async {
            // The subscription precedes the first check, so no change is missed.
            while !condition(&self.store()) {
                if changes.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(timeout, holds).await.unwrap_or(false)
    }

    /// Like [`wait_for`](Self::wait_for), for threads without a runtime.
    pub(crate) fn wait_for_blocking(&self, condition: impl Fn(&Store) -> bool, timeout: Duration) -> bool {
        let store = self.store();
        let waited = self.changed_blocking.wait_timeout_while(store, timeout, |store| !condition(store));
        let (_store, result) = waited.unwrap_or_else(PoisonError::into_inner);
        !result.timed_out()
    }
}
