//! What sentrace says about itself: warnings once, details only in debug mode, never through the traced channels.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::util::hook::catch_panic;

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something is set up wrongly and costs traces; said at most once per cause.
    Warning,
    /// Said only where [`Options::debug`](crate::Options::debug) is on.
    Debug,
}

type Handler = Box<dyn Fn(Level, &str) + Send + Sync>;

/// Clients in debug mode. They decide for themselves; without any, nobody needs to be asked.
static DEBUG_CLIENTS: AtomicUsize = AtomicUsize::new(0);
static HANDLER: OnceLock<Handler> = OnceLock::new();
/// Tells whether the current client is in debug mode, if there is one. Set with the first client that is.
static CURRENT_DEBUG_MODE: OnceLock<fn() -> Option<bool>> = OnceLock::new();
/// By cause, the hashes of what was explained.
static EXPLAINED: Mutex<BTreeMap<&str, Vec<u64>>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// Whether the client on whose behalf this thread works is in debug mode, where that is known.
    static DEBUG_SCOPE: Cell<Option<bool>> = const { Cell::new(None) };
    /// Whether the handler is running, which must not be called by what it does itself.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Things that one cause is explained for. Strangers choose paths and hosts, so there must be an end.
const MAX_EXPLAINED: usize = 64;

/// Sends sentrace's messages somewhere else than stderr, for example into the service's own log.
///
/// The first handler of the process stays; returns whether this one did. What it starts is not recorded, and what
/// `sentrace` has to say while it runs goes to stderr.
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
/// static REPORTED: AtomicBool = AtomicBool::new(false);
/// sentrace_core::diagnostics::warn_once(&REPORTED, format_args!("the layer sits inside CorsLayer"));
/// ```
pub fn warn_once(reported: &AtomicBool, message: fmt::Arguments<'_>) {
    if !reported.swap(true, Ordering::Relaxed) {
        warn(message);
    }
}

/// Explains a decision where debug mode is on; costs one load where it is off.
pub fn debug(message: fmt::Arguments<'_>) {
    if is_debug_enabled() {
        emit(Level::Debug, message);
    }
}

/// Like [`debug`], once for each `said`: for what any stranger can cause with every request.
pub(crate) fn debug_once(reported: &AtomicBool, message: fmt::Arguments<'_>) {
    if is_debug_enabled() && !reported.swap(true, Ordering::Relaxed) {
        emit(Level::Debug, message);
    }
}

/// Returns `true` if explanations are wanted: by the client on whose behalf this thread works, which is the current one
/// unless [`with_debug_mode`] says otherwise. What takes more than a few instructions to say is asked for first.
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

/// Runs `run` on behalf of a client that is in debug mode, or is not: debug messages from inside are shown accordingly.
/// The way of threads that work for one client.
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

/// Works on behalf of a client until it is dropped.
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

/// Explains a decision about `target` (a name, a host) where debug mode is on: once for each `cause` and target, and for
/// 64 targets of a cause, so that a log stays readable whatever comes.
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

/// A client in debug mode, for as long as it lives.
#[derive(Debug)]
pub(crate) struct DebugClient(());

impl DebugClient {
    /// `current` tells whether the current client is in debug mode, if there is one: who that is, is known further up.
    pub(crate) fn new(current: fn() -> Option<bool>) -> Self {
        let _ = CURRENT_DEBUG_MODE.set(current);
        if DEBUG_CLIENTS.fetch_add(1, Ordering::Relaxed) == 0 {
            // What was explained to an earlier client is news to this one.
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
    // Some of what messages contain is written by code of users.
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
