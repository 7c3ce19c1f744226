//! Lowers one test to Suricata keywords, by one mapping row.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use crate::plan::{
    Hash, HashAlgorithm, LikePart, Operator, Test, ValueKind,
    adapt::{CASE, Fit},
    fidelity::Fidelity,
    value,
};

use super::{
    buffer,
    fragment::{
        AppProtocol, FORM, Fragment, FragmentResult, Refused, each_value, no_operator, no_value, text_of, together,
    },
    header::Ports,
    place::{EndOf, Row, RulePart},
    signature::Match,
    text::{Keyword, RuleText},
    url,
};

/// Lowers `test` by `row`.
pub fn lower_test(row: &Row, test: &Test) -> Fit<Fragment> {
    let piece = match &row.place {
        RulePart::Buffer(_) | RulePart::LastSegment(_) | RulePart::Start(_) | RulePart::Field(_) => {
            buffer::lower_test(row, test)
        }
        RulePart::Url => url::lower_test(test),
        RulePart::UrlHost { buffer, drop_path } => url::lower_host(buffer, *drop_path, test),
        RulePart::Address(end) => address(*end, test),
        RulePart::Port(end) => port(*end, test),
        RulePart::Protocol { values, usual_ports } => protocol(values, usual_ports, test),
        RulePart::FileHash => hashes(test).map(|held| (held, None)),
        RulePart::FileSize => size(test).map(|held| (held, None)),
        RulePart::Fingerprint(keyword) => fingerprint(keyword, test).map(|held| (held, None)),
        RulePart::Digest(keyword) => digest(keyword, test).map(|held| (held, None)),
        RulePart::Serial(keyword) => serial(keyword, test).map(|held| (held, None)),
        RulePart::Number(keyword) => number(keyword, test).map(|held| (held, None)),
        RulePart::Mail { field, buffer } => buffer::lower_mail(*field, buffer.as_ref(), test),
    };
    match piece {
        Ok((by, loss)) => {
            let own = row.loss.as_ref().filter(|_| !row.ordered || has_parts(test));
            let own = own.map(|(effect, why)| (FORM, *effect, why.clone()));
            let case = || {
                let ignores = row.case.is_ignored() && !row.natural && !test.property.ignores_case();
                let why = || format!("{} is compared without regard to letter case", test.property.path);
                ignores.then(|| (CASE, Fidelity::BROADER, why()))
            };
            Fit::Holds { by: by.naming(test).requiring(row.requires), weak: row.weak, loss: loss.or(own).or_else(case) }
        }
        Err((code, why)) => Fit::Lacks(code, why),
    }
}

/// Whether a value has several parts: between them are commas, or, in a pattern, what stands for them.
fn has_parts(test: &Test) -> bool {
    test.values.iter().any(|value| match &value.kind {
        ValueKind::Text(text) => text.contains(','),
        ValueKind::Like(pattern) => pattern.text().contains(',') || pattern.text().matches('=').count() > 1,
        ValueKind::Regex(regex) => regex.count(|sign| sign == ',') > 0 || regex.count(|sign| sign == '=') > 1,
        _ => false,
    })
}

fn address(end: EndOf, test: &Test) -> FragmentResult {
    let nets = each_value(test, "an address", |value| {
        let net = match &value.kind {
            ValueKind::Address(net) => Some(*net),
            ValueKind::Like(pattern) => prefix(pattern.parts()),
            _ => None,
        };
        net.ok_or_else(|| no_value(format!("{value} is no address or prefix")))
    })?;
    let single = |net: &IpNet| net.prefix_len() == net.max_prefix_len();
    let comparable = match test.operator {
        Operator::Equal | Operator::IsSubset | Operator::Like => true,
        // A packet has single addresses, and around a single address lie only those equal to it.
        Operator::IsSuperset => nets.iter().all(single),
        _ => false,
    };
    // Either end is always some other address, too.
    if !comparable || (test.negated && end == EndOf::Either) {
        return Err(no_operator(test, "an address"));
    }
    Ok((Fragment::Address(end, nets, test.negated), None))
}

