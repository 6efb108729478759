//! A variant that runs in this process, warm, and checked in each batch.

use std::time::{Duration, Instant};

use crate::request::Baggage;
use crate::variant::{Subject, Variant};

/// How long another thread may need until a batch is counted.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every server has several threads, and the C library is cheaper where there has never been a second one: without this the
/// variants that start none would have an advantage over those that hand something over.
fn become_threaded() {
    let second = std::thread::spawn(|| ());
    second.join().expect("it does nothing");
}

/// Gives this process another layout of its heap than the one before had. Which addresses happen to lie a multiple of 4 KiB
/// apart decides about a tenth of a request's time, and each change of the code draws anew: so the median of many processes
/// is one of many layouts, and not the luck of one.
pub fn shift_heap() {
    const STEP: usize = 272;
    const PAGE: usize = 4096;
    let shift = std::process::id() as usize * STEP % PAGE;
    std::mem::forget(vec![0_u8; shift]);
}

/// A variant at work.
pub struct Measured {
    variant: Variant,
    subject: Box<dyn Subject>,
}

impl Measured {
    /// Sets the variant up, checks what it records, and warms it up with so many calls.
    ///
    /// # Panics
    /// Where it records something else than its row of the table says.
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

    /// One batch, of which `measure` runs and measures the part that counts; it gets the number of calls.
    pub fn batch<T>(&mut self, measure: impl FnOnce(&mut dyn Subject, u32) -> T) -> T {
        let calls = self.variant.batch;
        let expected = self.subject.yielded() + u64::from(calls) * self.variant.yields;
        self.subject.prepare();
        let figure = measure(&mut *self.subject, calls);
        self.subject.conclude();
        self.wait_for(expected);
        figure
    }

    /// Calls in a batch.
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
