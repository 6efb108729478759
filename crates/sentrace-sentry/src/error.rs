//! The error of the bridge.

use std::fmt;
use std::io;

use sentrace_core::OptionsError;

/// The error returned if traces cannot be sent through the official client's transport.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportError {
    /// The official client has no DSN or no transport.
    NoTransport,
    /// The thread of the worker cannot be started.
    Thread(io::Error),
    /// An option is invalid.
    Options(OptionsError),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTransport => f.write_str(
                "the sentry client has no DSN or no transport, so there is nothing to send traces through: set both, \
                 as sentry::init does, or leave tracing off",
            ),
            Self::Thread(error) => write!(f, "the thread that feeds the transport cannot be started: {error}"),
            Self::Options(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoTransport => None,
            Self::Thread(error) => Some(error),
            Self::Options(error) => Some(error),
        }
    }
}

impl From<OptionsError> for TransportError {
    fn from(error: OptionsError) -> Self {
        Self::Options(error)
    }
}