/// The prefix that a LIKE pattern means, where it ends at a dot: `198.51.100.%`.
fn prefix(pattern: &[LikePart]) -> Option<IpNet> {
    let front = match pattern {
        [LikePart::Text(text)] => return value::parse_address(text),
        [LikePart::Text(text), LikePart::Any] => text.strip_suffix('.')?,
        _ => return None,
    };
    let octets: Vec<u8> = front.split('.').map(|octet| octet.parse().ok()).collect::<Option<_>>()?;
    // `08` and `+8` are numbers, but no part of an address.
    let canonical = octets.iter().map(u8::to_string).collect::<Vec<_>>().join(".") == front;
    let length = u8::try_from(8 * octets.len()).ok().filter(|_| canonical)?;
    let mut all = [0; 4];
    all.get_mut(..octets.len())?.copy_from_slice(&octets);
    IpNet::new(IpAddr::from(all), length).ok()
}

fn port(end: EndOf, test: &Test) -> FragmentResult {
    let last = i64::from(u16::MAX);
    let ranges = each_value(test, "a port", |value| {
        let ValueKind::Integer(number) = value.kind else {
            return Err(no_value(format!("{value} is no port")));
        };
        Ok(match test.operator {
            Operator::Equal => (number, number),
            Operator::Less => (0, number.saturating_sub(1)),
            Operator::LessOrEqual => (0, number),
            Operator::Greater => (number.saturating_add(1), last),
            Operator::GreaterOrEqual => (number, last),
            _ => return Err(no_operator(test, "a port")),
        })
    })?;
    let ports = Ports::new(ranges);
    let ports = if test.negated { ports.complement() } else { ports };
    Ok((Fragment::Port(end, ports), None))
}

fn protocol(
    values: &BTreeMap<String, Keyword>,
    usual_ports: &BTreeMap<String, Vec<u16>>,
    test: &Test,
) -> FragmentResult {
    if test.operator != Operator::Equal || test.negated {
        return Err(no_operator(test, "a protocol"));
    }
    let mut protocols: Vec<AppProtocol> = Vec::with_capacity(test.values.len());
    let mut usual = None;
    for (name, protocol) in each_value(test, "a protocol", |value| {
        let name = text_of(value).map(str::to_ascii_lowercase);
        let known = name.and_then(|name| Some((values.get(&name)?, name)));
        known.map_or_else(
            || Err(no_value(format!("{value} is no protocol that these rules can name"))),
            |(protocol, name)| Ok((name, protocol)),
        )
    })? {
        let ports =
            usual_ports.get(&name).map(|ports| Ports::new(ports.iter().map(|&port| (port.into(), port.into()))));
        if ports.is_some() {
            usual.get_or_insert(name);
        }
        let known = AppProtocol { protocol: protocol.clone(), ports };
        if !protocols.contains(&known) {
            protocols.push(known);
        }
    }
    let why = |name| format!("Suricata recognises {name} at its usual port only");
    Ok((Fragment::Protocols(protocols), usual.map(|name| (FORM, Fidelity::NARROWER, why(name)))))
}

/// The hashes of a test for equality.
fn hash_values(test: &Test) -> Result<Vec<Hash>, Refused> {
    if test.operator != Operator::Equal {
        return Err(no_operator(test, "a hash"));
    }
    each_value(test, "a hash", |value| match &value.kind {
        ValueKind::Hash(hash) => Ok(hash.clone()),
        _ => Err(no_value(format!("{value} is no {} value", test.property.path))),
    })
}

fn hashes(test: &Test) -> Result<Fragment, Refused> {
    let hashes = hash_values(test)?;
    if hashes.iter().any(|hash| hash.algorithm() == HashAlgorithm::Sha512) {
        return Err(no_value("Suricata does not compute SHA-512"));
    }
    Ok(Fragment::Hashes(hashes, test.negated))
}

