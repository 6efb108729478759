//! Creates clients that deliver.

use std::fmt;
use std::sync::Arc;

use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options, OptionsError};
use sentrace_delivery::{Delivery, StartError};

use crate::guard::Guard;

/// Creates a client and makes it global: everything that is not given a client uses it.
///
/// Without a DSN nothing is recorded, except for [`Spotlight`](crate::Spotlight); traces are still propagated. A second call
/// replaces the first client until its guard is dropped.
///
/// ```
/// use sentrace::{Options, Origin};
///
/// let _sentrace = sentrace::init(
///     Options::new()
///         .dsn("http://key@127.0.0.1:8969/1")
///         .traces_sample_rate(1.0)
///         .tracing_origins([Origin::host("api.example.com")]),
/// )?;
/// # Ok::<(), sentrace::InitError>(())
/// ```
///
/// # Errors
/// Returns [`InitError`] if an option is invalid. If the machine lacks something (certificates, a folder for the spool, file
/// descriptors, a thread), this warns and continues without it, unless [`Options::strict`] is set.
pub fn init(options: Options) -> Result<Guard, InitError> {
    let timeout = options.delivery().shutdown_timeout;
    let client = client(options)?;
    client.bind();
    Ok(Guard::new(client, timeout))
}

/// Creates a client without making it global, for tests that run in parallel and for processes that serve two projects.
///
/// # Errors
/// Returns [`InitError`] as [`init`] does.
pub fn client(options: Options) -> Result<Client, InitError> {
    let options = options.validated()?;
    let losses = Arc::new(Losses::default());
    let Some(dsn) = options.delivery().dsn.cloned() else {
        if options.delivery().spotlight.is_none() {
            return Ok(Client::without_delivery(options)?);
        }
        let delivery = Delivery::start_or_degrade(None, &options, Arc::clone(&losses))?;
        return Ok(Client::recording_everything(options, Arc::new(delivery), losses)?);
    };
    let delivery = Delivery::start_or_degrade(Some(&dsn), &options, Arc::clone(&losses))?;
    Ok(Client::new(options, Arc::new(delivery), losses)?)
}

/// The error of [`init`] and [`client`].
#[derive(Debug)]
#[non_exhaustive]
pub enum InitError {
    /// An option is invalid.
    Options(OptionsError),
    /// The worker of the delivery cannot be started.
    Delivery(StartError),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(error) => error.fmt(f),
            Self::Delivery(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Options(error) => Some(error),
            Self::Delivery(error) => Some(error),
        }
    }
}

impl From<OptionsError> for InitError {
    fn from(error: OptionsError) -> Self {
        Self::Options(error)
    }
}

impl From<StartError> for InitError {
    fn from(error: StartError) -> Self {
        Self::Delivery(error)
    }
}
