//! What sentrace says about itself: warnings once, details only in debug mode, never through the traced channels.

use std::fmt;
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Sends sentrace's messages somewhere else than stderr, for example into the service's own log.
///
/// The first handler of the process stays; returns whether this one did.
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
    if DEBUG.load(Ordering::Relaxed) {
        emit(Level::Debug, message);
    }
}

/// Like [`debug`], once for each `said`: for what any stranger can cause with every request.
pub(crate) fn debug_once(said: &AtomicBool, message: fmt::Arguments<'_>) {
    if DEBUG.load(Ordering::Relaxed) && !said.swap(true, Ordering::Relaxed) {
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
