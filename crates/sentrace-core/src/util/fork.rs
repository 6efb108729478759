//! Detects forked child processes, which inherit memory but no threads.
//!
//! A child's random generators would repeat the parent's ids, and its transactions would wait for
//! workers that do not exist. Asking the kernel takes 50 to 250 ns, too much for each request, so
//! it is asked at most every few microseconds, which is less than a fork takes (ADR 0032).

use std::cell::Cell;

use crate::util::clock::FastInstant;

/// How long the kernel's answer is reused, in ticks of [`FastInstant`]: 4 to 16 microseconds.
const TRUSTED: u64 = 1 << 14;

thread_local! {
    static ANSWER: Cell<Answer> = const { Cell::new(Answer { at: FastInstant::NEVER, process: UNKNOWN }) };
}

const UNKNOWN: u32 = 0;

#[derive(Clone, Copy)]
struct Answer {
    at: FastInstant,
    process: u32,
}

/// Returns the id of this process, which differs in a forked child. It takes a few nanoseconds.
///
/// Owners of threads or connections store it when they create them, and compare it before they use
/// them.
///
/// ```
/// let made_in = sentrace_core::deliver::process_id();
/// // ... later, perhaps in a child
/// assert_eq!(sentrace_core::deliver::process_id(), made_in, "it is not a child");
/// ```
#[must_use]
pub fn process_id() -> u32 {
    process_id_at(FastInstant::now())
}

/// Like [`process_id`], for callers that have read the clock already.
#[inline]
fn process_id_at(now: FastInstant) -> u32 {
    ANSWER.with(|answer| {
        let known = answer.get();
        if now.ticks_since(known.at) < TRUSTED { known.process } else { ask(answer, now) }
    })
}

/// Detects, before ids are made, that this is a forked child, and reseeds its random numbers.
#[inline]
pub(crate) fn check(now: FastInstant) {
    let _ = process_id_at(now);
}

#[cold]
fn ask(answer: &Cell<Answer>, at: FastInstant) -> u32 {
    let process = std::process::id();
    let before = answer.replace(Answer { at, process }).process;
    if before != UNKNOWN && before != process {
        crate::util::random::reseed();
    }
    process
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_process_whenever_it_is_asked() {
        for _ in 0..10_000 {
            assert_eq!(process_id(), std::process::id());
        }
    }

    /// Not a benchmark: it fails if each call asks the kernel.
    #[test]
    fn the_kernel_is_asked_now_and_then() {
        let start = FastInstant::now();
        check(start);
        let first = ANSWER.with(Cell::get).at;
        assert_eq!(first, start);
        check(start);
        assert_eq!(ANSWER.with(Cell::get).at, first, "the answer is taken as it was");
        while FastInstant::now().ticks_since(start) < TRUSTED {}
        check(FastInstant::now());
        assert_ne!(ANSWER.with(Cell::get).at, first, "and asked for again");
    }
}
