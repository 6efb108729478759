//! Whose request it is, past the proxies in between.

mod fields;
mod network;

use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap};

pub(crate) use self::fields::Asked;
pub use self::fields::ForwardedHeader;
use self::network::Network;
pub use self::network::NetworkError;

/// Proxies in a row that are looked through; nobody has as many.
const MAX_HOPS: usize = 16;

/// Which proxies are believed when they say who the client is.
///
/// The client is who opened the connection. Where that is a trusted proxy, its header is read from the right, where the
/// nearest proxy wrote: the first address that is not a trusted proxy's is the client's. So whatever a client writes into
/// the header itself stands further left and is not looked at. Where that place holds no address (`unknown`,
/// an obfuscated name) the client is not known.
///
/// What the outermost trusted proxy says of scheme and host determines the recorded URL: `proto` and `host` of its element
/// of `Forwarded`, or else `X-Forwarded-Proto`, `-Host` and `-Port`. What a proxy does not say, or says in a form that is
/// none of a scheme, host or port, stays as the request has it.
///
/// The address of a connection is found in the request's extensions: as axum's `ConnectInfo<SocketAddr>` (feature `axum`;
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

/// What the outermost trusted proxy says.
struct Outermost {
    /// Its client, where it says an address.
    client: Option<IpAddr>,
    /// How many trusted proxies lie between it and this service.
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
    /// Proxies in these networks (`10.0.0.0/8`, `2001:db8::/32`) or at these addresses (`192.0.2.1`).
    ///
    /// # Errors
    /// [`NetworkError`] for the first text that is neither.
    pub fn new(networks: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, NetworkError> {
        let networks = networks.into_iter().map(|network| network.as_ref().parse());
        Ok(Self { networks: networks.collect::<Result<_, _>>()?, ..Self::none() })
    }

    /// Proxies on this machine and in networks that the internet does not route: `10.0.0.0/8`, `172.16.0.0/12`,
    /// `192.168.0.0/16`, `100.64.0.0/10`, link-local and unique local addresses.
    pub fn private() -> Self {
        Self { networks: Network::PRIVATE.to_vec(), ..Self::none() }
    }

    /// No proxy is believed: the client is who opened the connection. The default.
    pub const fn none() -> Self {
        Self { networks: Vec::new(), header: ForwardedHeader::XForwardedFor, peer_is_proxy: false }
    }

    /// Where the proxies write who the client is; `X-Forwarded-For` by default. Only this header is read for that: what a
    /// proxy does not write it may pass on as the client wrote it. With [`ForwardedHeader::Forwarded`] scheme and host are
    /// read there, too; with the others from `X-Forwarded-Proto`, `-Host` and `-Port`.
    #[must_use]
    pub fn header(mut self, header: ForwardedHeader) -> Self {
        self.header = header;
        self
    }

    /// Every connection is a trusted proxy's, also where its address is not known: for services on a Unix socket, or
    /// without `ConnectInfo`, that nobody but the proxy reaches.
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

    /// What the client has asked for, by the word of the outermost trusted proxy.
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

    /// Looks through the trusted proxies, of which `peer` is the nearest.
    fn look_through(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Outermost {
        self.header.hops(headers, MAX_HOPS, |hops| {
            let mut outermost = Outermost { client: peer, hop: 0 };
            for (hop, client) in hops.enumerate() {
                let client = client.map(|address| address.to_canonical());
                outermost = Outermost { client, hop };
                // Behind an address that nobody vouches for there is nothing to believe.
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

/// Who opened the connection, by what the server has put into the request's extensions.
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
