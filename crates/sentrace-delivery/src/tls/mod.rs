//! TLS, if a feature brings it.

#[cfg(any(feature = "aws-lc", feature = "ring"))]
mod with_rustls;
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
mod without;

/// What a server is asked for while TLS is agreed upon (ALPN).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Nothing: HTTP/1.1 is spoken.
    Nothing,
    /// HTTP/2, or HTTP/1.1.
    Either,
    /// HTTP/2.
    Http2,
}

#[cfg(any(feature = "aws-lc", feature = "ring"))]
pub(crate) use self::with_rustls::{Config, Connector, MaybeTls, config, connector, plain, remedy};
#[cfg(not(any(feature = "aws-lc", feature = "ring")))]
pub(crate) use self::without::{Config, Connector, MaybeTls, config, connector, plain, remedy};
