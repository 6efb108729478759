//! The transaction that the worker has in its hands, so that it can be accounted for without the worker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sentrace_core::{Finished, Losses};
use sentrace_protocol::{Category, Reason};

use super::encode::Missing;

/// Between the queue and the transport. Each step holds the lock, so every transaction is counted exactly once.
#[derive(Debug)]
pub(super) struct Hand {
    losses: Arc<Losses>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Child spans of the transaction.
    held: Option<u64>,
    /// Why everything was given up, once it was.
    given_up: Option<Reason>,
}

impl Hand {
    pub(super) fn new(losses: Arc<Losses>) -> Self {
        Self { losses, state: Mutex::default() }
    }

    /// Takes what left the queue. Returns `false` if all is given up: then it is counted already.
    pub(super) fn take(&self, finished: &Finished) -> bool {
        let mut state = self.lock();
        if let Some(reason) = state.given_up {
            self.losses.record_transaction(reason, finished.child_spans());
            return false;
        }
        state.held = Some(finished.child_spans());
        true
    }

    /// The transport answers for it from here on, except for spans that are not in the envelope. Returns `false` if it was counted as
    /// lost in the meantime.
    pub(super) fn hand_on(&self, missing: Missing) -> bool {
        let mut state = self.lock();
        let ours = state.held.take().is_some();
        if ours {
            self.losses.record(Reason::BeforeSend, Category::Span, missing.taken_out);
            self.losses.record(Reason::BufferOverflow, Category::Span, missing.left_out);
        }
        ours
    }

    /// It will not arrive.
    pub(super) fn lose(&self, reason: Reason) {
        if let Some(child_spans) = self.lock().held.take() {
            self.losses.record_transaction(reason, child_spans);
        }
    }

    /// Counts it as lost, and whatever the worker takes from now on.
    pub(super) fn give_up(&self, reason: Reason) {
        let mut state = self.lock();
        state.given_up.get_or_insert(reason);
        if let Some(child_spans) = state.held.take() {
            self.losses.record_transaction(reason, child_spans);
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.lock().given_up.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
