//! The thread that ends idle transactions when they are due. It only runs while there are any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::lifetime::{FinishReason, Idle};
use crate::trace::pipeline::Pipeline;
use crate::trace::state::SharedTrace;
use crate::util::clock::FastInstant;
use crate::util::fork::process_id;
use crate::util::hook::catch_panic;

/// Idle transactions that may be open in a process; further ones are not recorded.
pub(crate) const MAX_OPEN: usize = 10_000;

static TIMER: Mutex<Timer> = Mutex::new(Timer {
    due: BTreeSet::new(),
    open: BTreeMap::new(),
    defaults: BTreeMap::new(),
    runs: false,
    process: 0,
});
static CHANGED: Condvar = Condvar::new();
/// The number of entries in `open`, readable without a lock.
static OPEN: AtomicUsize = AtomicUsize::new(0);

struct Timer {
    due: BTreeSet<(FastInstant, Key)>,
    open: BTreeMap<Key, Open>,
    /// Each client's default transaction, which is found without a handle.
    defaults: BTreeMap<ClientKey, Key>,
    runs: bool,
    /// The process of the thread: a forked child has no thread.
    process: u32,
}

/// The address of the trace, which stays while its transaction is in here.
type Key = usize;

/// The address of the pipeline, which a trace in here keeps alive.
type ClientKey = usize;

struct Open {
    idle: Arc<Idle>,
    due: FastInstant,
}

/// Returns `true` if there is an idle transaction in this process.
#[inline]
pub(crate) fn any_open() -> bool {
    OPEN.load(Ordering::Relaxed) > 0
}

/// Returns `true` if one more may be opened.
pub(crate) fn has_room() -> bool {
    OPEN.load(Ordering::Relaxed) < MAX_OPEN
}

/// Adds `idle` to the timer. If no thread can be started, it ends with its last handle.
///
/// If `is_default`, returns the client's previous default transaction, which `idle` replaces.
pub(crate) fn add(idle: &Arc<Idle>, is_default: bool) -> Option<Arc<Idle>> {
    let (key, due) = (key(idle.trace()), idle.first_poll());
    let mut timer = lock();
    timer.open.insert(key, Open { idle: Arc::clone(idle), due });
    timer.due.insert((due, key));
    let replaced = if is_default { timer.set_default(idle, key) } else { None };
    let process = process_id();
    if !timer.runs || timer.process != process {
        timer.process = process;
        let spawned = thread::Builder::new().name("sentrace-idle".to_owned()).spawn(run);
        timer.runs = spawned.is_ok();
        if let Err(error) = spawned {
            let taken = timer.remove(key);
            drop(timer);
            drop(taken);
            crate::diagnostics::warn(format_args!(
                "idle transactions end with their last handle, since no thread can be started for them: {error}"
            ));
            return replaced;
        }
    }
    timer.count();
    if timer.due.first().is_some_and(|(_, first)| *first == key) {
        CHANGED.notify_one();
    }
    replaced
}

/// Ends an idle transaction, unless it has ended.
pub(crate) fn finish(idle: &Idle, reason: FinishReason) {
    idle.finish(reason);
    remove(idle);
}

/// Removes an idle transaction that has ended.
fn remove(idle: &Idle) {
    let mut timer = lock();
    let taken = timer.remove(key(idle.trace()));
    if timer.due.is_empty() {
        // The thread has nothing left to wait for.
        CHANGED.notify_one();
    }
    drop(timer);
    drop(taken);
}

/// Returns the idle transaction of a trace.
pub(crate) fn find(trace: &SharedTrace) -> Option<Arc<Idle>> {
    lock().open.get(&key(trace)).map(|open| Arc::clone(&open.idle))
}

/// Returns a client's default transaction, while it is open.
pub(crate) fn default_of(pipeline: &Pipeline) -> Option<Arc<Idle>> {
    if !any_open() {
        return None;
    }
    let timer = lock();
    let key = timer.defaults.get(&client_key(pipeline))?;
    timer.open.get(key).map(|open| Arc::clone(&open.idle)).filter(|idle| !idle.has_ended())
}

