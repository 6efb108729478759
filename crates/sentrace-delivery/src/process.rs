//! Whether this is still the process that started the worker.

use std::sync::atomic::AtomicBool;

use sentrace_core::{diagnostics, fork};

/// A process, which its forked children are not: they have copies of the memory, and no worker.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
}

impl Process {
    pub(crate) fn this() -> Self {
        Self { id: fork::process_id() }
    }

    /// Whether we run in a forked child of it, where there is no worker: then what comes is refused, nothing is waited
    /// for, and no file, socket or lock of the parent is touched. Warns once.
    pub(crate) fn is_forked(&self) -> bool {
        let forked = fork::process_id() != self.id;
        if forked {
            warn();
        }
        forked
    }
}

/// Once for all clients of the process.
#[cold]
fn warn() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    diagnostics::warn_once(
        &WARNED,
        format_args!(
            "this process was forked after sentrace was initialised: nothing that it records is sent, all of it is counted as \
             lost; call sentrace::init in each child, after the fork"
        ),
    );
}
