//! The primitives of the queue, and their models under `cfg(loom)`.

#[cfg(loom)]
mod model;

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(not(loom))]
pub(crate) use crossbeam_queue::{ArrayQueue, SegQueue};

#[cfg(loom)]
pub(crate) use self::model::{
    ArrayQueue, AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, SegQueue, fence,
};
