//! Measures nanoseconds.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::measured::Measured;
use crate::process;

/// The time of a call.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Time {
    /// Nanoseconds on the calling thread: the median of all batches.
    pub nanoseconds: f64,
    /// Nanoseconds on other threads of the process, such as a worker: the mean.
    pub elsewhere: f64,
}

/// Measures at least this many calls.
pub fn measure(measured: &mut Measured, calls: u32) -> Time {
    let batches = calls.div_ceil(measured.batch_size()).max(1) as usize;
    over_batches(measured, |done, _| done < batches)
}

/// Measures for at least this long.
pub fn sample(measured: &mut Measured, least: Duration) -> Time {
    over_batches(measured, |_, took| took < least)
}

/// Measures batches while `more` returns `true` for their number and total time.
fn over_batches(measured: &mut Measured, more: impl Fn(usize, Duration) -> bool) -> Time {
    let size = f64::from(measured.batch_size());
    let elsewhere = process::other_threads_nanoseconds();
    let (mut figures, mut took) = (Vec::new(), Duration::ZERO);
    while more(figures.len(), took) {
        let batch = batch(measured);
        took += batch;
        figures.push(batch.as_nanos() as f64 / size);
    }
    let elsewhere = process::other_threads_nanoseconds().saturating_sub(elsewhere);
    let calls = figures.len() as f64 * size;
    Time { nanoseconds: median(&mut figures), elsewhere: elsewhere as f64 / calls }
}

/// Returns the time of the calls of a batch.
pub fn batch(measured: &mut Measured) -> Duration {
    measured.batch(|subject, calls| {
        let start = Instant::now();
        subject.run(calls);
        start.elapsed()
    })
}

/// Returns the median. The mean is not useful, since other programs share the machine.
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
