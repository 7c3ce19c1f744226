//! IPv4 addresses within IPv6 addresses.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// How addresses of a prefix carry an IPv4 address.
struct Carrier {
    bits: u128,
    length: u8,
    name: &'static str,
    /// The bit at which the IPv4 address begins.
    at: u8,
    /// Whether its bits are turned over.
    inverted: bool,
}

/// IPv4-compatible (RFC 4291), mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380).
const CARRIERS: [Carrier; 6] = [
    Carrier { bits: 0, length: 96, name: "IPv4-compatible", at: 96, inverted: false },
    Carrier { bits: 0xffff << 32, length: 96, name: "IPv4-mapped", at: 96, inverted: false },
    Carrier { bits: 0xffff << 48, length: 96, name: "IPv4-translated", at: 96, inverted: false },
    Carrier { bits: 0x64_ff9b << 96, length: 96, name: "NAT64", at: 96, inverted: false },
    Carrier { bits: 0x2002 << 112, length: 16, name: "6to4", at: 16, inverted: false },
    Carrier { bits: 0x2001 << 112, length: 32, name: "Teredo", at: 96, inverted: true },
];

/// The IPv4 address or prefix that an IPv6 address or prefix stands for, and how it is carried.
pub(super) fn embedded(net: IpNet) -> Option<(IpNet, &'static str)> {
    let IpNet::V6(net) = net else { return None };
    let carrier = CARRIERS.iter().find(|carrier| carrier.holds(net))?;
    let length = net.prefix_len().saturating_sub(carrier.at).min(32);
    let bits = u128::from(net.network()) >> (96 - carrier.at);
    // The lowest 32 bits are the address.
    let [.., a, b, c, d] = bits.to_be_bytes();
    let address = Ipv4Addr::new(a, b, c, d);
    let address = if carrier.inverted { Ipv4Addr::from(!u32::from(address)) } else { address };
    Ipv4Net::new(address, length).ok().map(|found| (IpNet::V4(found.trunc()), carrier.name))
}

/// The prefix of the IPv6 prefix `outer` whose addresses carry those of `inner`.
pub(super) fn carry(outer: IpNet, inner: IpNet) -> Option<IpNet> {
    let (IpNet::V6(outer), IpNet::V4(inner)) = (outer, inner) else { return None };
    let carrier = CARRIERS.iter().find(|carrier| carrier.holds(outer))?;
    if outer.prefix_len() < carrier.at {
        // Other bits stand before the address (Teredo): no one prefix carries it.
        return None;
    }
    let address = u32::from(inner.network());
    let address = if carrier.inverted { !address } else { address };
    let behind = 96 - carrier.at;
    let mask = u128::from(u32::MAX) << behind;
    let bits = u128::from(outer.network()) & !mask | u128::from(address) << behind;
    let net = Ipv6Net::new(bits.into(), carrier.at + inner.prefix_len()).ok()?.trunc();
    Some(IpNet::V6(net)).filter(|_| outer.contains(&net))
}

impl Carrier {
    fn holds(&self, net: Ipv6Net) -> bool {
        // Unspecified and loopback look like IPv4-compatible ones and are none.
        let shift = 128 - u32::from(self.length);
        let bits = u128::from(net.network());
        net.prefix_len() >= self.length && bits >> shift == self.bits >> shift && (self.bits != 0 || bits > 0xffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(text: &str) -> Option<String> {
        let net = crate::plan::value::parse_address(text).unwrap();
        embedded(net).map(|(found, name)| format!("{found} {name}"))
    }

    #[test]
    fn what_is_carried_is_found_again() {
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        assert_eq!(carry(net("2002:0808::/32"), net("8.8.8.8/32")), Some(net("2002:808:808::/48")));
        assert_eq!(carry(net("64:ff9b::808:800/120"), net("8.8.8.8/32")), Some(net("64:ff9b::808:808/128")));
        assert_eq!(carry(net("2001::/32"), net("8.8.8.8/32")), None);
    }

    #[test]
    fn each_carrier_is_unwrapped() {
        for (text, expected) in [
            ("::ffff:8.8.8.8", "8.8.8.8/32 IPv4-mapped"),
            ("::8.8.8.8", "8.8.8.8/32 IPv4-compatible"),
            ("::ffff:0:8.8.8.8", "8.8.8.8/32 IPv4-translated"),
            ("64:ff9b::8.8.8.8", "8.8.8.8/32 NAT64"),
            ("2002:0808:0808::1", "8.8.8.8/32 6to4"),
            ("2002:0808::/32", "8.8.0.0/16 6to4"),
            ("2002:0808:0808::/48", "8.8.8.8/32 6to4"),
            ("2002::/16", "0.0.0.0/0 6to4"),
            ("2001:0:c633:6401:8000:63bf:f7f7:f7f7", "8.8.8.8/32 Teredo"),
        ] {
            assert_eq!(carried(text).as_deref(), Some(expected), "{text}");
        }
        for none in ["::1", "::", "2001:db8::1", "2000::/4", "64:ff9b:1::808:808"] {
            assert_eq!(carried(none), None, "{none}");
        }
    }
}
