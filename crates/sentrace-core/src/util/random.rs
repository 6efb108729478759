//! Random numbers from a fast generator per thread, seeded by the system.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rand::rngs::{SmallRng, SysRng};
use rand::{Rng, SeedableRng};

use crate::util::thread_local::with_mut;

thread_local! {
    static GENERATOR: RefCell<Option<SmallRng>> = const { RefCell::new(None) };
}

/// Reseeds this thread's generator: a forked child would repeat its parent's numbers.
pub(crate) fn reseed() {
    with_mut(&GENERATOR, |generator| *generator = Some(seeded()));
}

/// Returns a number that no other process has.
pub(crate) fn key() -> u64 {
    seeded().next_u64()
}

/// Returns a random number.
#[inline]
pub(crate) fn number() -> u64 {
    with_mut(&GENERATOR, |generator| generator.as_mut().map(SmallRng::next_u64))
        .flatten()
        .unwrap_or_else(first_number)
}

/// For a thread whose generator does not exist yet, or no longer.
#[cold]
#[inline(never)]
fn first_number() -> u64 {
    let mut generator = seeded();
    let number = generator.next_u64();
    with_mut(&GENERATOR, |kept| *kept = Some(generator));
    number
}

fn seeded() -> SmallRng {
    SmallRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| SmallRng::seed_from_u64(fallback_seed()))
}

/// Without the system's randomness, ids need not be secret, only different.
fn fallback_seed() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let nanos =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    nanos
        ^ u64::from(std::process::id()).rotate_left(32)
        ^ CALLS.fetch_add(1, Ordering::Relaxed).rotate_left(48)
}
