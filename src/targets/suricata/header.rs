//! The front of a rule: protocol, addresses, ports (user guide, "Rules format").

use ipnet::IpNet;

use super::{
    place::FlowSide,
    text::{Keyword, RuleText},
};

/// The addresses of one end of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// One of these; `None` for any.
    any_of: Option<Vec<IpNet>>,
    /// None of these.
    none_of: Vec<IpNet>,
}

/// The longest text of a list of addresses; a rule is one line of less than 8192 bytes.
const LIST_LIMIT: usize = 1900;
/// The longest text of a list of ports.
const PORTS_LIMIT: usize = 400;
/// The most addresses of one rule: longer lists are split, for a rule that changes seldom is easier to follow.
const LIST_LENGTH: usize = 100;

/// Errors of headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// No packet has it.
    Never,
    /// It does not fit in a rule.
    TooLong,
}

impl Addresses {
    /// Whether nothing is asked.
    pub fn is_any(&self) -> bool {
        self.any_of.is_none() && self.none_of.is_empty()
    }

    /// Whether some addresses are excepted.
    fn has_exceptions(&self) -> bool {
        !self.none_of.is_empty()
    }

    /// Requires one of `nets` as well.
    pub fn require(&mut self, nets: &[IpNet]) {
        let nets = IpNet::aggregate(&nets.to_vec());
        let common = |left: &IpNet, right: &IpNet| {
            if left.contains(right) {
                Some(*right)
            } else if right.contains(left) {
                Some(*left)
            } else {
                None
            }
        };
        self.any_of = Some(match self.any_of.take() {
            None => nets,
            Some(known) => {
                known.iter().flat_map(|left| nets.iter().filter_map(move |right| common(left, right))).collect()
            }
        });
    }

    /// Excludes `nets`.
    pub fn exclude(&mut self, nets: &[IpNet]) {
        self.none_of.extend_from_slice(nets);
        self.none_of = IpNet::aggregate(&self.none_of);
    }

    /// The addresses as the header has them, split where there are too many for one rule.
    ///
    /// # Errors
    /// No address is left, or the exceptions alone are too many.
    pub fn texts(&self) -> Result<Vec<RuleText>, HeaderError> {
        let Some(any_of) = &self.any_of else {
            let text = if self.none_of.is_empty() { RuleText::new("any") } else { list(&[], &self.none_of) };
            return if text.as_str().len() > LIST_LIMIT { Err(HeaderError::TooLong) } else { Ok(vec![text]) };
        };
        let excluded = |net: &IpNet| self.none_of.iter().any(|none| none.contains(net));
        let left: Vec<IpNet> = any_of.iter().filter(|net| !excluded(net)).copied().collect();
        // Only what lies inside an address of the list changes it.
        let none_of: Vec<IpNet> =
            self.none_of.iter().filter(|none| left.iter().any(|net| net.contains(*none))).copied().collect();
        let mut texts = Vec::new();
        let mut rest = left.as_slice();
        while !rest.is_empty() {
            let mut length = rest.len().min(LIST_LENGTH);
            let text = loop {
                let text = list(&rest[..length], &none_of);
                match (text.as_str().len() <= LIST_LIMIT, length) {
                    (true, _) => break text,
                    (false, 1) => return Err(HeaderError::TooLong),
                    (false, _) => length = length.div_ceil(2),
                }
            };
            texts.push(text);
            rest = &rest[length..];
        }
        if texts.is_empty() { Err(HeaderError::Never) } else { Ok(texts) }
    }
}

fn list(any_of: &[IpNet], none_of: &[IpNet]) -> RuleText {
    let nets = |text: RuleText, nets: &[IpNet], sign: &'static str| {
        nets.iter()
            .enumerate()
            .fold(text, |text, (index, net)| text.word(if index > 0 { "," } else { "" }).word(sign).net(*net))
    };
    match (any_of, none_of) {
        ([one], []) => RuleText::default().net(*one),
        ([], [one]) => RuleText::new("!").net(*one),
        (any_of, []) => nets(RuleText::new("["), any_of, "").word("]"),
        ([], none_of) => nets(RuleText::new("!["), none_of, "").word("]"),
        (any_of, none_of) => nets(nets(RuleText::new("["), any_of, "").word(","), none_of, "!").word("]"),
    }
}

