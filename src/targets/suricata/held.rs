//! What a scene makes of one test: pieces of rules.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use crate::{
    diagnostic::Code,
    plan::{
        Hash, HashAlgorithm, Operator, Test, Value, ValueKind,
        adapt::{CASE, Fit, NO_OPERATOR, NO_VALUE},
        fidelity::Fidelity,
        value,
    },
};

use super::{
    buffer,
    header::Ports,
    place::{EndOf, Place, Requires, Row},
    signature::Match,
    text::{Keyword, RuleText},
    url,
};

/// The rule does not tell the two ends of the conversation apart.
pub const DIRECTION: Code = Code("L120");
/// The place shows another form of the property than the standard's.
pub const FORM: Code = Code("L123");

/// What a scene needs to write a test down.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// Options, one of which has to hold; each makes a rule of its own.
    Options(Vec<Match>),
    /// An address.
    Address(EndOf, Vec<IpNet>, bool),
    /// A port.
    Port(EndOf, Ports),
    /// One of these protocols; each makes a rule of its own.
    Protocols(Vec<Spoken>),
    /// Hashes of a whole file.
    Hashes(Vec<Hash>, bool),
}

impl Held {
    /// The same, for some versions of Suricata only.
    fn requiring(self, requires: Option<Requires>) -> Self {
        match self {
            Self::Options(options) => {
                Self::Options(options.into_iter().map(|asked| asked.requiring(requires)).collect())
            }
            other => other,
        }
    }
}

/// A protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Its word of the rule language.
    pub protocol: Keyword,
    /// The ports at which Suricata recognises it, where it does at these only.
    pub ports: Option<Ports>,
}

/// A piece, and what it loses; or why there is none.
pub type Piece = Result<(Held, Option<(Code, Fidelity, String)>), (Code, String)>;

/// What `row` makes of `test`.
pub fn hold(row: &Row, test: &Test) -> Fit<Held> {
    let piece = match &row.place {
        Place::Buffer(_) | Place::LastSegment(_) | Place::Start(_) | Place::Field(_) => buffer::hold(row, test),
        Place::Url => url::hold(test),
        Place::UrlHost { buffer, drop_path } => url::hold_host(buffer, *drop_path, test),
        Place::Address(end) => address(*end, test),
        Place::Port(end) => port(*end, test),
        Place::Protocol { values, usual_ports } => protocol(values, usual_ports, test),
        Place::FileHash => hashes(test).map(|held| (held, None)),
        Place::FileSize => size(test).map(|held| (held, None)),
        Place::Fingerprint(keyword) => fingerprint(keyword, test).map(|held| (held, None)),
        Place::Digest(keyword) => digest(keyword, test).map(|held| (held, None)),
        Place::Serial(keyword) => serial(keyword, test).map(|held| (held, None)),
        Place::Number(keyword) => number(keyword, test).map(|held| (held, None)),
        Place::Mail { field, buffer } => buffer::hold_mail(*field, buffer.as_ref(), test),
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
            Fit::Holds { by: by.requiring(row.requires), weak: row.weak, loss: loss.or(own).or_else(case) }
        }
        Err((code, why)) => Fit::Lacks(code, why),
    }
}

/// Whether a value has several parts: between them are commas, or, in a pattern, what stands for them.
fn has_parts(test: &Test) -> bool {
    let is_pattern = matches!(test.operator, Operator::Like | Operator::Matches);
    let has = |text: &str| text.contains(',') || (is_pattern && text.matches('=').count() > 1);
    test.values.iter().filter_map(text_of).any(has)
}

/// The refusal of an operator.
pub fn no_operator(test: &Test, place: &str) -> (Code, String) {
    let not = if test.negated { "NOT " } else { "" };
    (NO_OPERATOR, format!("{place} can't be compared with {not}{} in a rule", test.operator))
}

/// The refusal of a value.
pub fn no_value(message: impl Into<String>) -> (Code, String) {
    (NO_VALUE, message.into())
}

fn address(end: EndOf, test: &Test) -> Piece {
    let mut nets = Vec::with_capacity(test.values.len());
    for value in &test.values {
        let net = match &value.kind {
            ValueKind::Address(net) => Some(*net),
            ValueKind::Text(pattern) if test.operator == Operator::Like => prefix(pattern),
            _ => None,
        };
        nets.push(net.ok_or_else(|| no_value(format!("{value} is no address or prefix")))?);
    }
    let single = |net: &IpNet| net.prefix_len() == net.max_prefix_len();
    let comparable = match test.operator {
        Operator::Equal | Operator::IsSubset | Operator::Like => true,
        // A packet has single addresses, and around a single address lie only those equal to it.
        Operator::IsSuperset => nets.iter().all(single),
        _ => false,
    };
    // Either end is always some other address, too.
    if nets.is_empty() || !comparable || (test.negated && end == EndOf::Either) {
        return Err(no_operator(test, "an address"));
    }
    Ok((Held::Address(end, nets, test.negated), None))
}