/// `filesize` compares with `>` and `<` only, both without the number itself.
fn size(test: &Test) -> Result<Fragment, Refused> {
    if test.negated && test.values.len() > 1 {
        return Err(no_operator(test, "a size"));
    }
    let below = |limit: i64| RuleText::new("filesize:<").integer(limit).word("; ");
    let above = |limit: i64| RuleText::new("filesize:>").integer(limit).word("; ");
    let options = each_value(test, "a size", |value| {
        let number = match value.kind {
            ValueKind::Integer(number) if (1..i64::MAX).contains(&number) => number,
            _ => return Err(no_value(format!("{value} is no size that a rule can hold"))),
        };
        Ok(match (test.operator, test.negated) {
            (Operator::Equal, false) => vec![RuleText::new("filesize:").integer(number).word("; ")],
            (Operator::Equal, true) => vec![below(number), above(number)],
            (Operator::Less, false) | (Operator::GreaterOrEqual, true) => vec![below(number)],
            (Operator::LessOrEqual, false) | (Operator::Greater, true) => vec![below(number + 1)],
            (Operator::Greater, false) | (Operator::LessOrEqual, true) => vec![above(number)],
            (Operator::GreaterOrEqual, false) | (Operator::Less, true) => vec![above(number - 1)],
            _ => return Err(no_operator(test, "a size")),
        })
    })?;
    Ok(Fragment::Options(options.into_iter().flatten().map(Match::plain).collect()))
}

/// `tls.cert_fingerprint` has SHA-1 in lower case with colons.
fn fingerprint(keyword: &Keyword, test: &Test) -> Result<Fragment, Refused> {
    let buffer = RuleText::default().keyword(keyword).word("; ");
    digests(test, &buffer, |hash| colons(hash.hex()))
}

/// A transform that hashes the buffer.
fn digest(keyword: &Keyword, test: &Test) -> Result<Fragment, Refused> {
    let transform = match hash_values(test)?.first().map(Hash::algorithm) {
        Some(HashAlgorithm::Md5) => "; to_md5; ",
        Some(HashAlgorithm::Sha1) => "; to_sha1; ",
        Some(HashAlgorithm::Sha256) => "; to_sha256; ",
        _ => return Err(no_value("Suricata does not compute SHA-512")),
    };
    let buffer = RuleText::default().keyword(keyword).word(transform);
    digests(test, &buffer, Hash::bytes)
}

/// One match for each hash, as `write` has its bytes; one for all where none may hold.
fn digests(test: &Test, buffer: &RuleText, write: impl Fn(&Hash) -> Vec<u8>) -> Result<Fragment, Refused> {
    let hashes = hash_values(test)?;
    let options = hashes.iter().map(|hash| Match::whole(buffer.clone(), &write(hash), false, test.negated));
    Ok(Fragment::Options(together(options.collect(), test.negated)))
}

/// Pairs of digits with colons between them.
fn colons(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).collect::<Vec<_>>().join(&b':')
}

/// `tls.cert_serial` has pairs of capital digits with colons.
fn serial(keyword: &Keyword, test: &Test) -> Result<Fragment, Refused> {
    if test.operator != Operator::Equal {
        return Err(no_operator(test, "a serial number"));
    }
    let buffer = RuleText::default().keyword(keyword).word("; ");
    let options = each_value(test, "a serial number", |value| {
        let digits = text_of(value).and_then(value::serial_octets).filter(|digits| digits.len() <= 80);
        let Some(digits) = digits else {
            return Err(no_value(format!("{value} is no serial number in hexadecimal")));
        };
        // With its highest bit set, a byte of zeros in front says that the number is none below zero (X.690, section 8.3).
        let sign = if digits.starts_with(|digit: char| digit >= '8') { "00" } else { "" };
        Ok(Match::whole(buffer.clone(), &colons(&format!("{sign}{digits}")), false, test.negated))
    })?;
    Ok(Fragment::Options(together(options, test.negated)))
}

fn number(keyword: &Keyword, test: &Test) -> Result<Fragment, Refused> {
    if test.operator != Operator::Equal || test.negated {
        return Err(no_operator(test, keyword.as_str()));
    }
    let options = each_value(test, keyword.as_str(), |value| {
        let number = match &value.kind {
            ValueKind::Bytes(bytes) => bytes.iter().try_fold(0_u8, |high, &byte| (high == 0).then_some(byte)),
            ValueKind::Integer(number) => u8::try_from(*number).ok(),
            ValueKind::Text(text) => u8::from_str_radix(text, 16).ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| no_value(format!("{value} is no number from 0 to 255")))?;
        Ok(Match::plain(RuleText::default().keyword(keyword).word(":").number(number).word("; ")))
    })?;
    Ok(Fragment::Options(options))
}
