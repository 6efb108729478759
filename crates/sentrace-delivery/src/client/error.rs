//! Why a post was not answered.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use hyper_util::client::legacy;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// No answer came.
#[derive(Debug)]
pub(crate) enum Error {
    /// Nobody could be reached.
    Connect(legacy::Error),
    /// The connection broke, or what came is no HTTP.
    Broken(legacy::Error),
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
            Self::TimedOut(after) => write!(f, "there was no answer within {after:?}"),
        }
    }
}

impl StdError for Error {
    /// The client's own error says no more than ours.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) | Self::Broken(error) => error.source(),
            Self::TimedOut(_) => None,
        }
    }
}

/// The error with all its causes, which tell more than it does.
pub(crate) fn explain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
