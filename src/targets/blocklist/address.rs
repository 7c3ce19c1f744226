//! Addresses merged into the fewest prefixes that hold exactly the same addresses.

/// Addresses from the first to the last, as numbers.
pub(super) type Range = (u128, u128);

/// Sorts `ranges` and joins those that overlap or touch.
pub(super) fn merge(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1 || next.0 == kept.1 + 1;
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
    ranges
}

/// The fewest prefixes (first address, length) that make up a range of addresses with `bits` bits, ascending.
pub(super) fn prefixes((mut first, last): Range, bits: u32) -> impl Iterator<Item = (u128, u8)> {
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        // The largest block that starts at `first`, and the largest that does not pass `last`. `last - first + 1` is
        // beyond u128 for all addresses of IPv6; then the first limit alone holds.
        let aligned = first.trailing_zeros().min(bits);
        let fitting = (last - first).checked_add(1).map_or(u128::BITS, |count| count.ilog2());
        let size = aligned.min(fitting);
        let prefix = (first, u8::try_from(bits - size).unwrap_or_default());
        match 1_u128.checked_shl(size).and_then(|count| first.checked_add(count)) {
            Some(next) if next <= last => first = next,
            _ => done = true,
        }
        Some(prefix)
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use ipnet::{Ipv4Net, Ipv6Net};
    use proptest::prelude::*;

    use super::*;

    fn ours_v4(nets: &[Ipv4Net]) -> Vec<Ipv4Net> {
        let range = |net: &Ipv4Net| (u32::from(net.network()).into(), u32::from(net.broadcast()).into());
        merge(nets.iter().map(range).collect())
            .into_iter()
            .flat_map(|range| prefixes(range, 32))
            .map(|(first, length)| Ipv4Net::new(Ipv4Addr::from(first as u32), length).unwrap())
            .collect()
    }

    fn ours_v6(nets: &[Ipv6Net]) -> Vec<Ipv6Net> {
        merge(nets.iter().map(|net| (net.network().into(), net.broadcast().into())).collect())
            .into_iter()
            .flat_map(|range| prefixes(range, 128))
            .map(|(first, length)| Ipv6Net::new(Ipv6Addr::from(first), length).unwrap())
            .collect()
    }

    #[test]
    fn neighbours_join_and_edges_hold() {
        let nets = ["198.51.100.0/25", "198.51.100.128/25", "198.51.100.7/32", "255.255.255.255/32", "0.0.0.0/32"];
        let nets: Vec<Ipv4Net> = nets.iter().map(|net| net.parse().unwrap()).collect();
        let merged: Vec<String> = ours_v4(&nets).iter().map(ToString::to_string).collect();
        assert_eq!(merged, ["0.0.0.0/32", "198.51.100.0/24", "255.255.255.255/32"]);
        let all: Ipv6Net = "::/0".parse().unwrap();
        assert_eq!(ours_v6(&[all, "2001:db8::/32".parse().unwrap()]), [all]);
        let halves = ["::/1", "8000::/1"].map(|net| net.parse().unwrap());
        assert_eq!(ours_v6(&halves), [all]);
        assert_eq!(ours_v4(&["0.0.0.0/0".parse().unwrap()]), ["0.0.0.0/0".parse().unwrap()]);
    }

    proptest! {
        #[test]
        fn as_few_as_ipnet_makes_them(nets in proptest::collection::vec((0_u32..4096, 20_u8..=32), 0..80)) {
            let nets: Vec<Ipv4Net> =
                nets.into_iter().map(|(low, length)| Ipv4Net::new(Ipv4Addr::from(low), length).unwrap().trunc()).collect();
            let mut expected = Ipv4Net::aggregate(&nets);
            expected.sort();
            prop_assert_eq!(ours_v4(&nets), expected);
        }

        #[test]
        fn the_same_for_ipv6(nets in proptest::collection::vec((any::<u128>(), 0_u8..=128), 0..40)) {
            let nets: Vec<Ipv6Net> =
                nets.into_iter().map(|(bits, length)| Ipv6Net::new(Ipv6Addr::from(bits), length).unwrap().trunc()).collect();
            let mut expected = Ipv6Net::aggregate(&nets);
            expected.sort();
            prop_assert_eq!(ours_v6(&nets), expected);
        }
    }
}
