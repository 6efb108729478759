//! Why delivery could not start.

use std::error::Error;
use std::fmt;

use sentrace_core::diagnostics;

/// Delivery could not start; nothing was left behind.
#[derive(Debug)]
pub struct StartError {
    what: String,
    source: Box<dyn Error + Send + Sync>,
    of_machine: bool,
}

impl StartError {
    /// An option has a value that cannot work anywhere.
    pub(crate) fn new(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: source.into(), of_machine: false }
    }

    /// The options may be right, and the machine does not give what they need.
    pub(crate) fn of_machine(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { of_machine: true, ..Self::new(what, source) }
    }

    /// Whether it is the machine that lacks something (certificates, a folder, file descriptors, threads), and not an
    /// option that is wrong. [`Delivery::start_or_degrade`](crate::Delivery::start_or_degrade) goes on without it.
    pub fn is_of_machine(&self) -> bool {
        self.of_machine
    }
}

/// What to do when the machine lacks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnMachine {
    /// The service is told, and decides.
    Fail,
    /// A warning, and go on without: tracing never keeps a service from starting.
    Degrade,
}

impl OnMachine {
    /// # Errors
    /// The error itself, if it is not only to be warned of together with its `consequence`.
    pub(crate) fn went_wrong(self, error: StartError, consequence: &str) -> Result<(), StartError> {
        if self == Self::Fail || !error.of_machine {
            return Err(error);
        }
        diagnostics::warn(format_args!("{error}; {consequence}"));
        Ok(())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.source)
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
