//! Why a post was not answered.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use hyper_util::client::legacy;

use crate::tls;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// No answer came.
#[derive(Debug)]
pub(crate) enum Error {
    /// Nobody could be reached.
    Connect(legacy::Error),
    /// The connection broke, or what came is no HTTP.
    Broken(legacy::Error),
    /// The ingest answered, with a status even, and the rest is no HTTP.
    Unreadable(legacy::Error),
    /// It took longer than this.
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
            Self::Unreadable(_) => f.write_str("there was an answer that is no proper HTTP"),
            Self::TimedOut(after) => write!(f, "there was no answer within {after:?}"),
        }
    }
}

impl StdError for Error {
    /// The client's own error says no more than ours.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) | Self::Broken(error) | Self::Unreadable(error) => error.source(),
            Self::TimedOut(_) => None,
        }
    }
}

impl Error {
    /// Whether it would be the same the next time.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

/// What hyper says, which the client only passes on.
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

/// The error with all its causes, which tell more than it does, and what to do where that is known.
pub(crate) fn describe(error: &Error) -> String {
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
