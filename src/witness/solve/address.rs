//! Addresses inside a prefix, around it and next to it.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// An address without the length of a full prefix.
pub(super) fn text(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

/// The first, the last and one more address inside.
pub(super) fn inside(net: &IpNet) -> Vec<String> {
    let (first, last) = (number(net.network()), number(net.broadcast()));
    let middle = first + (last - first) / 3;
    let mut addresses: Vec<String> = [first, last, middle].into_iter().filter_map(|one| address(one, net)).collect();
    addresses.dedup();
    addresses
}

/// The prefix itself, and those around it.
pub(super) fn around(net: &IpNet) -> Vec<String> {
    let mut found = vec![text(net)];
    found.extend(net.supernet().map(|net| net.to_string()));
    let wide = if net.addr().is_ipv4() { 8 } else { 32 };
    if net.prefix_len() > wide + 1
        && let Ok(net) = IpNet::new(net.addr(), wide)
    {
        found.push(net.trunc().to_string());
    }
    found
}

/// The addresses just below and just above.
pub(super) fn beside(net: &IpNet) -> Vec<(String, &'static str)> {
    let below = number(net.network()).checked_sub(1).and_then(|one| address(one, net));
    let above = number(net.broadcast()).checked_add(1).and_then(|one| address(one, net));
    let below = below.map(|one| (one, "the address just below"));
    below.into_iter().chain(above.map(|one| (one, "the address just above"))).collect()
}

/// Prefixes that are not around it: one half of it, and its neighbour.
pub(super) fn not_around(net: &IpNet) -> Vec<(String, &'static str)> {
    let half = |net: &IpNet| match net {
        IpNet::V4(net) => Ipv4Net::new(net.addr(), net.prefix_len() + 1).ok().map(IpNet::from),
        IpNet::V6(net) => Ipv6Net::new(net.addr(), net.prefix_len() + 1).ok().map(IpNet::from),
    };
    let half = half(net).map(|net| (text(&net), "a part of the prefix"));
    let next = number(net.broadcast()).checked_add(1).and_then(|one| address(one, net));
    let next = next.and_then(|one| IpNet::new(one.parse().ok()?, net.prefix_len()).ok());
    half.into_iter().chain(next.map(|net| (text(&net), "the next prefix"))).collect()
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The address of the same family as `net` with a number; `None` beyond the last.
fn address(number: u128, net: &IpNet) -> Option<String> {
    match net {
        IpNet::V4(_) => Some(std::net::Ipv4Addr::from(u32::try_from(number).ok()?).to_string()),
        IpNet::V6(_) => Some(std::net::Ipv6Addr::from(number).to_string()),
    }
}
