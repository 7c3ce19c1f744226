//! Values of patterns and lists, to be looked up.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::IpAddr,
};

use ipnet::IpNet;
use serde::Serialize;

use crate::plan::{
    Condition, DomainName, Observation, Plan, Test, UrlParts, ValueKind,
    value::{Host, parse_address},
};

/// How something stands to a value that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// It is the value.
    Same,
    /// A prefix that holds the value.
    Around,
    /// A value inside the prefix that was asked for.
    Inside,
    /// A URL at the host that was asked for.
    Host,
    /// The host of the URL that was asked for, or a prefix around its address.
    Site,
}

impl Relation {
    /// Whether who looks for the one finds the other, too. A URL at a host is not the host, nor is an address the prefix that
    /// it lies in.
    #[must_use]
    pub fn covers(self) -> bool {
        matches!(self, Self::Same | Self::Around | Self::Site)
    }
}

/// How the closest of some values stands to those that were asked for.
pub(super) fn closest(values: impl IntoIterator<Item = NamedValue>, asked: &[NamedValue]) -> Option<Relation> {
    values.into_iter().flat_map(|value| asked.iter().filter_map(move |asked| value.relation(asked))).min()
}

/// A value in the form in which two spellings of it are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum NamedValue {
    Net(IpNet),
    /// The URL as sent, and its host.
    Url(String, String),
    Text(String),
}

impl NamedValue {
    fn new(kind: &ValueKind) -> Option<Self> {
        Some(match kind {
            ValueKind::Address(net) => Self::Net(*net),
            ValueKind::Domain(name) => Self::domain(name),
            ValueKind::Url(url) => Self::url(url),
            ValueKind::Hash(hash) => Self::Text(hash.hex().to_owned()),
            ValueKind::Text(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }

    pub(super) fn domain(name: &DomainName) -> Self {
        Self::Text(name.as_str().to_owned())
    }

    pub(super) fn url(url: &UrlParts) -> Self {
        let scheme = if url.scheme.is_empty() { String::new() } else { format!("{}://", url.scheme) };
        let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
        Self::Url(format!("{scheme}{}{port}{}", url.host, url.target), host(url))
    }

    /// How it stands to a value that was asked for: what [`Index::related`] says where it is the only one.
    fn relation(&self, asked: &Self) -> Option<Relation> {
        let address = |net: &IpNet, host: &str| host.parse().is_ok_and(|host: IpAddr| net.contains(&host));
        let is_single = |net: &IpNet| net.prefix_len() == net.max_prefix_len();
        Some(match (self, asked) {
            (own, asked) if own == asked => Relation::Same,
            (Self::Net(own), Self::Net(asked)) if own.contains(asked) => Relation::Around,
            (Self::Net(own), Self::Net(asked)) if asked.contains(own) => Relation::Inside,
            (Self::Url(own, _), Self::Text(asked) | Self::Url(asked, _)) if own == asked => Relation::Same,
            (Self::Text(own), Self::Url(asked, _)) if own == asked => Relation::Same,
            (Self::Url(_, host), Self::Text(asked)) if host == asked => Relation::Host,
            (Self::Url(_, host), Self::Net(asked)) if is_single(asked) && address(asked, host) => Relation::Host,
            (Self::Text(own), Self::Url(_, host)) if own == host => Relation::Site,
            (Self::Net(own), Self::Url(_, host)) if address(own, host) => Relation::Site,
            _ => return None,
        })
    }

    /// An entry of a list.
    pub(super) fn entry(text: &str) -> Self {
        if let Some(net) = parse_address(text) {
            return Self::Net(net);
        }
        // `192.0.2.7/99` is no prefix, and nobody means a page by it.
        let is_no_prefix = |(address, length): (&str, &str)| {
            address.parse::<IpAddr>().is_ok() && length.bytes().all(|byte| byte.is_ascii_digit())
        };
        match text.contains('/').then(|| UrlParts::parse(text)).flatten() {
            Some(url) if !text.split_once('/').is_some_and(is_no_prefix) => Self::url(&url),
            _ => Self::Text(text.to_owned()),
        }
    }
}

/// As it is spelled.
impl fmt::Display for NamedValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => write!(out, "{}", net.addr()),
            Self::Net(net) => write!(out, "{net}"),
            Self::Url(text, _) | Self::Text(text) => out.write_str(text),
        }
    }
}

fn host(url: &UrlParts) -> String {
    match &url.host {
        Host::Address(address) => address.to_string(),
        Host::Domain(name) => name.as_str().to_owned(),
    }
}

/// The values that a plan names by themselves: those of positive tests for one of a set.
pub(super) fn named(plan: &Plan) -> Vec<NamedValue> {
    values_of(plan.tests())
}

fn values_of<'p>(tests: impl IntoIterator<Item = &'p Test>) -> Vec<NamedValue> {
    tests.into_iter().flat_map(Test::named).filter_map(|value| NamedValue::new(&value.kind)).collect()
}

/// The values each of which satisfies a plan alone: those of alternatives that are a single test.
pub(super) fn alone(plan: &Plan) -> Vec<NamedValue> {
    let mut tests = Vec::new();
    alone_in(&plan.observation, &mut tests);
    values_of(tests)
}

fn alone_in<'p>(observation: &'p Observation, tests: &mut Vec<&'p Test>) {
    match observation {
        Observation::Match(condition) => alternatives(condition, tests),
        Observation::Any(operands, _) => operands.iter().for_each(|operand| alone_in(operand, tests)),
        _ => {}
    }
}

