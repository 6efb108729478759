//! Whether this is still the process that started the worker.

use sentrace_core::fork;

/// A process, which its forked children are not: they have copies of the memory, and no worker.
#[derive(Debug)]
pub(super) struct Process {
    id: u32,
}

impl Process {
    pub(super) fn this() -> Self {
        Self { id: fork::process_id() }
    }

    /// Whether we run in a forked child of it, where there is no worker: then what comes is refused, nothing is waited
    /// for, and no file, socket or lock of the parent is touched. Warns once.
    pub(super) fn is_forked(&self) -> bool {
        let forked = fork::process_id() != self.id;
        if forked {
            fork::warn_of_fork();
        }
        forked
    }
}