/// The ports of one end of a conversation: sorted ranges that don't touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(Vec<(u16, u16)>);

impl Default for Ports {
    fn default() -> Self {
        Self(vec![(0, u16::MAX)])
    }
}

impl Ports {
    /// The ports in any of `ranges`, both ends inside. Numbers that are no port are cut off.
    pub fn new(ranges: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let port = |number: i64| u16::try_from(number.clamp(0, i64::from(u16::MAX))).unwrap_or(u16::MAX);
        let mut sorted: Vec<(u16, u16)> = ranges
            .into_iter()
            .filter(|&(first, last)| first <= last && last >= 0 && first <= i64::from(u16::MAX))
            .map(|(first, last)| (port(first), port(last)))
            .collect();
        sorted.sort_unstable();
        let mut ports: Vec<(u16, u16)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match ports.last_mut() {
                Some(before) if u32::from(first) <= u32::from(before.1) + 1 => before.1 = before.1.max(last),
                _ => ports.push((first, last)),
            }
        }
        Self(ports)
    }

    /// The other ports.
    pub fn complement(&self) -> Self {
        let mut next = 0_i64;
        let mut others = Vec::with_capacity(self.0.len() + 1);
        for &(first, last) in &self.0 {
            others.push((next, i64::from(first) - 1));
            next = i64::from(last) + 1;
        }
        others.push((next, i64::from(u16::MAX)));
        Self::new(others)
    }

    /// The ports in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|&left| other.0.iter().map(move |&right| (left, right)));
        Self::new(pairs.map(|(left, right)| (i64::from(left.0.max(right.0)), i64::from(left.1.min(right.1)))))
    }

    /// Whether no port is among them.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every port is among them.
    pub fn is_any(&self) -> bool {
        self.0 == [(0, u16::MAX)]
    }

    /// The ports as the header has them.
    ///
    /// # Errors
    /// No port is left, or there are too many pieces for a rule.
    pub fn text(&self) -> Result<RuleText, HeaderError> {
        if self.0.is_empty() {
            return Err(HeaderError::Never);
        }
        if self.is_any() {
            return Ok(RuleText::new("any"));
        }
        let complement = self.complement();
        let text = match complement.0.as_slice() {
            &[(only, same)] if only == same => RuleText::new("!").number(only),
            _ if self.0.len() == 1 && self.0[0].0 == self.0[0].1 => RuleText::default().number(self.0[0].0),
            _ => self.list(),
        };
        if text.as_str().len() > PORTS_LIMIT { Err(HeaderError::TooLong) } else { Ok(text) }
    }

    fn list(&self) -> RuleText {
        let text = self.0.iter().enumerate().fold(RuleText::new("["), |text, (index, &(first, last))| {
            let text = text.word(if index > 0 { "," } else { "" }).number(first);
            if first == last { text } else { text.word(":").number(last) }
        });
        text.word("]")
    }
}

/// One end of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct End {
    /// Its addresses.
    pub addresses: Addresses,
    /// Its ports.
    pub ports: Ports,
}

/// The header of a rule: both ends of a conversation, and their protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The protocol; that of the data source where `None`.
    pub protocol: Option<Keyword>,
    /// All addresses of one family, where the protocol does not say it.
    pub family: Option<IpNet>,
    /// Where the conversation comes from.
    pub source: End,
    /// Where it goes to.
    pub destination: End,
    /// Addresses of either end, each of them somewhere.
    pub either: Vec<Addresses>,
}

/// The end of the packets that a rule sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketEnd {
    /// The one that sends them.
    Source,
    /// The one that receives them.
    Destination,
}

impl PacketEnd {
    fn other(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }
}

/// A header as it is written, perhaps for packets of both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The header.
    pub text: RuleText,
    /// Whether it holds for both directions alike.
    pub two_way: bool,
}

