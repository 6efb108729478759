//! Transactions that last as long as something is active in them, as in Sentry's browser SDK. They
//! are for background sessions, conversations over WebSocket and event loops, which have no
//! request.

pub(crate) mod activity;
pub(crate) mod handle;
pub(crate) mod lifetime;
pub(crate) mod span_options;
pub(crate) mod timer;

use crate::trace::pipeline::Pipeline;

/// Ends the open idle transactions of a client that is closed.
pub(crate) fn finish_all(pipeline: &Pipeline) {
    if timer::any_open() {
        for idle in timer::of(pipeline) {
            timer::finish(&idle, lifetime::FinishReason::External);
        }
    }
}
