//! Allocations and their bytes, counted by the allocator.

use std::alloc::System;

use serde::{Deserialize, Serialize};
use stats_alloc::{Region, StatsAlloc};

use crate::measured::Measured;

/// The allocations of a call, on all threads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Allocations {
    /// Allocated blocks, including reallocations.
    pub count: f64,
    /// Allocated bytes.
    pub bytes: f64,
}

/// Counts the allocations of this many warm calls.
pub fn count(measured: &mut Measured, allocator: &StatsAlloc<System>, calls: u32) -> Allocations {
    let batches = calls.div_ceil(measured.batch_size()).max(1);
    let (mut count, mut bytes) = (0, 0);
    for _ in 0..batches {
        let change = measured.batch(|subject, calls| {
            let region = Region::new(allocator);
            subject.run(calls);
            region.change()
        });
        count += change.allocations + change.reallocations;
        bytes += change.bytes_allocated;
    }
    let calls = f64::from(batches * measured.batch_size());
    Allocations { count: count as f64 / calls, bytes: bytes as f64 / calls }
}
