//! What sentrace says about itself: warnings once, details only in debug mode, never through the traced channels.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something is set up wrongly and costs traces; said at most once per cause.
    Warning,
    /// Said only where [`Options::debug`](crate::Options::debug) is on.
    Debug,
}

type Handler = Box<dyn Fn(Level, &str) + Send + Sync>;

static DEBUG: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<Handler> = OnceLock::new();
/// By cause, the hashes of what was explained.
static EXPLAINED: Mutex<BTreeMap<&str, Vec<u64>>> = Mutex::new(BTreeMap::new());

/// Things that one cause is explained for. Strangers choose paths and hosts, so there must be an end.
const MAX_EXPLAINED: usize = 64;

/// Sends sentrace's messages somewhere else than stderr, for example into the service's own log.
///
/// The first handler of the process stays; returns whether this one did. What it logs through `tracing` or `log` must
/// not end up in spans of the current trace: give it a target that is filtered out there.
///
/// ```
/// sentrace_core::diagnostics::set_handler(|level, message| eprintln!("{level:?} {message}"));
/// ```
pub fn set_handler(handler: impl Fn(Level, &str) + Send + Sync + 'static) -> bool {
    HANDLER.set(Box::new(handler)).is_ok()
}

/// Says something that is wrong and that somebody should mend.
pub fn warn(message: fmt::Arguments<'_>) {
    emit(Level::Warning, message);
}

/// Says something wrong once for each `said`, however often it is noticed.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// static SAID: AtomicBool = AtomicBool::new(false);
/// sentrace_core::diagnostics::warn_once(&SAID, format_args!("the layer sits inside CorsLayer"));
/// ```
pub fn warn_once(said: &AtomicBool, message: fmt::Arguments<'_>) {
    if !said.swap(true, Ordering::Relaxed) {
        warn(message);
    }
}

/// Explains a decision where debug mode is on; costs one load where it is off.
pub fn debug(message: fmt::Arguments<'_>) {
    if debug_is_on() {
        emit(Level::Debug, message);
    }
}

/// Like [`debug`], once for each `said`: for what any stranger can cause with every request.
pub(crate) fn debug_once(said: &AtomicBool, message: fmt::Arguments<'_>) {
    if debug_is_on() && !said.swap(true, Ordering::Relaxed) {
        emit(Level::Debug, message);
    }
}

/// Whether anybody wants explanations: what takes more than a few instructions to say is asked for first.
#[inline]
pub fn debug_is_on() -> bool {
    DEBUG.load(Ordering::Relaxed)
}

/// Explains a decision about `target` (a name, a host) where debug mode is on: once for each `cause` and target, and for
/// 64 targets of a cause, so that a log stays readable whatever comes.
///
/// ```
/// use sentrace_core::diagnostics::explain;
///
/// explain("redirect", "api.test", format_args!("a redirect to \"api.test\" carries no trace headers"));
/// ```
pub fn explain(cause: &'static str, target: &str, message: fmt::Arguments<'_>) {
    if !debug_is_on() {
        return;
    }
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    let target = hasher.finish();
    let explained = {
        let mut explained = EXPLAINED.lock().unwrap_or_else(PoisonError::into_inner);
        let targets = explained.entry(cause).or_default();
        if targets.len() > MAX_EXPLAINED || targets.contains(&target) {
            return;
        }
        targets.push(target);
        targets.len()
    };
    // The lock is free by now: a handler may do what is to be explained.
    if explained > MAX_EXPLAINED {
        emit(
            Level::Debug,
            format_args!("no more is said of this kind: {cause}, more than {MAX_EXPLAINED} times"),
        );
    } else {
        emit(Level::Debug, message);
    }
}

pub(crate) fn enable_debug() {
    DEBUG.store(true, Ordering::Relaxed);
}

fn emit(level: Level, message: fmt::Arguments<'_>) {
    match HANDLER.get() {
        Some(handler) => {
            let message = message.to_string();
            crate::guarded(|| handler(level, &message));
        }
        None => {
            let label = if level == Level::Warning { "warning" } else { "debug" };
            // A closed stderr must not panic a service, as `eprintln!` would.
            let _ = writeln!(std::io::stderr(), "sentrace: {label}: {message}");
        }
    }
}
