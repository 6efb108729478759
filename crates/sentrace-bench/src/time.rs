//! Nanoseconds.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::measured::Measured;
use crate::process;

/// What one call takes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Time {
    /// Nanoseconds on the thread that serves it; the median of all batches.
    pub nanoseconds: f64,
    /// Nanoseconds that other threads of the process spend on it, a worker for example; the mean.
    pub elsewhere: f64,
}

/// Measures at least as many calls.
pub fn measure(measured: &mut Measured, calls: u32) -> Time {
    let batches = calls.div_ceil(measured.batch_size()).max(1) as usize;
    over_batches(measured, |done, _| done < batches)
}

/// Measures for at least as long.
pub fn sample(measured: &mut Measured, least: Duration) -> Time {
    over_batches(measured, |_, took| took < least)
}

/// Measures batches for as long as `more` wants, told how many there were and how long they took.
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

/// How long the calls of one batch take.
pub fn batch(measured: &mut Measured) -> Duration {
    measured.batch(|subject, calls| {
        let start = Instant::now();
        subject.run(calls);
        start.elapsed()
    })
}

/// The one in the middle; others share the machine, so that the mean says little.
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
