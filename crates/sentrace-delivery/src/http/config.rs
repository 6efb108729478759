//! How a client connects.

use std::time::Duration;

use super::proxy::Proxy;
use super::tls;

/// How a client connects.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) tls: tls::Config,
    pub(crate) proxy: Option<Proxy>,
    /// Whether HTTP/2 is used without negotiation.
    pub(crate) http2_prior_knowledge: bool,
    /// For one post, including the connection that it may have to open.
    pub(crate) timeout: Duration,
    pub(crate) max_idle_connections: usize,
}
