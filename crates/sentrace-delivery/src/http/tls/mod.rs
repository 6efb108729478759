//! TLS if a feature enables it.

#[cfg(any(feature = "aws-lc", feature = "ring"))]
mod with_rustls;
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
mod without;

/// The protocols that are offered in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// None, which means HTTP/1.1.
    None,
    /// HTTP/2 and HTTP/1.1.
    Either,
    /// HTTP/2 alone.
    Http2,
}

#[cfg(any(feature = "aws-lc", feature = "ring"))]
pub(crate) use self::with_rustls::{Config, Connector, MaybeTls, config, connector, plain, remedy};
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
pub(crate) use self::without::{Config, Connector, MaybeTls, config, connector, plain, remedy};
