//! Prefixes without what others hold.

use ipnet::IpNet;

/// `net` without the addresses of `holes`: the fewest prefixes that hold exactly the rest, in order.
///
/// ```
/// let net = |text: &str| text.parse::<ipnet::IpNet>().unwrap();
/// let rest = stixc::guard::subtract(net("198.51.100.0/30"), &[net("198.51.100.1/32")]);
/// assert_eq!(rest, [net("198.51.100.0/32"), net("198.51.100.2/31")]);
/// ```
#[must_use]
pub fn subtract(net: IpNet, holes: &[IpNet]) -> Vec<IpNet> {
    let mut rest = Vec::new();
    let inner: Vec<IpNet> = holes.iter().filter(|hole| net.contains(*hole)).copied().collect();
    if holes.iter().any(|hole| hole.contains(&net)) {
        return rest;
    }
    split(net, &inner, &mut rest);
    rest
}

/// `holes` all lie within `net`.
fn split(net: IpNet, holes: &[IpNet], rest: &mut Vec<IpNet>) {
    if holes.is_empty() {
        return rest.push(net);
    }
    if holes.contains(&net) {
        return;
    }
    // A prefix of full length that holds a hole is the hole: there are always two halves here.
    for half in net.subnets(net.prefix_len() + 1).into_iter().flatten() {
        let inner: Vec<IpNet> = holes.iter().filter(|hole| half.contains(*hole)).copied().collect();
        split(half, &inner, rest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Prefixes of one small part of either family, so that they meet.
    fn nets() -> impl Strategy<Value = (bool, Vec<(u8, u8)>)> {
        (any::<bool>(), vec((any::<u8>(), 0_u8..=8), 1..8))
    }

    fn net(is_ipv4: bool, (last, free): (u8, u8)) -> IpNet {
        let text = if is_ipv4 {
            format!("198.51.100.{last}/{}", 32 - free)
        } else {
            format!("2001:db8::{last:x}/{}", 128 - free)
        };
        text.parse::<IpNet>().unwrap().trunc()
    }

    proptest! {
        #[test]
        fn the_rest_is_the_net_without_the_holes((is_ipv4, nets) in nets()) {
            let nets: Vec<IpNet> = nets.into_iter().map(|one| net(is_ipv4, one)).collect();
            let (whole, holes) = (nets[0], &nets[1..]);
            let rest = subtract(whole, holes);
            for last in 0..=255_u8 {
                let address = net(is_ipv4, (last, 0));
                let is_left = whole.contains(&address) && !holes.iter().any(|hole| hole.contains(&address));
                prop_assert_eq!(rest.iter().filter(|rest| rest.contains(&address)).count(), usize::from(is_left));
            }
            prop_assert_eq!(IpNet::aggregate(&rest).len(), rest.len(), "the fewest");
        }
    }
}