/// The prefix that a LIKE pattern means, where it ends at a dot: `198.51.100.%`.
fn prefix(pattern: &str) -> Option<IpNet> {
    let Some(front) = pattern.strip_suffix(".%") else { return value::parse_address(pattern) };
    let octets: Vec<u8> = front.split('.').map(|octet| octet.parse().ok()).collect::<Option<_>>()?;
    // `08` and `+8` are numbers, but no part of an address.
    let canonical = octets.iter().map(u8::to_string).collect::<Vec<_>>().join(".") == front;
    let length = u8::try_from(8 * octets.len()).ok().filter(|_| canonical)?;
    let mut all = [0; 4];
    all.get_mut(..octets.len())?.copy_from_slice(&octets);
    IpNet::new(IpAddr::from(all), length).ok()
}

fn port(end: EndOf, test: &Test) -> Piece {
    let last = i64::from(u16::MAX);
    let mut ranges = Vec::with_capacity(test.values.len());
    for value in &test.values {
        let ValueKind::Integer(number) = value.kind else {
            return Err(no_value(format!("{value} is no port")));
        };
        ranges.push(match test.operator {
            Operator::Equal => (number, number),
            Operator::Less => (0, number.saturating_sub(1)),
            Operator::LessOrEqual => (0, number),
            Operator::Greater => (number.saturating_add(1), last),
            Operator::GreaterOrEqual => (number, last),
            _ => return Err(no_operator(test, "a port")),
        });
    }
    if ranges.is_empty() {
        return Err(no_operator(test, "a port"));
    }
    let ports = Ports::of(ranges);
    let ports = if test.negated { ports.complement() } else { ports };
    Ok((Held::Port(end, ports), None))
}

fn protocol(values: &BTreeMap<String, Keyword>, usual_ports: &BTreeMap<String, Vec<u16>>, test: &Test) -> Piece {
    if test.operator != Operator::Equal || test.negated {
        return Err(no_operator(test, "a protocol"));
    }
    let mut protocols: Vec<Spoken> = Vec::with_capacity(test.values.len());
    for value in &test.values {
        let name = text_of(value).map(str::to_ascii_lowercase);
        let Some((name, protocol)) =
            name.and_then(|name| Some((values.get(&name)?, name))).map(|(word, name)| (name, word))
        else {
            return Err(no_value(format!("{value} is no protocol that these rules can name")));
        };
        let ports = usual_ports.get(&name).map(|ports| Ports::of(ports.iter().map(|&port| (port.into(), port.into()))));
        let spoken = Spoken { protocol: protocol.clone(), ports };
        if !protocols.contains(&spoken) {
            protocols.push(spoken);
        }
    }
    if protocols.is_empty() {
        return Err(no_operator(test, "a protocol"));
    }
    let named = test.values.iter().filter_map(text_of).map(str::to_ascii_lowercase);
    let loss = named
        .into_iter()
        .find(|name| usual_ports.contains_key(name))
        .map(|name| (FORM, Fidelity::NARROWER, format!("Suricata recognises {name} at its usual port only")));
    Ok((Held::Protocols(protocols), loss))
}

/// The text of a value, where it is one.
pub fn text_of(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::Text(text) => Some(text),
        _ => None,
    }
}

/// The hashes of a test for equality.
fn hash_values(test: &Test) -> Result<Vec<Hash>, (Code, String)> {
    if test.operator != Operator::Equal || test.values.is_empty() {
        return Err(no_operator(test, "a hash"));
    }
    let hash = |value: &Value| match &value.kind {
        ValueKind::Hash(hash) => Ok(hash.clone()),
        _ => Err(no_value(format!("{value} is no {} value", test.property.path))),
    };
    test.values.iter().map(hash).collect()
}

fn hashes(test: &Test) -> Result<Held, (Code, String)> {
    let hashes = hash_values(test)?;
    if hashes.iter().any(|hash| hash.algorithm() == HashAlgorithm::Sha512) {
        return Err(no_value("Suricata does not compute SHA-512"));
    }
    Ok(Held::Hashes(hashes, test.negated))
}

/// `filesize` compares with `>` and `<` only, both without the number itself.
fn size(test: &Test) -> Result<Held, (Code, String)> {
    if test.negated && test.values.len() > 1 {
        return Err(no_operator(test, "a size"));
    }
    let mut options = Vec::with_capacity(test.values.len());
    for value in &test.values {
        let number = match value.kind {
            ValueKind::Integer(number) if (1..i64::MAX).contains(&number) => number,
            _ => return Err(no_value(format!("{value} is no size that a rule can hold"))),
        };
        let below = |limit: i64| RuleText::new("filesize:<").integer(limit).word("; ");
        let above = |limit: i64| RuleText::new("filesize:>").integer(limit).word("; ");
        match (test.operator, test.negated) {
            (Operator::Equal, false) => options.push(RuleText::new("filesize:").integer(number).word("; ")),
            (Operator::Equal, true) => options.extend([below(number), above(number)]),
            (Operator::Less, false) | (Operator::GreaterOrEqual, true) => options.push(below(number)),
            (Operator::LessOrEqual, false) | (Operator::Greater, true) => options.push(below(number + 1)),
            (Operator::Greater, false) | (Operator::LessOrEqual, true) => options.push(above(number)),
            (Operator::GreaterOrEqual, false) | (Operator::Less, true) => options.push(above(number - 1)),
            _ => return Err(no_operator(test, "a size")),
        }
    }
    if options.is_empty() {
        return Err(no_operator(test, "a size"));
    }
    Ok(Held::Options(options.into_iter().map(Match::plain).collect()))
}

