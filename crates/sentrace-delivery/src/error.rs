//! Why delivery cannot start.

use std::error::Error;
use std::fmt;

use sentrace_core::diagnostics;

/// The error of [`Delivery::start`](crate::Delivery::start).
#[derive(Debug)]
pub struct StartError {
    what: String,
    source: Box<dyn Error + Send + Sync>,
    of_machine: bool,
}

impl StartError {
    /// An option has a value that works on no machine.
    pub(crate) fn new(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: source.into(), of_machine: false }
    }

    /// The machine lacks something that the options need.
    pub(crate) fn of_machine(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { of_machine: true, ..Self::new(what, source) }
    }

    /// Returns `true` if the machine lacks something (certificates, a folder, file descriptors, threads), and `false` if an
    /// option is invalid. [`Delivery::start_or_degrade`](crate::Delivery::start_or_degrade) continues without what is missing.
    pub fn is_of_machine(&self) -> bool {
        self.of_machine
    }
}

/// What to do if the machine lacks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnMachine {
    /// Return the error to the service.
    Fail,
    /// Warn and continue without: tracing must not keep a service from starting.
    Degrade,
}

impl OnMachine {
    /// Warns of the error and its `consequence` if delivery can continue.
    ///
    /// # Errors
    /// Returns the error otherwise.
    pub(crate) fn handle(self, error: StartError, consequence: &str) -> Result<(), StartError> {
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
