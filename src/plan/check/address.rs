//! Addresses and prefixes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Check, codes::WILDCARD, literal, name, test::Test};
use crate::{
    diagnostic::Code,
    pattern::{ComparisonOperator, Literal, LiteralValue},
    plan::schema::{PropertyType, Text},
};

/// ISSUBSET or ISSUPERSET against what is no prefix.
pub const BAD_PREFIX: Code = Code("T006");
/// ISSUBSET or ISSUPERSET on what is no address.
pub const NOT_AN_ADDRESS_PROPERTY: Code = Code("T007");
/// Bits are set that the prefix length cuts off.
pub const HOST_BITS: Code = Code("W103");
/// A value that is no address.
pub const NOT_AN_ADDRESS: Code = Code("W111");
/// A network compared with `=`.
pub const NETWORK_AS_VALUE: Code = Code("W119");

/// An address or a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prefix {
    address: IpAddr,
    /// `None` where there is no `/`.
    length: Option<u8>,
}

impl Prefix {
    /// What is wrong with it is said in words that follow "`10.0.0.0/33`: ".
    fn read(text: &str) -> Result<Self, &'static str> {
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => (address, Some(length)),
        };
        let address: IpAddr = address.parse().map_err(|_| "not an IP address")?;
        let Some(length) = length else { return Ok(Self { address, length: None }) };
        let is_number = !length.is_empty() && length.len() <= 3 && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: u16 =
            length.parse().ok().filter(|_| is_number).ok_or("the length of a prefix is a number of bits")?;
        let length = u8::try_from(length).ok().filter(|length| *length <= bits(address));
        let length = length.ok_or(if address.is_ipv4() {
            "an IPv4 prefix has at most 32 bits"
        } else {
            "an IPv6 prefix has at most 128 bits"
        })?;
        Ok(Self { address, length: Some(length) })
    }

    /// The first address of the network.
    fn network(self) -> IpAddr {
        let cut = u32::from(bits(self.address) - self.length.unwrap_or(bits(self.address)));
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::MAX.checked_shl(cut).unwrap_or(0) & u32::from(address)).into(),
            IpAddr::V6(address) => Ipv6Addr::from(u128::MAX.checked_shl(cut).unwrap_or(0) & u128::from(address)).into(),
        }
    }

    fn is_host(self) -> bool {
        self.length.is_none_or(|length| length == bits(self.address))
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Checks a literal of ISSUBSET or ISSUPERSET.
pub(super) fn network(check: &mut Check<'_>, test: &Test<'_, '_>, literal: &Literal<'_>) {
    let operator = match test.comparison.operator {
        ComparisonOperator::IsSubset => "ISSUBSET",
        _ => "ISSUPERSET",
    };
    let family = match test.kind {
        PropertyType::String(text) if text.is_address() => text,
        PropertyType::Any => Text::Endpoint,
        _ => {
            let mut name = test.name();
            if name == "value" {
                name = literal::name(test.comparison.path.object_type);
            }
            let message = format!("{operator} compares IP addresses, and `{name}` is none");
            let help = "use it with ipv4-addr:value, ipv6-addr:value, or the value of a reference to them";
            return check.error(NOT_AN_ADDRESS_PROPERTY, test.comparison.path.span, message, help);
        }
    };
    let LiteralValue::String(text) = &literal.value else { return };
    match Prefix::read(text) {
        Err(reason) => {
            let message = format!("{} is not a prefix: {reason}", literal::quoted(text));
            check.error(BAD_PREFIX, literal.span, message, example(family));
        }
        Ok(prefix) if is_other_family(family, prefix.address) => {
            let (own, other) = if prefix.address.is_ipv4() { ("v4", "v6") } else { ("v6", "v4") };
            let message = format!("an IP{own} prefix never contains an IP{other} address");
            check.error(
                BAD_PREFIX,
                literal.span,
                message,
                format!("compare ip{own}-addr:value, or write an IP{other} prefix"),
            );
        }
        Ok(prefix) => host_bits(check, literal, prefix),
    }
}

fn example(family: Text) -> &'static str {
    match family {
        Text::Ipv6Address => "write an address, a slash and a number of bits: '2001:db8::/32'",
        _ => "write an address, a slash and a number of bits: '192.0.2.0/24'",
    }
}

fn is_other_family(family: Text, address: IpAddr) -> bool {
    match family {
        Text::Ipv4Address => address.is_ipv6(),
        Text::Ipv6Address => address.is_ipv4(),
        _ => false,
    }
}

