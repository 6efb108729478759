//! Transactions without a beginning and an end of their own: they last as long as something goes on in them, as in
//! Sentry's browser SDK. For background sessions, conversations over WebSocket and event loops, which have no request
//! to hang on.

pub(crate) mod activity;
pub(crate) mod handle;
pub(crate) mod lifetime;
pub(crate) mod slot;
pub(crate) mod span_options;
pub(crate) mod timer;

use crate::client::Client;
use crate::handle::span::SpanRef;
use crate::trace::pipeline::Pipeline;

/// What is current where nothing else is: the global client's open idle transaction.
#[cold]
pub(crate) fn current() -> Option<SpanRef> {
    Client::global()?.pipeline().idle.span()
}

/// Ends what is open of a client that goes.
pub(crate) fn finish_all(pipeline: &Pipeline) {
    if timer::any_open() {
        for idle in timer::of(pipeline) {
            idle.finish(lifetime::FinishReason::External);
        }
    }
}