/// `tls.cert_fingerprint` has SHA-1 in lower case with colons.
fn fingerprint(keyword: &Keyword, test: &Test) -> Result<Held, (Code, String)> {
    let buffer = RuleText::default().keyword(keyword).word("; ");
    digests(test, &buffer, |bytes| RuleText::default().hex(bytes, ':').to_string().into_bytes())
}

/// A transform that hashes the buffer.
fn digest(keyword: &Keyword, test: &Test) -> Result<Held, (Code, String)> {
    let transform = match hash_values(test)?.first().map(Hash::algorithm) {
        Some(HashAlgorithm::Md5) => "; to_md5; ",
        Some(HashAlgorithm::Sha1) => "; to_sha1; ",
        Some(HashAlgorithm::Sha256) => "; to_sha256; ",
        _ => return Err(no_value("Suricata does not compute SHA-512")),
    };
    let buffer = RuleText::default().keyword(keyword).word(transform);
    digests(test, &buffer, <[u8]>::to_vec)
}

/// These bytes are the whole buffer, or are not.
fn whole(buffer: &RuleText, bytes: &[u8], negated: bool) -> Match {
    let options = if negated {
        RuleText::new("content:!").content(bytes).word("; startswith; endswith; ")
    } else {
        RuleText::new("content:").content(bytes).word("; bsize:").number(bytes.len() as u64).word("; ")
    };
    Match::of(buffer.clone(), options)
}

/// One match for each hash, as `write` has its bytes; one for all where none may hold.
fn digests(test: &Test, buffer: &RuleText, write: impl Fn(&[u8]) -> Vec<u8>) -> Result<Held, (Code, String)> {
    let hashes = hash_values(test)?;
    let options = hashes.iter().map(|hash| whole(buffer, &write(&bytes_of(hash.hex())), test.negated));
    Ok(Held::Options(together(options.collect(), test.negated)))
}

/// Alternatives as they are; where none may hold, one that names them all.
pub fn together(options: Vec<Match>, negated: bool) -> Vec<Match> {
    if !negated {
        return options;
    }
    vec![options.iter().fold(Match::default(), Match::and)]
}

/// The bytes behind hexadecimal digits.
fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

/// `tls.cert_serial` has pairs of capital digits with colons.
fn serial(keyword: &Keyword, test: &Test) -> Result<Held, (Code, String)> {
    if test.operator != Operator::Equal {
        return Err(no_operator(test, "a serial number"));
    }
    let buffer = RuleText::default().keyword(keyword).word("; ");
    let mut options = Vec::with_capacity(test.values.len());
    for value in &test.values {
        let digits = text_of(value).and_then(value::serial_octets).filter(|digits| digits.len() <= 80);
        let Some(digits) = digits else {
            return Err(no_value(format!("{value} is no serial number in hexadecimal")));
        };
        // With its highest bit set, a byte of zeros in front says that the number is none below zero (X.690, section 8.3).
        let sign = if digits.starts_with(|digit: char| digit >= '8') { "00" } else { "" };
        let digits = format!("{sign}{digits}");
        let text = digits.as_bytes().chunks(2).collect::<Vec<_>>().join(&b':');
        options.push(whole(&buffer, &text, test.negated));
    }
    if options.is_empty() {
        return Err(no_operator(test, "a serial number"));
    }
    Ok(Held::Options(together(options, test.negated)))
}

fn number(keyword: &Keyword, test: &Test) -> Result<Held, (Code, String)> {
    if test.operator != Operator::Equal || test.negated || test.values.is_empty() {
        return Err(no_operator(test, keyword.as_str()));
    }
    let option = |value: &Value| {
        let number = match &value.kind {
            ValueKind::Bytes(bytes) => bytes.iter().try_fold(0_u8, |high, &byte| (high == 0).then_some(byte)),
            ValueKind::Integer(number) => u8::try_from(*number).ok(),
            ValueKind::Text(text) => u8::from_str_radix(text, 16).ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| no_value(format!("{value} is no number from 0 to 255")))?;
        Ok(Match::plain(RuleText::default().keyword(keyword).word(":").number(number).word("; ")))
    };
    test.values.iter().map(option).collect::<Result<_, _>>().map(Held::Options)
}
