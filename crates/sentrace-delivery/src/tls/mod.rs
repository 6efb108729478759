//! TLS, if a feature brings it.

#[cfg(any(feature = "aws-lc", feature = "ring"))]
mod with_rustls;
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
mod without;

#[cfg(any(feature = "aws-lc", feature = "ring"))]
pub(crate) use self::with_rustls::{Config, Connector, MaybeTls, config, connector, plain, remedy};
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
pub(crate) use self::without::{Config, Connector, MaybeTls, config, connector, plain, remedy};
