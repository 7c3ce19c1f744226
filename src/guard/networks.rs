//! Prefixes of many lists, found by address.

use std::ops::Range;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Prefixes of one family. Prefixes either hold each other or share nothing, so that they are a forest, laid out by their
/// first address and then from the widest to the narrowest.
#[derive(Debug)]
struct Forest<N> {
    starts: Vec<N>,
    ends: Vec<N>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    /// The narrowest prefix that holds this one; itself where there is none.
    parent: u32,
    owner: Owner,
}

/// Whose prefix it is, and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub net: IpNet,
    /// The number of its list.
    pub list: u16,
    pub note: Box<str>,
}

impl<N: Copy + Ord> Forest<N> {
    fn new(mut all: Vec<(N, N, Owner)>) -> Self {
        all.sort_by(|(start, end, owner), (other_start, other_end, other)| {
            (start, other_end, owner.list).cmp(&(other_start, end, other.list))
        });
        let mut forest = Self { starts: Vec::new(), ends: Vec::new(), nodes: Vec::new() };
        let mut open: Vec<usize> = Vec::new();
        for (number, (start, end, owner)) in all.into_iter().enumerate() {
            while open.last().is_some_and(|&last| forest.ends[last] < start) {
                open.pop();
            }
            let parent = open.last().copied().unwrap_or(number);
            open.push(number);
            forest.starts.push(start);
            forest.ends.push(end);
            // No list has four thousand million lines.
            forest.nodes.push(Node { parent: u32::try_from(parent).unwrap_or_default(), owner });
        }
        forest
    }

    /// The prefixes that hold all from `start` to `end`, the narrowest first.
    fn around(&self, start: N, end: N) -> impl Iterator<Item = &Owner> {
        let behind = self.starts.partition_point(|own| *own <= start);
        let mut next = behind.checked_sub(1);
        std::iter::from_fn(move || {
            while let Some(at) = next {
                let parent = self.nodes[at].parent as usize;
                next = (parent != at).then_some(parent);
                if self.starts[at] <= start && end <= self.ends[at] {
                    return Some(&self.nodes[at].owner);
                }
            }
            None
        })
    }

    /// The prefixes that begin between `start` and `end`.
    fn from(&self, start: N, end: N) -> Range<usize> {
        self.starts.partition_point(|own| *own < start)..self.starts.partition_point(|own| *own <= end)
    }

    /// The prefixes that lie within `start` and `end` and are not all of it.
    fn within(&self, start: N, end: N) -> impl Iterator<Item = &Owner> {
        self.from(start, end)
            .filter(move |&at| self.ends[at] < end || (self.ends[at] == end && self.starts[at] > start))
            .map(|at| &self.nodes[at].owner)
    }
}

/// Prefixes of both families.
#[derive(Debug)]
pub(super) struct Networks {
    ipv4: Forest<u32>,
    ipv6: Forest<u128>,
}

fn bounds_v4(net: Ipv4Net) -> (u32, u32) {
    (net.network().into(), net.broadcast().into())
}

fn bounds_v6(net: Ipv6Net) -> (u128, u128) {
    (net.network().into(), net.broadcast().into())
}

impl Networks {
    pub(super) fn new(all: impl IntoIterator<Item = Owner>) -> Self {
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for owner in all {
            match owner.net {
                IpNet::V4(net) => {
                    let (start, end) = bounds_v4(net);
                    ipv4.push((start, end, owner));
                }
                IpNet::V6(net) => {
                    let (start, end) = bounds_v6(net);
                    ipv6.push((start, end, owner));
                }
            }
        }
        Self { ipv4: Forest::new(ipv4), ipv6: Forest::new(ipv6) }
    }

    /// Hands over each prefix that holds `net`, the narrowest first.
    pub(super) fn around<'n>(&'n self, net: IpNet, found: impl FnMut(&'n Owner)) {
        match net {
            IpNet::V4(net) => {
                let (start, end) = bounds_v4(net);
                self.ipv4.around(start, end).for_each(found);
            }
            IpNet::V6(net) => {
                let (start, end) = bounds_v6(net);
                self.ipv6.around(start, end).for_each(found);
            }
        }
    }

    /// Hands over each prefix that `net` holds and that is not `net` itself, in order.
    pub(super) fn within<'n>(&'n self, net: IpNet, found: impl FnMut(&'n Owner)) {
        match net {
            IpNet::V4(net) => {
                let (start, end) = bounds_v4(net);
                self.ipv4.within(start, end).for_each(found);
            }
            IpNet::V6(net) => {
                let (start, end) = bounds_v6(net);
                self.ipv6.within(start, end).for_each(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(nets: &[&str], asked: &str) -> (Vec<String>, Vec<String>) {
        let owners = (0..).zip(nets).map(|(list, net)| Owner { net: net.parse().unwrap(), list, note: "".into() });
        let networks = Networks::new(owners);
        let (mut around, mut within) = (Vec::new(), Vec::new());
        networks.around(asked.parse().unwrap(), |owner| around.push(owner.net.to_string()));
        networks.within(asked.parse().unwrap(), |owner| within.push(owner.net.to_string()));
        (around, within)
    }

    #[test]
    fn what_holds_and_what_is_held() {
        let nets = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.3.0.0/16", "192.168.0.0/16", "10.1.0.0/16"];
        let none: [&str; 0] = [];
        assert_eq!(found(&nets, "10.1.2.3/32").0, ["10.1.2.0/24", "10.1.0.0/16", "10.1.0.0/16", "10.0.0.0/8"]);
        assert_eq!(found(&nets, "10.2.0.1/32").0, ["10.0.0.0/8"]);
        assert_eq!(found(&nets, "11.0.0.1/32").0, none);
        assert_eq!(found(&nets, "10.1.0.0/16").0, ["10.1.0.0/16", "10.1.0.0/16", "10.0.0.0/8"]);
        assert_eq!(found(&nets, "10.1.0.0/16").1, ["10.1.2.0/24"]);
        assert_eq!(
            found(&nets, "8.0.0.0/6").1,
            ["10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16", "10.1.2.0/24", "10.3.0.0/16"]
        );
        assert_eq!(found(&["::/128", "fc00::/7"], "fd00::1/128").0, ["fc00::/7"]);
        assert_eq!(found(&["0.0.0.0/0"], "255.255.255.255/32").0, ["0.0.0.0/0"]);
    }
}
