//! Messages of sentrace itself: warnings once, details in debug mode, never through traced
//! channels.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::util::hook::catch_panic;

/// The severity of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// A misconfiguration that costs traces; reported at most once per cause.
    Warning,
    /// Only reported if [`Options::debug`](crate::Options::debug) is on.
    Debug,
}

type Handler = Box<dyn Fn(Level, &str) + Send + Sync>;

/// The number of clients in debug mode. If there are none, no further check is needed.
static DEBUG_CLIENTS: AtomicUsize = AtomicUsize::new(0);
static HANDLER: OnceLock<Handler> = OnceLock::new();
/// Returns whether the current client is in debug mode, if there is one. Set by the first client in
/// debug mode.
static CURRENT_DEBUG_MODE: OnceLock<fn() -> Option<bool>> = OnceLock::new();
/// Hashes of what was explained, by cause.
static EXPLAINED: Mutex<BTreeMap<&str, Vec<u64>>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// Whether the client that this thread works for is in debug mode, if that is known.
    static DEBUG_SCOPE: Cell<Option<bool>> = const { Cell::new(None) };
    /// Whether the handler is running. It must not be called recursively.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Targets that are explained per cause. Clients choose paths and hosts, so there must be a limit.
const MAX_EXPLAINED: usize = 64;

/// Redirects messages from stderr, for example to the service's own log.
///
/// The first handler of the process wins; returns `true` if this is it. What the handler starts is
/// not recorded, and messages that it causes go to stderr.
///
/// ```
/// sentrace_core::diagnostics::set_handler(|level, message| eprintln!("{level:?} {message}"));
/// ```
pub fn set_handler(handler: impl Fn(Level, &str) + Send + Sync + 'static) -> bool {
    HANDLER.set(Box::new(handler)).is_ok()
}

/// Reports a problem that needs to be fixed.
pub fn warn(message: fmt::Arguments<'_>) {
    emit(Level::Warning, message);
}

/// Reports a problem once per `reported` flag, however often it occurs.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// static REPORTED: AtomicBool = AtomicBool::new(false);
/// sentrace_core::diagnostics::warn_once(&REPORTED, format_args!("the layer sits inside CorsLayer"));
/// ```
pub fn warn_once(reported: &AtomicBool, message: fmt::Arguments<'_>) {
    if !reported.swap(true, Ordering::Relaxed) {
        warn(message);
    }
}

/// Explains a decision if debug mode is on. It costs one load if it is off.
pub fn debug(message: fmt::Arguments<'_>) {
    if is_debug_enabled() {
        emit(Level::Debug, message);
    }
}

/// Like [`debug`], once per `reported` flag, for what any client can cause with every request.
pub(crate) fn debug_once(reported: &AtomicBool, message: fmt::Arguments<'_>) {
    if is_debug_enabled() && !reported.swap(true, Ordering::Relaxed) {
        emit(Level::Debug, message);
    }
}

/// Returns `true` if debug messages are enabled for the client that this thread works for: the
/// current one, unless [`with_debug_mode`] is used. Check this before computing an expensive
/// message.
#[inline]
pub fn is_debug_enabled() -> bool {
    any_debug() && is_debug_mode_on()
}

/// Returns `true` if any client is in debug mode.
#[inline]
pub(crate) fn any_debug() -> bool {
    DEBUG_CLIENTS.load(Ordering::Relaxed) > 0
}

#[cold]
fn is_debug_mode_on() -> bool {
    let known = DEBUG_SCOPE.get().or_else(|| CURRENT_DEBUG_MODE.get().and_then(|current| current()));
    // Messages that belong to no client are for all of them.
    known.unwrap_or(true)
}

/// Runs `run` for a client that is in debug mode, or is not: debug messages from inside are shown
/// accordingly. For threads that work for one client.
///
/// ```
/// use sentrace_core::diagnostics::{is_debug_enabled, with_debug_mode};
///
/// with_debug_mode(false, || assert!(!is_debug_enabled()));
/// ```
pub fn with_debug_mode<R>(debug: bool, run: impl FnOnce() -> R) -> R {
    let _on_behalf = DebugScope::of(debug);
    run()
}

/// Sets the debug mode of this thread until it is dropped.
pub(crate) struct DebugScope(Option<bool>);

impl DebugScope {
    pub(crate) fn of(debug: bool) -> Self {
        Self(DEBUG_SCOPE.replace(Some(debug)))
    }
}

impl Drop for DebugScope {
    fn drop(&mut self) {
        DEBUG_SCOPE.set(self.0);
    }
}

/// Explains a decision about `target` (a name, a host) if debug mode is on: once per `cause` and
/// target, and for at most 64 targets per cause, which keeps logs readable.
///
/// ```
/// use sentrace_core::diagnostics::explain;
///
/// explain("redirect", "api.test", format_args!("a redirect to \"api.test\" carries no trace headers"));
/// ```
pub fn explain(cause: &'static str, target: &str, message: fmt::Arguments<'_>) {
    if !is_debug_enabled() {
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
    // The lock is released by now, since the handler may cause an explanation itself.
    if explained > MAX_EXPLAINED {
        emit(
            Level::Debug,
            format_args!("no more is said of this kind: {cause}, more than {MAX_EXPLAINED} times"),
        );
    } else {
        emit(Level::Debug, message);
    }
}

/// Counts a client in debug mode while it is alive.
#[derive(Debug)]
pub(crate) struct DebugClient(());

impl DebugClient {
    /// `current` returns whether the current client is in debug mode. Only code above this module
    /// knows that client.
    pub(crate) fn new(current: fn() -> Option<bool>) -> Self {
        let _ = CURRENT_DEBUG_MODE.set(current);
        if DEBUG_CLIENTS.fetch_add(1, Ordering::Relaxed) == 0 {
            // What was explained to an earlier client is new to this one.
            EXPLAINED.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        Self(())
    }
}

impl Drop for DebugClient {
    fn drop(&mut self) {
        DEBUG_CLIENTS.fetch_sub(1, Ordering::Relaxed);
    }
}

fn emit(level: Level, message: fmt::Arguments<'_>) {
    // User code formats some parts of messages.
    let Some(message) = catch_panic(|| message.to_string()) else { return };
    match HANDLER.get() {
        Some(handler) if !IN_HANDLER.replace(true) => {
            catch_panic(|| handler(level, &message));
            IN_HANDLER.set(false);
        }
        _ => {
            let label = if level == Level::Warning { "warning" } else { "debug" };
            // A closed stderr must not panic a service, as `eprintln!` would.
            let _ = writeln!(std::io::stderr(), "sentrace: {label}: {message}");
        }
    }
}
