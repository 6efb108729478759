//! Transactions without a beginning and an end of their own: they last as long as something goes on in them, as in
//! Sentry's browser SDK. For background sessions, conversations over WebSocket and event loops, which have no request
//! to hang on.

mod activity;
mod api;
mod client;
mod handle;
mod lifetime;
mod slot;
mod span_options;
mod timer;

pub use self::activity::Activity;
pub use self::api::{
    finish_idle_transaction, pop_activity, push_activity, start_idle_transaction, start_idle_transaction_with,
};
pub use self::handle::IdleTransaction;
pub(crate) use self::slot::IdleSlot;
pub use self::span_options::SpanOptions;
pub(crate) use self::timer::any_open;

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
    if any_open() {
        for idle in timer::of(pipeline) {
            idle.finish(lifetime::FinishReason::External);
        }
    }
}