fn host_bits(check: &mut Check<'_>, literal: &Literal<'_>, prefix: Prefix) {
    let Some(length) = prefix.length.filter(|_| prefix.network() != prefix.address) else { return };
    let network = prefix.network();
    check.warning(
        HOST_BITS,
        literal.span,
        format!("the network of {}/{length} begins at {network}", prefix.address),
        format!("write '{network}/{length}' for the network, or '{}' for the address", prefix.address),
    );
}

/// Checks an address that is compared with `=`; whether it is one.
pub(super) fn value(check: &mut Check<'_>, family: Text, literal: &Literal<'_>, text: &str) {
    match Prefix::read(text) {
        Ok(prefix) if is_other_family(family, prefix.address) => {
            let (own, other) = if prefix.address.is_ipv4() { ("v4", "v6") } else { ("v6", "v4") };
            let message = format!("an IP{own} address, where an IP{other} address is expected");
            check.warning(NOT_AN_ADDRESS, literal.span, message, format!("compare ip{own}-addr:value"));
        }
        Ok(prefix) if prefix.is_host() => {}
        Ok(prefix) if prefix.network() != prefix.address => host_bits(check, literal, prefix),
        Ok(_) => check.warning(
            NETWORK_AS_VALUE,
            literal.span,
            "`=` compares with the network itself, not with the addresses in it",
            format!("write ISSUBSET {} for the addresses", literal::written(text)),
        ),
        Err(reason) => not_an_address(check, family, literal, text, reason),
    }
}

fn not_an_address(check: &mut Check<'_>, family: Text, literal: &Literal<'_>, text: &str, reason: &str) {
    if name::is_defanged(text) {
        return name::defanged(check, literal, text);
    }
    if text.contains(['*', '%']) {
        return check.warning(
            WILDCARD,
            literal.span,
            "`=` knows no wildcards: this is the very text with that character in it",
            "write ISSUBSET with a prefix, or LIKE with %",
        );
    }
    let version = if family == Text::Ipv6Address { "an IPv6" } else { "an IPv4" };
    let (host, rest) = text.split_once(':').unwrap_or((text, ""));
    let help = if text.contains("://") {
        "compare url:value with the whole URL".to_owned()
    } else if family != Text::Ipv6Address && host.parse::<Ipv4Addr>().is_ok() && rest.parse::<u16>().is_ok() {
        format!("write the address alone, '{host}', and compare the port with network-traffic:dst_port = {rest}")
    } else if without_zeros(text).is_some() {
        format!("write it without leading zeros: '{}'", without_zeros(text).unwrap_or_default())
    } else {
        match family {
            Text::Ipv6Address => "write an address such as '2001:db8::1'".to_owned(),
            _ => "write an address such as '192.0.2.1'".to_owned(),
        }
    };
    let message = if reason == "not an IP address" {
        format!("{} is not {version} address", literal::quoted(text))
    } else {
        format!("{} is not {version} prefix: {reason}", literal::quoted(text))
    };
    check.warning(NOT_AN_ADDRESS, literal.span, message, help);
}

/// `192.168.001.001` as it has to be.
fn without_zeros(text: &str) -> Option<String> {
    let parts: Option<Vec<u8>> = text.split('.').map(|part| part.parse().ok()).collect();
    let parts = parts.filter(|parts| parts.len() == 4)?;
    Some(parts.iter().map(u8::to_string).collect::<Vec<_>>().join("."))
}

/// Checks a MAC address: lower case, with colons (section 6.9).
pub(super) fn mac(check: &mut Check<'_>, literal: &Literal<'_>, text: &str) {
    let is_good = text.len() == 17
        && text.bytes().enumerate().all(|(at, byte)| match at % 3 {
            2 => byte == b':',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        });
    if is_good {
        return;
    }
    let digits: Vec<char> =
        text.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase()).collect();
    let others = text.chars().filter(|character| !character.is_ascii_hexdigit());
    let help = if digits.len() == 12 && others.clone().all(|mark| matches!(mark, ':' | '-' | '.')) {
        let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
        format!("write '{}'", pairs.join(":"))
    } else {
        "write six pairs of digits in lower case, with colons: '00:00:5e:00:53:01'".to_owned()
    };
    let message = format!("{} is not a MAC address as STIX writes it", literal::quoted(text));
    check.warning(NOT_AN_ADDRESS, literal.span, message, help);
}
