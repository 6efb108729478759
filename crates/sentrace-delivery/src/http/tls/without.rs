//! Stands in for TLS if its features are off.

use std::error::Error;

use super::Alpn;
use crate::StartError;
use crate::error::OnMachine;

/// Nothing to configure.
#[derive(Debug, Clone)]
pub(crate) struct Config;
/// Opens connections that are never encrypted.
pub(crate) type Connector<C> = C;
/// A connection that is not encrypted.
pub(crate) type MaybeTls<T> = T;

/// The same connector.
pub(crate) fn connector<C>(inner: C, _: &Config, _: Alpn) -> Connector<C> {
    inner
}

/// The same connection.
pub(crate) fn plain<T>(stream: T) -> MaybeTls<T> {
    stream
}

/// Returns an error for `https`.
pub(crate) fn config(https: bool, _authorities: &[u8], _: OnMachine) -> Result<Config, StartError> {
    if https { Err(StartError::of_machine(NO_TLS, "TLS is not compiled in")) } else { Ok(Config) }
}

/// Returns `None`: there are no certificates.
pub(crate) fn remedy(_: &(dyn Error + 'static)) -> Option<&'static str> {
    None
}

const NO_TLS: &str = "the scheme `https` of the DSN or of the proxy needs TLS: turn on the feature `aws-lc` (the default) or \
    `ring` of sentrace, or report over `http`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_without_tls_names_the_features_that_bring_it() {
        let error = config(true, &[], OnMachine::Fail).unwrap_err();
        assert!(error.is_of_machine() && error.to_string().contains("`ring`"), "{error}");
        assert!(config(false, &[], OnMachine::Fail).is_ok());
    }
}
