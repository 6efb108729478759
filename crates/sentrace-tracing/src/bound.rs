//! `tracing` spans that take along what is current here.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use sentrace_core::current_span;
use sentrace_core::diagnostics;
use tracing::{Dispatch, Metadata, Span};

use crate::config::TracingLayer;
use crate::layers;

/// Marks the spans of [`bound_span`]; users may filter by it.
pub(crate) const BOUND_TARGET: &str = "sentrace::bound";

thread_local! {
    /// Whether a layer of ours was told of the last bound span.
    static SEEN: Cell<bool> = const { Cell::new(false) };
}

/// Notes that a layer is told of a span.
pub(crate) fn seen(metadata: &Metadata<'_>) {
    if metadata.target() == BOUND_TARGET {
        let _ = SEEN.try_with(|seen| seen.set(true));
    }
}

/// A `tracing` span that takes along what is current here, to wherever it is entered: another task, a thread of a pool,
/// the thread on which sqlx runs a SQLite connection. Nothing is recorded for it.
///
/// It is called `request` and has the field `trace_id`, so that all log lines within tell their trace. Where nothing is current,
/// it is [`Span::none`].
///
/// Its level is `ERROR` and its target `sentrace::bound`: a filter by level lets it through, one that lists targets needs the
/// directive `sentrace::bound=error` (`RUST_LOG=shop=info,sqlx=debug,sentrace::bound=error`). Without it nothing is taken along,
/// and a warning says so once.
///
/// ```
/// use tracing::Instrument;
///
/// # async fn resize() {}
/// # async fn handler() {
/// tokio::spawn(resize().instrument(sentrace_tracing::bound_span()));
/// # }
/// ```
pub fn bound_span() -> Span {
    match current_span().trace_id() {
        Some(trace_id) => {
            let _ = SEEN.try_with(|seen| seen.set(false));
            let span = tracing::error_span!(target: BOUND_TARGET, "request", %trace_id);
            if !SEEN.try_with(Cell::get).unwrap_or(true) {
                warn_of_filter();
            }
            span
        }
        None => Span::none(),
    }
}

/// Returns `true` if a layer of ours is part of this subscriber.
fn has_layer(subscriber: &Dispatch) -> bool {
    subscriber.is::<TracingLayer>() || layers::has_joined(subscriber)
}

/// Without a layer of ours there is nobody to take anything along.
#[cold]
fn warn_of_filter() {
    static WARNED: AtomicBool = AtomicBool::new(false);

    if !WARNED.load(Ordering::Relaxed) && tracing::dispatcher::get_default(has_layer) {
        diagnostics::warn_once(
            &WARNED,
            format_args!(
                "a filter keeps the spans of `sentrace::bound` from the tracing layer, so what runs on other threads, such as \
                 the queries of SQLite, does not find its request; add `sentrace::bound=error` to the filter, for example to RUST_LOG"
            ),
        );
    }
}
