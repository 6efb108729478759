//! Detects forked children, which have a copy of the memory but no consumer thread.

use std::sync::atomic::AtomicBool;

use sentrace_core::deliver::process_id;
use sentrace_core::diagnostics;

/// The process that an outbox was created in.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
}

impl Process {
    pub(crate) fn current() -> Self {
        Self { id: process_id() }
    }

    /// Returns `true` in a forked child, and warns there once. The child must not wait for the consumer, and must not
    /// touch a lock, file or socket of its parent: another thread of the parent may have held it during the fork.
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        let forked = process_id() != self.id;
        if forked {
            warn();
        }
        forked
    }
}

#[cold]
fn warn() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    diagnostics::warn_once(
        &WARNED,
        format_args!(
            "this process was forked after its sentrace client was created: nothing that it records is sent, and all of it is \
             counted as lost; initialise sentrace in each child, after the fork"
        ),
    );
}
