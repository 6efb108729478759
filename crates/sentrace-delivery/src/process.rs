//! Whether this is still the process that started the worker.

use std::sync::atomic::AtomicBool;

use sentrace_core::diagnostics;
use sentrace_core::fork::process_id;

/// A process, which its forked children are not: they have copies of the memory, and no worker.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
    warned: AtomicBool,
}

impl Process {
    pub(crate) fn this() -> Self {
        Self { id: process_id(), warned: AtomicBool::new(false) }
    }

    /// Whether we run in a forked child of it, where there is no worker: then what comes is refused, nothing is waited
    /// for, and no file, socket or lock of the parent is touched. Warns once.
    ///
    /// This takes some ten nanoseconds (ADR 32).
    pub(crate) fn is_forked(&self) -> bool {
        let forked = process_id() != self.id;
        if forked {
            self.warn();
        }
        forked
    }

    #[cold]
    fn warn(&self) {
        diagnostics::warn_once(
            &self.warned,
            format_args!(
                "this process was forked after sentrace::init: nothing that it records is sent, all of it is counted as lost; \
                 call sentrace::init in each child, after the fork"
            ),
        );
    }
}
