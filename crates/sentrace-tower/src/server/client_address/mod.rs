//! The address of the client, past the proxies in between.

mod fields;
mod network;

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap};

pub(crate) use self::fields::Asked;
pub use self::fields::ForwardedHeader;
use self::network::Network;
pub use self::network::NetworkError;

/// Longest chain of proxies that is followed.
const MAX_HOPS: usize = 16;

/// The proxies that are trusted about the client's address.
///
/// The client is the other end of the connection. If that is a trusted proxy, its header is read from the right, where the
/// nearest proxy has written: the first address that is not a trusted proxy is the client. Values that a client has written
/// itself are further left and not read. If there is no address in that place (`unknown`, an obfuscated name), the client is
/// unknown.
///
/// The outermost trusted proxy also determines scheme and host of the recorded URL, with `proto` and `host` of its element of
/// `Forwarded`, or else with `X-Forwarded-Proto`, `-Host` and `-Port`. Missing and invalid values are taken from the request.
///
/// The address of a connection is read from the request's extensions: as axum's `ConnectInfo<SocketAddr>` (feature `axum`;
/// serve the router with `into_make_service_with_connect_info::<SocketAddr>()`), or as [`PeerAddress`].
///
/// ```
/// use sentrace_core::DataCollection;
/// use sentrace_tower::{SentryTracingLayer, TrustedProxies};
///
/// let layer = SentryTracingLayer::new()
///     .trusted_proxies(TrustedProxies::new(["10.0.0.0/8", "2001:db8:7::/48"])?)
///     .data_collection(DataCollection::new().user_info(true)); // records client.address and user.ip_address
/// # Ok::<(), sentrace_tower::NetworkError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
    peer_is_proxy: bool,
}

/// The outermost trusted proxy.
struct Outermost {
    /// Its client, if it names an address.
    client: Option<IpAddr>,
    /// The number of trusted proxies between it and this service.
    hop: usize,
}

/// The address of a connection's other end, for services that add it to the extensions of their requests, as with plain hyper.
///
/// ```
/// use std::net::SocketAddr;
/// use sentrace_tower::PeerAddress;
///
/// fn mark<B>(request: &mut http::Request<B>, peer: SocketAddr) {
///     request.extensions_mut().insert(PeerAddress::new(peer));
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(SocketAddr);

impl PeerAddress {
    /// Wraps the address.
    pub const fn new(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl TrustedProxies {
    /// Trusts proxies in these networks (`10.0.0.0/8`, `2001:db8::/32`) or at these addresses (`192.0.2.1`).
    ///
    /// # Errors
    /// Returns [`NetworkError`] for the first text that is neither.
    pub fn new(networks: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, NetworkError> {
        let networks = networks.into_iter().map(|network| network.as_ref().parse());
        Ok(Self { networks: networks.collect::<Result<_, _>>()?, ..Self::none() })
    }

    /// Trusts proxies on this machine and in networks that are not routed on the internet: `10.0.0.0/8`, `172.16.0.0/12`,
    /// `192.168.0.0/16`, `100.64.0.0/10`, link-local and unique local addresses.
    pub fn private() -> Self {
        Self { networks: Network::PRIVATE.to_vec(), ..Self::none() }
    }

    /// Trusts no proxy: the client is the other end of the connection. The default.
    pub const fn none() -> Self {
        Self { networks: Vec::new(), header: ForwardedHeader::XForwardedFor, peer_is_proxy: false }
    }

    /// Sets the header in which the proxies name the client; `X-Forwarded-For` by default. Only this header is read, since a
    /// proxy may pass on the others as the client has sent them. With [`ForwardedHeader::Forwarded`] it also has scheme and
    /// host; otherwise these are read from `X-Forwarded-Proto`, `-Host` and `-Port`.
    #[must_use]
    pub fn header(mut self, header: ForwardedHeader) -> Self {
        self.header = header;
        self
    }

    /// Trusts the other end of every connection, even if its address is unknown: for services on a Unix socket, or without
    /// `ConnectInfo`, that only the proxy can reach.
    #[must_use]
    pub fn peer_is_proxy(mut self) -> Self {
        self.peer_is_proxy = true;
        self
    }

    pub(super) fn client(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        let peer = peer(extensions).map(|address| address.to_canonical());
        if self.is_behind_proxy(peer) { self.look_through(headers, peer).client } else { peer }
    }

    #[inline]
    pub(super) fn trusts_any(&self) -> bool {
        self.peer_is_proxy || !self.networks.is_empty()
    }

    /// Returns scheme, host and port from the outermost trusted proxy.
    #[inline(never)]
    pub(super) fn asked<'a>(&self, headers: &'a HeaderMap, extensions: &Extensions) -> Asked<'a> {
        let peer = peer(extensions).map(|address| address.to_canonical());
        if !self.is_behind_proxy(peer) {
            return Asked::default();
        }
        self.header.asked(headers, self.look_through(headers, peer).hop)
    }

    fn is_behind_proxy(&self, peer: Option<IpAddr>) -> bool {
        self.peer_is_proxy || peer.is_some_and(|peer| self.trusts(peer))
    }

    /// Follows the trusted proxies, of which `peer` is the nearest.
    fn look_through(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Outermost {
        self.header.hops(headers, MAX_HOPS, |hops| {
            let mut outermost = Outermost { client: peer, hop: 0 };
            for (hop, client) in hops.enumerate() {
                let client = client.map(|address| address.to_canonical());
                outermost = Outermost { client, hop };
                // Values beyond an untrusted address are not trusted.
                if !client.is_some_and(|client| self.trusts(client)) {
                    break;
                }
            }
            outermost
        })
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::none()
    }
}

/// Returns the address of the connection's other end from the request's extensions.
pub(super) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let address = extensions.get::<PeerAddress>().map(|PeerAddress(address)| *address);
    #[cfg(feature = "axum")]
    let address = address.or_else(|| {
        use axum::extract::ConnectInfo;
        extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address)
    });
    address.map(|address| address.ip())
}

#[cfg(test)]
mod tests;
