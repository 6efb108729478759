//! Why a post got no response.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use hyper_util::client::legacy;

use super::tls;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// There is no response.
#[derive(Debug)]
pub(crate) enum Error {
    /// The connection could not be opened.
    Connect(legacy::Error),
    /// The connection broke, or the peer does not speak HTTP.
    Broken(legacy::Error),
    /// There is a status, but the rest is not HTTP.
    Unreadable(legacy::Error),
    /// The timeout passed.
    TimedOut(Duration),
}

impl From<legacy::Error> for Error {
    fn from(error: legacy::Error) -> Self {
        if error.is_connect() { Self::Connect(error) } else { Self::Broken(error) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(_) => f.write_str("there is no connection"),
            Self::Broken(_) => f.write_str("the connection broke or does not speak HTTP"),
            Self::Unreadable(_) => f.write_str("the response is not valid HTTP"),
            Self::TimedOut(after) => write!(f, "there was no response within {after:?}"),
        }
    }
}

impl StdError for Error {
    /// The client's own error adds nothing to this one.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) | Self::Broken(error) | Self::Unreadable(error) => error.source(),
            Self::TimedOut(_) => None,
        }
    }
}

impl Error {
    /// Returns `true` if a retry would fail in the same way.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

/// Returns the cause that hyper reports.
pub(super) fn of_hyper(error: &legacy::Error) -> Option<&hyper::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// Returns the error with all its causes, and what to do about it if that is known.
pub(crate) fn describe_error(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if let Some(remedy) = tls::remedy(error) {
        text.push_str("; ");
        text.push_str(remedy);
    }
    text
}
