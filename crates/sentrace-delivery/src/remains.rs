//! What is left when the worker cannot go on.

use std::sync::Arc;

use sentrace_protocol::Reason;

use crate::account::Account;
use crate::control::{Control, End};
use crate::load::Tally;
use crate::queue::Queue;
use crate::spans::SharedBuckets;

/// Everything that somebody waits for, within reach of threads other than the worker's.
#[derive(Debug, Clone)]
pub(crate) struct Remains {
    pub(crate) queue: Arc<Queue>,
    pub(crate) spans: SharedBuckets,
    pub(crate) account: Arc<Account>,
    pub(crate) control: Arc<Control>,
}

impl Remains {
    /// Empties the queues and counts what was in there, and what the worker holds, as lost. Nobody waits any longer.
    pub(crate) fn give_up(&self, reason: Reason) {
        let Self { queue, spans, account, control } = self;
        queue.end();
        while let Some(finished) = queue.pop() {
            Tally::of(&finished).lost(reason, account.losses());
        }
        spans.give_up(reason);
        account.give_up(reason);
        control.end(End::CutShort);
    }
}
