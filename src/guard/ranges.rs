//! Address ranges with a special purpose (IANA IPv4 and IPv6 Special-Purpose Address Registries, RFC 6890).

use std::sync::LazyLock;

use ipnet::IpNet;

/// A range that is nobody's on the Internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The prefix, as text.
    pub prefix: &'static str,
    /// The registry's name for it.
    pub name: &'static str,
    /// Whether it is for documentation: harmless, and kept with a note.
    pub documentation: bool,
}

impl Range {
    /// The prefix. The table's prefixes are constants and a test reads each one.
    #[must_use]
    pub fn net(&self) -> IpNet {
        self.prefix.parse().unwrap_or_default()
    }
}

const fn special(prefix: &'static str, name: &'static str) -> Range {
    Range { prefix, name, documentation: false }
}

const fn example(prefix: &'static str) -> Range {
    Range { prefix, name: "documentation", documentation: true }
}

/// The ranges.
pub const SPECIAL_PURPOSE: &[Range] = &[
    special("0.0.0.0/8", "this network"),
    special("10.0.0.0/8", "private use"),
    special("100.64.0.0/10", "shared address space"),
    special("127.0.0.0/8", "loopback"),
    special("169.254.0.0/16", "link local"),
    special("172.16.0.0/12", "private use"),
    special("192.0.0.0/24", "IETF protocol assignments"),
    special("192.88.99.0/24", "deprecated 6to4 relay anycast"),
    special("192.168.0.0/16", "private use"),
    special("198.18.0.0/15", "benchmarking"),
    special("224.0.0.0/4", "multicast"),
    special("240.0.0.0/4", "reserved, and the broadcast address"),
    example("192.0.2.0/24"),
    example("198.51.100.0/24"),
    example("203.0.113.0/24"),
    special("::/128", "unspecified"),
    special("::1/128", "loopback"),
    special("::ffff:0:0/96", "IPv4-mapped"),
    special("64:ff9b::/96", "IPv4-IPv6 translation"),
    special("64:ff9b:1::/48", "IPv4-IPv6 translation"),
    special("100::/64", "discard only"),
    special("fc00::/7", "unique local"),
    special("fe80::/10", "link local"),
    special("ff00::/8", "multicast"),
    example("2001:db8::/32"),
    example("3fff::/20"),
];

/// The ranges that share an address with `net`.
pub(super) fn overlapping(net: IpNet) -> impl Iterator<Item = &'static Range> {
    static NETS: LazyLock<Vec<(IpNet, &'static Range)>> =
        LazyLock::new(|| SPECIAL_PURPOSE.iter().map(|range| (range.net(), range)).collect());
    NETS.iter().filter(move |(range, _)| range.contains(&net) || net.contains(range)).map(|(_, range)| *range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_of_the_table_is_one() {
        for range in SPECIAL_PURPOSE {
            let net: IpNet = range.prefix.parse().unwrap();
            assert_eq!(net, net.trunc(), "{}", range.prefix);
        }
    }
}