impl AsRef<RuleText> for Written {
    fn as_ref(&self) -> &RuleText {
        &self.text
    }
}

/// A rule for packets of one direction only, where [`Header::texts`] may have both in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneWay {
    /// The header.
    pub text: RuleText,
    /// The end at which is what the pattern tells nothing of: a host of one's own.
    pub host: PacketEnd,
    /// Whether the packets are those of the server; `None` where the header does not tell.
    pub to_client: Option<bool>,
}

impl AsRef<RuleText> for OneWay {
    fn as_ref(&self) -> &RuleText {
        &self.text
    }
}

impl Header {
    /// The headers of the rules that say this: more than one where a list is split, or where an address may be at
    /// either end of something that has two different ends.
    ///
    /// # Errors
    /// No packet has such a header, or it does not fit in a rule.
    pub fn texts(self, protocol: &Keyword, seen: FlowSide) -> Result<Vec<Written>, HeaderError> {
        self.placed(|header, two_way| {
            let texts = header.ends(protocol, seen, two_way)?;
            Ok(texts.into_iter().map(|text| Written { text, two_way }).collect())
        })
    }

    /// Whether some addresses are excepted, so that Suricata compares the header with each packet.
    pub fn has_exceptions(&self) -> bool {
        let ends = [&self.source.addresses, &self.destination.addresses];
        ends.into_iter().chain(&self.either).any(Addresses::has_exceptions)
    }

    /// The same, each for one direction.
    ///
    /// # Errors
    /// No packet has such a header, or it does not fit in a rule.
    pub fn one_way(self, protocol: &Keyword, seen: FlowSide) -> Result<Vec<OneWay>, HeaderError> {
        self.placed(|header, two_way| {
            // What opened the conversation is one's own, unless the pattern names it and not the other end.
            let known = !header.source.addresses.is_any() && header.destination.addresses.is_any();
            let host = if known { PacketEnd::Destination } else { PacketEnd::Source };
            let turned =
                || Self { source: header.destination.clone(), destination: header.source.clone(), ..header.clone() };
            let way = |header: Self, host, to_client| {
                let texts = header.ends(protocol, FlowSide::ToServer, false)?;
                Ok(texts.into_iter().map(move |text| OneWay { text, host, to_client }))
            };
            let back = || way(turned(), host.other(), (seen == FlowSide::Either).then_some(true));
            Ok(match (seen, two_way) {
                (FlowSide::ToClient, false) => back()?.collect(),
                (FlowSide::ToServer, false) => way(header.clone(), host, None)?.collect(),
                (FlowSide::Packets, false) => way(header.clone(), host, Some(false))?.collect(),
                (FlowSide::Either, _) => way(header.clone(), host, Some(false))?.chain(back()?).collect(),
                (_, true) => way(header.clone(), host, None)?.chain(way(turned(), host.other(), None)?).collect(),
            })
        })
    }

    /// Writes the header once for each way of giving `either` addresses an end, with whether it then holds both ways round.
    fn placed<T>(mut self, write: impl Fn(Self, bool) -> Result<Vec<T>, HeaderError>) -> Result<Vec<T>, HeaderError> {
        let either = std::mem::take(&mut self.either);
        let mut variants = vec![(self, false)];
        for addresses in either {
            let places = |(header, two_way): (Self, bool)| {
                header.place(&addresses).into_iter().map(move |(placed, both)| (placed, both || two_way))
            };
            variants = variants.into_iter().flat_map(places).collect();
        }
        let mut texts = Vec::with_capacity(1);
        for (header, two_way) in variants {
            texts.extend(write(header, two_way)?);
        }
        if texts.is_empty() { Err(HeaderError::Never) } else { Ok(texts) }
    }

