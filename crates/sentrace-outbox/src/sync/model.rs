//! Models for loom.

use std::collections::VecDeque;
use std::sync::PoisonError;

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
pub(crate) use loom::sync::{Mutex, MutexGuard};

/// A queue that promises no more about memory than crossbeam's documentation does: whoever takes an item sees what happened
/// before it was pushed.
///
/// The items are in a deque behind a lock that the model does not see. What it sees are the two counters: if it saw the
/// lock, that would order everything around the queue, and no fence could be missed. Crossbeam's own operations are
/// sequentially consistent today, which makes some fences redundant, but that is nowhere promised.
#[derive(Debug)]
pub(crate) struct SegQueue<T> {
    items: std::sync::Mutex<VecDeque<T>>,
    pushed: AtomicUsize,
    popped: AtomicUsize,
}

impl<T> SegQueue<T> {
    pub(crate) fn new() -> Self {
        let (pushed, popped) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { items: std::sync::Mutex::default(), pushed, popped }
    }

    pub(crate) fn push(&self, item: T) {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push_back(item);
        self.pushed.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        let mut popped = self.popped.load(Ordering::Acquire);
        loop {
            if popped >= self.pushed.load(Ordering::Acquire) {
                return None;
            }
            match self.popped.compare_exchange(popped, popped + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return self.items.lock().unwrap_or_else(PoisonError::into_inner).pop_front(),
                Err(newer) => popped = newer,
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        let popped = self.popped.load(Ordering::Acquire);
        self.pushed.load(Ordering::Acquire).saturating_sub(popped)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The same with a bound, which no model reaches.
#[derive(Debug)]
pub(crate) struct ArrayQueue<T>(SegQueue<T>);

impl<T> ArrayQueue<T> {
    pub(crate) fn new(_capacity: usize) -> Self {
        Self(SegQueue::new())
    }

    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        self.0.push(item);
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
