//! Transactions without a beginning and an end of their own: they last as long as something goes on in them, as in
//! Sentry's browser SDK. For background sessions, conversations over WebSocket and event loops, which have no request
//! to hang on.

pub(crate) mod activity;
pub(crate) mod handle;
pub(crate) mod lifetime;
pub(crate) mod span_options;
pub(crate) mod timer;

use crate::trace::pipeline::Pipeline;

/// Ends what is open of a client that goes.
pub(crate) fn finish_all(pipeline: &Pipeline) {
    if timer::any_open() {
        for idle in timer::of(pipeline) {
            timer::finish(&idle, lifetime::FinishReason::External);
        }
    }
}