fn alternatives<'p>(condition: &'p Condition, tests: &mut Vec<&'p Test>) {
    match condition {
        Condition::Test(test) => tests.push(test),
        Condition::Any(operands) => operands.iter().for_each(|operand| alternatives(operand, tests)),
        Condition::All(_) => {}
    }
}

/// Numbers by value.
#[derive(Debug, Default)]
pub(super) struct Index {
    nets: BTreeMap<IpNet, Vec<usize>>,
    texts: HashMap<String, Vec<usize>>,
    hosts: HashMap<String, Vec<usize>>,
}

impl Index {
    pub(super) fn is_empty(&self) -> bool {
        self.nets.is_empty() && self.texts.is_empty()
    }

    pub(super) fn add(&mut self, value: NamedValue, number: usize) {
        let numbers = match value {
            NamedValue::Net(net) => self.nets.entry(net).or_default(),
            NamedValue::Text(text) => self.texts.entry(text).or_default(),
            NamedValue::Url(url, host) => {
                self.hosts.entry(host).or_default().push(number);
                self.texts.entry(url).or_default()
            }
        };
        numbers.push(number);
    }

    /// The numbers of what is the value, lies around it or inside it, each once, in order.
    pub(super) fn related(&self, value: &NamedValue) -> Vec<(usize, Relation)> {
        let mut found = BTreeMap::new();
        let mut add = |numbers: Option<&Vec<usize>>, how: Relation| {
            for number in numbers.into_iter().flatten() {
                let held = found.entry(*number).or_insert(how);
                *held = how.min(*held);
            }
        };
        match value {
            NamedValue::Net(net) => {
                add(self.nets.get(net), Relation::Same);
                wider(*net).for_each(|wider| add(self.nets.get(&wider), Relation::Around));
                // A prefix stands before the prefixes and addresses that it holds.
                let inside = self.nets.range(*net..).take_while(|(other, _)| net.contains(*other));
                inside.filter(|(other, _)| *other != net).for_each(|(_, numbers)| add(Some(numbers), Relation::Inside));
                if net.prefix_len() == net.max_prefix_len() {
                    add(self.hosts.get(&net.addr().to_string()), Relation::Host);
                }
            }
            NamedValue::Text(text) => {
                add(self.texts.get(text), Relation::Same);
                add(self.hosts.get(text), Relation::Host);
            }
            NamedValue::Url(url, host) => {
                add(self.texts.get(url), Relation::Same);
                add(self.texts.get(host), Relation::Site);
                let address = parse_address(host);
                address.into_iter().chain(address.into_iter().flat_map(wider)).for_each(|net| {
                    add(self.nets.get(&net), Relation::Site);
                });
            }
        }
        found.into_iter().collect()
    }
}

/// The prefixes around a prefix, the longest first.
fn wider(net: IpNet) -> impl Iterator<Item = IpNet> {
    std::iter::successors(net.supernet(), IpNet::supernet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_found_from_both_sides() {
        let mut index = Index::default();
        for (number, text) in ["198.51.0.0/16", "198.51.100.0/24", "198.51.100.7", "198.51.101.1"].iter().enumerate() {
            index.add(NamedValue::entry(text), number);
        }
        let related = |text| index.related(&NamedValue::entry(text));
        assert_eq!(related("198.51.100.7"), [(0, Relation::Around), (1, Relation::Around), (2, Relation::Same)]);
        assert_eq!(related("198.51.100.0/24"), [(0, Relation::Around), (1, Relation::Same), (2, Relation::Inside)]);
        assert_eq!(related("198.52.0.0/16"), []);
        assert_eq!(related("2001:db8::1"), []);
    }

    #[test]
    fn two_values_stand_to_each_other_as_in_an_index() {
        let texts = [
            "198.51.0.0/16",
            "198.51.100.7",
            "2001:db8::1",
            "evil.example",
            "http://evil.example/",
            "evil.example/",
            "http://198.51.100.7/a",
            "http://[2001:db8::1]/a",
            "192.0.2.7/99",
            "/usr/bin/x",
        ];
        let mut related = 0;
        for (own, asked) in
            texts.iter().flat_map(|own| texts.map(|asked| (NamedValue::entry(own), NamedValue::entry(asked))))
        {
            let mut index = Index::default();
            index.add(own.clone(), 0);
            let found = own.relation(&asked);
            assert_eq!(index.related(&asked).first().map(|(_, how)| *how), found, "{own} {asked}");
            related += usize::from(found.is_some_and(|how| how != Relation::Same));
        }
        assert!(related >= 8, "{related}");
    }

    #[test]
    fn spellings_of_one_url_are_the_same() {
        let mut index = Index::default();
        index.add(NamedValue::entry("HTTP://EVIL.example:80/a b"), 0);
        assert_eq!(index.related(&NamedValue::entry("http://evil.example/a%20b")), [(0, Relation::Same)]);
        assert_eq!(index.related(&NamedValue::entry("evil.example")), [(0, Relation::Host)]);
        index.add(NamedValue::entry("evil.example"), 1);
        index.add(NamedValue::entry("198.51.100.0/24"), 2);
        assert_eq!(index.related(&NamedValue::entry("http://evil.example/other")), [(1, Relation::Site)]);
        assert_eq!(index.related(&NamedValue::entry("http://198.51.100.7/")), [(2, Relation::Site)]);
    }
}
