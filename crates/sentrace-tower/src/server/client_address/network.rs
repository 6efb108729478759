//! Networks in CIDR notation: `10.0.0.0/8`.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// A network. An IPv4 network written as IPv6 counts as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network(IpNet);

impl Network {
    /// Loopback, private (RFC 1918), shared (RFC 6598), link-local, and unique local (RFC 4193) addresses.
    pub(super) const PRIVATE: [Self; 9] = [
        Self::v4([127, 0, 0, 0], 8),
        Self::v4([10, 0, 0, 0], 8),
        Self::v4([172, 16, 0, 0], 12),
        Self::v4([192, 168, 0, 0], 16),
        Self::v4([100, 64, 0, 0], 10),
        Self::v4([169, 254, 0, 0], 16),
        Self(IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128)),
        Self::v6(0xfc00, 7),
        Self::v6(0xfe80, 10),
    ];

    const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Self {
        Self(IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix))
    }

    const fn v6(first: u16, prefix: u8) -> Self {
        Self(IpNet::new_assert(IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)), prefix))
    }

    /// Returns `true` if this network contains a canonical address.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let error = || NetworkError { text: text.into() };
        let network = match text.contains('/') {
            true => text.parse::<IpNet>().ok(),
            false => text.parse::<IpAddr>().ok().map(IpNet::from),
        };
        let network = network.ok_or_else(error)?;
        let IpAddr::V6(address) = network.addr() else { return Ok(Self(network)) };
        let Some(mapped) = address.to_ipv4_mapped() else { return Ok(Self(network)) };
        // `::ffff:10.0.0.0/104` is `10.0.0.0/8`. A prefix shorter than 96 would include more than IPv4.
        let prefix = network.prefix_len().checked_sub(96).ok_or_else(error)?;
        IpNet::new(IpAddr::V4(mapped), prefix).map(Self).map_err(|_| error())
    }
}

/// The error returned for a text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkError {
    text: String,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text } = self;
        write!(
            f,
            "{text:?} is no network of proxies: write an address (192.0.2.1) or a network with the length of its \
             prefix (10.0.0.0/8, 2001:db8::/32)"
        )
    }
}

impl Error for NetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_networks_by_their_first_bits() {
        let rows = [
            ("10.0.0.0/8", "10.255.0.1", true, "inside"),
            ("10.0.0.0/8", "11.0.0.0", false, "just outside"),
            ("10.1.2.3/8", "10.9.9.9", true, "bits behind the prefix do not count"),
            ("192.0.2.1", "192.0.2.1", true, "an address alone is itself"),
            ("192.0.2.1", "192.0.2.2", false, "and nothing else"),
            ("0.0.0.0/0", "203.0.113.7", true, "everything of IPv4"),
            ("0.0.0.0/0", "2001:db8::1", false, "and nothing of IPv6"),
            ("::/0", "2001:db8::1", true, "everything of IPv6"),
            ("2001:db8::/32", "2001:db8:ffff::1", true, "IPv6"),
            ("2001:db8::/32", "2001:db9::1", false, "IPv6, outside"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", true, "IPv4 written as IPv6"),
        ];
        for (network, address, inside, reason) in rows {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{network:?} {address}: {reason}");
        }
    }

    #[test]
    fn what_is_no_network_says_so() {
        for text in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "::/129",
            "::ffff:0.0.0.0/90",
            "example.com",
            "10.0.0.0/99999999999",
            "10.0.0.1:80",
            " 10.0.0.1",
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("{text:?} is no network")), "{error}");
        }
    }

    #[test]
    fn private_networks_are_those_that_are_not_routed() {
        let rows = [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("100.127.0.1", true),
            ("100.128.0.1", false),
            ("169.254.1.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
            ("203.0.113.7", false),
        ];
        for (address, private) in rows {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(
                Network::PRIVATE.iter().any(|network| network.contains(address)),
                private,
                "{address}"
            );
        }
    }
}