/// Returns all idle transactions of a client.
pub(crate) fn of(pipeline: &Pipeline) -> Vec<Arc<Idle>> {
    let timer = lock();
    let all = timer.open.values().map(|open| &open.idle);
    all.filter(|idle| std::ptr::eq(&*idle.trace().pipeline, pipeline)).map(Arc::clone).collect()
}

fn run() {
    let mut timer = lock();
    // When there is nothing to wait for, the thread ends, and the next transaction starts another.
    while let Some((due, key)) = timer.due.first().copied() {
        let wait = due.saturating_duration_since(FastInstant::now());
        if !wait.is_zero() {
            let (woken, _) = CHANGED.wait_timeout(timer, wait).unwrap_or_else(PoisonError::into_inner);
            timer = woken;
            continue;
        }
        timer.due.remove(&(due, key));
        let Some(idle) = timer.open.get(&key).map(|open| Arc::clone(&open.idle)) else { continue };
        drop(timer);
        // Deliverers are user code. A panic must not stop the timer.
        let next = catch_panic(|| idle.poll(FastInstant::now())).flatten();
        timer = lock();
        let taken = match next {
            Some(due) => {
                timer.reschedule(key, due);
                None
            }
            None => timer.remove(key),
        };
        drop(timer);
        drop((taken, idle));
        timer = lock();
    }
    timer.runs = false;
}

impl Timer {
    /// Does nothing if it was ended in the meantime.
    fn reschedule(&mut self, key: Key, due: FastInstant) {
        if let Some(open) = self.open.get_mut(&key) {
            open.due = due;
            self.due.insert((due, key));
        }
    }

    /// Makes `idle` its client's default transaction, and returns the previous one.
    fn set_default(&mut self, idle: &Idle, key: Key) -> Option<Arc<Idle>> {
        let former = self.defaults.insert(client_key(&idle.trace().pipeline), key)?;
        self.open.get(&former).map(|open| Arc::clone(&open.idle))
    }

    fn remove(&mut self, key: Key) -> Option<Open> {
        let open = self.open.remove(&key)?;
        self.due.remove(&(open.due, key));
        let client = client_key(&open.idle.trace().pipeline);
        if self.defaults.get(&client) == Some(&key) {
            self.defaults.remove(&client);
        }
        self.count();
        Some(open)
    }

    fn count(&self) {
        OPEN.store(self.open.len(), Ordering::Relaxed);
    }
}

fn key(trace: &SharedTrace) -> Key {
    SharedTrace::as_ptr(trace).addr()
}

fn client_key(pipeline: &Pipeline) -> ClientKey {
    std::ptr::from_ref(pipeline).addr()
}

fn lock() -> MutexGuard<'static, Timer> {
    TIMER.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use sentrace_protocol::losses::{Category, DiscardedEvents, Reason};

    use super::*;
    use crate::testing::Capture;
    use crate::{IdleOptions, IdleTransaction, Options, TransactionOptions};

    #[test]
    fn there_is_a_limit_and_in_the_end_neither_memory_nor_thread_is_left() {
        let never = Duration::from_secs(3600);
        let options = Options::new().traces_sample_rate(1.0).idle_timeout(never).final_timeout(never);
        let (client, _capture) = Capture::client(options).unwrap();
        let chat = TransactionOptions::new("chat", "websocket.server");
        let start = || client.start_idle_transaction_with(&chat, IdleOptions::new().separate());

        let open: Vec<_> = (0..MAX_OPEN).map(|_| start()).collect();
        assert!(open.iter().all(IdleTransaction::is_open));
        assert!(!start().is_open(), "one more is not recorded");
        let transaction =
            DiscardedEvents { reason: Reason::BufferOverflow, category: Category::Transaction, quantity: 1 };
        assert!(client.losses().peek().contains(&transaction), "and counted as lost");

        open[0].finish();
        assert!(start().is_open(), "there is room again");
        client.close(Duration::ZERO);
        assert!(!open.iter().any(IdleTransaction::is_open) && !any_open());
        let begun = Instant::now();
        while lock().runs {
            assert!(begun.elapsed() < Duration::from_secs(10), "the thread ends");
            thread::yield_now();
        }
        assert!(lock().due.is_empty() && lock().open.is_empty() && lock().defaults.is_empty());
    }
}
