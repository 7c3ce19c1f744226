//! How much of the address space a list may hold.

use ipnet::IpNet;

use super::embedded::embedded;

/// The shortest prefixes that targets may write, and how much of the address space one list may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Width {
    /// Shortest IPv4 prefix.
    pub ipv4: u8,
    /// Shortest IPv6 prefix.
    pub ipv6: u8,
    /// The largest part of all addresses that one list of a run may hold, from 0 to 1; for IPv6, of 2000::/3.
    pub share: f64,
}

/// How a width is written: what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WidthError;

impl Width {
    /// What targets that block hold to.
    pub const BLOCKING: Self = Self { ipv4: 16, ipv6: 32, share: 0.01 };
    /// What targets that detect hold to.
    pub const DETECTING: Self = Self { ipv4: 8, ipv6: 19, share: 1.0 };
    /// No limit at all.
    pub const ANY: Self = Self { ipv4: 0, ipv6: 0, share: 1.0 };

    /// The shortest prefix of this family.
    #[must_use]
    pub fn shortest(&self, net: IpNet) -> u8 {
        if net.addr().is_ipv4() { self.ipv4 } else { self.ipv6 }
    }

    /// Whether a prefix may be written.
    #[must_use]
    pub fn allows(&self, net: IpNet) -> bool {
        net.prefix_len() >= self.shortest(net)
    }

    /// Whether a prefix may be written, and also what it carries of IPv4.
    pub(super) fn allows_carried(&self, net: IpNet) -> bool {
        self.allows(net) && embedded(net).is_none_or(|(inner, _)| self.allows(inner))
    }

    /// Reads the lengths of the shortest prefixes, `12` of IPv4 or `12,24` of both families; what is not given is that of
    /// [`Width::BLOCKING`].
    ///
    /// # Errors
    /// Anything else, and lengths that no prefix has.
    pub fn parse_shortest(text: &str) -> Result<(u8, u8), WidthError> {
        let length = |text: &str, most: u8| {
            let text = text.trim().trim_start_matches('/');
            text.parse().ok().filter(|length| *length <= most).ok_or(WidthError)
        };
        let (ipv4, ipv6) = text.split_once(',').map_or((text, None), |(ipv4, ipv6)| (ipv4, Some(ipv6)));
        Ok((length(ipv4, 32)?, ipv6.map_or(Ok(Self::BLOCKING.ipv6), |text| length(text, 128))?))
    }

    /// Reads a share: `1%`, `0.5%`.
    ///
    /// # Errors
    /// Anything else, and shares beyond 100 %.
    pub fn parse_share(text: &str) -> Result<f64, WidthError> {
        let number = text.trim().strip_suffix('%').ok_or(WidthError)?;
        let percent: f64 = number.trim().parse().map_err(|_| WidthError)?;
        if (0.0..=100.0).contains(&percent) { Ok(percent / 100.0) } else { Err(WidthError) }
    }
}
