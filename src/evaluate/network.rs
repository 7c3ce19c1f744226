//! ISSUBSET and ISSUPERSET: sets of IPv4 or IPv6 addresses.

use std::net::IpAddr;

use ipnet::IpNet;

/// The set of addresses that an address or a prefix stands for; host bits don't count.
pub(super) fn network(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        Some(_) => text.parse::<IpNet>().ok().map(|network| network.trunc()),
        None => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

/// Whether all of `inner` lies in `outer`. An IPv4 set and an IPv6 set have nothing in common.
pub(super) fn contains(outer: &IpNet, inner: &IpNet) -> bool {
    match (outer, inner) {
        (IpNet::V4(outer), IpNet::V4(inner)) => outer.contains(inner),
        (IpNet::V6(outer), IpNet::V6(inner)) => outer.contains(inner),
        _ => false,
    }
}
