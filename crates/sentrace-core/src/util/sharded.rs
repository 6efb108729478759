//! Counters that many threads write and few read: each thread writes to a cache line of its own, as long as there are enough.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

/// Shards that belong to a single thread, which writes without an atomic exchange: the first threads of the process.
const OWN: usize = 32;
/// Shards for all other threads.
const SHARED: usize = 16;

/// `CELLS` counters.
pub(crate) struct Sharded<const CELLS: usize>([CachePadded<[AtomicU64; CELLS]>; OWN + SHARED]);

impl<const CELLS: usize> Sharded<CELLS> {
    #[inline]
    pub(crate) fn add(&self, cell: usize, quantity: u64) {
        let thread = thread_number();
        let is_own = thread < OWN;
        let shard = if is_own { thread } else { OWN + thread % SHARED };
        let Some(cell) = self.0[shard].get(cell) else { return };
        if is_own {
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(quantity), Ordering::Relaxed);
        } else {
            cell.fetch_add(quantity, Ordering::Relaxed);
        }
    }

    pub(crate) fn sum(&self, cell: usize) -> u64 {
        let cells = self.0.iter().filter_map(|shard| shard.get(cell));
        cells.fold(0, |sum, cell| sum.wrapping_add(cell.load(Ordering::Relaxed)))
    }
}

impl<const CELLS: usize> Default for Sharded<CELLS> {
    fn default() -> Self {
        Self([const { CachePadded::new([const { AtomicU64::new(0) }; CELLS]) }; OWN + SHARED])
    }
}

impl<const CELLS: usize> fmt::Debug for Sharded<CELLS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..CELLS).map(|cell| self.sum(cell))).finish()
    }
}

/// Returns the number of this thread, which no other thread ever has.
#[inline]
fn thread_number() -> usize {
    const UNKNOWN: usize = usize::MAX;
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(UNKNOWN) };
    }
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    NUMBER.with(|number| match number.get() {
        UNKNOWN => {
            let new = THREADS.fetch_add(1, Ordering::Relaxed);
            number.set(new);
            new
        }
        known => known,
    })
}
