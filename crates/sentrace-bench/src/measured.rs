//! A warmed-up variant in this process that is checked after each batch.

use std::time::{Duration, Instant};

use crate::request::Baggage;
use crate::variant::{Subject, Variant};

/// The limit for waiting until other threads have counted a batch.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a second thread once. The C library is faster in a process that never had a second
/// thread, but servers have several, so variants that start none would have an unrealistic
/// advantage.
fn become_threaded() {
    let second = std::thread::spawn(|| ());
    second.join().expect("it does nothing");
}

/// Shifts the heap by an amount that depends on the process. Whether addresses are a multiple of 4
/// KiB apart affects about a tenth of a request's time, and every change of the code changes that.
/// With the shift, the median of many processes covers many layouts.
pub fn shift_heap() {
    const STEP: usize = 272;
    const PAGE: usize = 4096;
    let shift = std::process::id() as usize * STEP % PAGE;
    std::mem::forget(vec![0_u8; shift]);
}

/// A running variant.
pub struct Measured {
    variant: Variant,
    subject: Box<dyn Subject>,
}

impl Measured {
    /// Creates the variant's subject, checks what it records, and warms it up with this many calls.
    ///
    /// # Panics
    /// Panics if it does not record what the variant claims.
    pub fn start(variant: Variant, baggage: Baggage, warm_up: u32) -> Self {
        become_threaded();
        let mut subject = (variant.build)(baggage);
        subject.check();
        let mut measured = Self { variant, subject };
        for _ in 0..warm_up.div_ceil(variant.batch) {
            measured.batch(|subject, calls| subject.run(calls));
        }
        measured
    }

    /// Runs a batch. `measure` runs and measures the calls; it gets their number.
    pub fn batch<T>(&mut self, measure: impl FnOnce(&mut dyn Subject, u32) -> T) -> T {
        let calls = self.variant.batch;
        let expected = self.subject.yielded() + u64::from(calls) * self.variant.yields;
        self.subject.prepare();
        let figure = measure(&mut *self.subject, calls);
        self.subject.conclude();
        self.wait_for(expected);
        figure
    }

    /// Returns the number of calls in a batch.
    pub fn batch_size(&self) -> u32 {
        self.variant.batch
    }

    fn wait_for(&self, expected: u64) {
        let start = Instant::now();
        while self.subject.yielded() < expected {
            let yielded = self.subject.yielded();
            assert!(
                start.elapsed() < PATIENCE,
                "{}: {yielded} of {expected} were recorded",
                self.variant.name
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        let yielded = self.subject.yielded();
        assert_eq!(yielded, expected, "{} records more than its row says", self.variant.name);
    }
}