    /// The header with `addresses` at one end or the other, and whether it then holds both ways round.
    fn place(self, addresses: &Addresses) -> Vec<(Self, bool)> {
        let at_destination =
            |header: Self| Self { destination: End { addresses: addresses.clone(), ..header.destination }, ..header };
        let at_source = |header: Self| Self { source: End { addresses: addresses.clone(), ..header.source }, ..header };
        if self.source.addresses == *addresses || self.destination.addresses == *addresses {
            return vec![(self, false)];
        }
        match (self.source.addresses.is_any(), self.destination.addresses.is_any()) {
            (true, true) if self.source.ports == self.destination.ports => vec![(at_destination(self), true)],
            (true, true) => vec![(at_destination(self.clone()), false), (at_source(self), false)],
            (true, false) => vec![(at_source(self), false)],
            (false, true) => vec![(at_destination(self), false)],
            (false, false) => Vec::new(),
        }
    }

    fn ends(mut self, protocol: &Keyword, seen: FlowSide, two_way: bool) -> Result<Vec<RuleText>, HeaderError> {
        if let Some(family) = self.family {
            self.destination.addresses.require(&[family]);
        }
        if seen == FlowSide::ToClient {
            std::mem::swap(&mut self.source, &mut self.destination);
        }
        let two_way = two_way || (seen == FlowSide::Either && self.source != self.destination);
        let direction = if two_way { " <> " } else { " -> " };
        let protocol = self.protocol.as_ref().unwrap_or(protocol);
        let (source_ports, destination_ports) = (self.source.ports.text()?, self.destination.ports.text()?);
        let mut texts = Vec::with_capacity(1);
        let destinations = self.destination.addresses.texts()?;
        for source in self.source.addresses.texts()? {
            for destination in &destinations {
                let text = RuleText::default().keyword(protocol).word(" ").text(&source).word(" ").text(&source_ports);
                texts.push(text.word(direction).text(destination).word(" ").text(&destination_ports));
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| crate::plan::value::parse_address(text).unwrap()).collect()
    }

    fn texts(addresses: &Addresses) -> Vec<String> {
        addresses.texts().unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_are_lists_and_exceptions() {
        let mut addresses = Addresses::default();
        assert_eq!(texts(&addresses), ["any"]);
        addresses.exclude(&nets(&["192.0.2.1"]));
        assert_eq!(texts(&addresses), ["!192.0.2.1"]);
        addresses.require(&nets(&["192.0.2.0/30", "2001:db8::1"]));
        assert_eq!(texts(&addresses), ["[192.0.2.0/30,2001:db8::1,!192.0.2.1]"]);
        addresses.require(&nets(&["192.0.2.0/24"]));
        assert_eq!(texts(&addresses), ["[192.0.2.0/30,!192.0.2.1]"]);
        addresses.require(&nets(&["203.0.113.9"]));
        assert_eq!(addresses.texts(), Err(HeaderError::Never));
    }

    #[test]
    fn long_lists_are_split() {
        let many: Vec<IpNet> =
            (0..250_u32).map(|n| IpNet::from(std::net::IpAddr::from((0xc000_0200 + 2 * n).to_be_bytes()))).collect();
        let mut addresses = Addresses::default();
        addresses.require(&many);
        assert_eq!(addresses.texts().unwrap().len(), 3);
        let mut addresses = Addresses::default();
        addresses.exclude(&many);
        assert_eq!(addresses.texts(), Err(HeaderError::TooLong));
    }

    #[test]
    fn ports_are_sets() {
        let text = |ports: &Ports| ports.text().map(|text| text.to_string()).ok();
        assert_eq!(text(&Ports::default()).as_deref(), Some("any"));
        let web = Ports::new([(80, 80), (443, 443), (81, 81), (8000, 8100)]);
        assert_eq!(text(&web).as_deref(), Some("[80:81,443,8000:8100]"));
        assert_eq!(text(&Ports::new([(443, 443)]).complement()).as_deref(), Some("!443"));
        assert_eq!(text(&web.intersection(&Ports::new([(443, 99_999)]))).as_deref(), Some("[443,8000:8100]"));
        assert_eq!(text(&web.intersection(&web.complement())), None);
        assert_eq!(web.complement().complement(), web);
        assert_eq!(text(&Ports::new([(0, 1023)])).as_deref(), Some("[0:1023]"));
    }
}
