//! Values of patterns and lists, to be looked up.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use ipnet::IpNet;
use serde::Serialize;

use crate::plan::{
    DomainName, Operator, Plan, Test, UrlParts, ValueKind,
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

/// How the closest of some values stands to those that were asked for.
pub(super) fn closest(values: impl IntoIterator<Item = Named>, asked: &[Named]) -> Option<Relation> {
    let mut index = Index::default();
    values.into_iter().for_each(|value| index.add(value, 0));
    asked.iter().flat_map(|value| index.related(value)).map(|(_, how)| how).min()
}

/// A value in the form in which two spellings of it are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Named {
    Net(IpNet),
    /// The URL as sent, and its host.
    Url(String, String),
    Text(String),
}

impl Named {
    fn of(kind: &ValueKind) -> Option<Self> {
        Some(match kind {
            ValueKind::Address(net) => Self::Net(*net),
            ValueKind::Domain(name) => Self::domain(name),
            ValueKind::Url(url) => Self::url(url),
            ValueKind::Hash(hash) => Self::Text(hash.hex().to_owned()),
            ValueKind::Text(text) => Self::Text(text.clone()),
            ValueKind::Like(pattern) => Self::Text(pattern.text().to_owned()),
            ValueKind::Regex(regex) => Self::Text(regex.text().to_owned()),
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

    /// An entry of a list.
    pub(super) fn entry(text: &str) -> Self {
        if let Some(net) = parse_address(text) {
            return Self::Net(net);
        }
        match text.contains('/').then(|| UrlParts::parse(text)).flatten() {
            Some(url) => Self::url(&url),
            None => Self::Text(text.to_owned()),
        }
    }
}

/// As it is spelled.
impl fmt::Display for Named {
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
pub(super) fn named(plan: &Plan) -> Vec<Named> {
    let is_named = |test: &&Test| !test.negated && matches!(test.operator, Operator::Equal | Operator::IsSubset);
    plan.tests().filter(is_named).flat_map(|test| &test.values).filter_map(|value| Named::of(&value.kind)).collect()
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

    pub(super) fn add(&mut self, value: Named, number: usize) {
        let numbers = match value {
            Named::Net(net) => self.nets.entry(net).or_default(),
            Named::Text(text) => self.texts.entry(text).or_default(),
            Named::Url(url, host) => {
                self.hosts.entry(host).or_default().push(number);
                self.texts.entry(url).or_default()
            }
        };
        numbers.push(number);
    }

    /// The numbers of what is the value, lies around it or inside it, each once, in order.
    pub(super) fn related(&self, value: &Named) -> Vec<(usize, Relation)> {
        let mut found = BTreeMap::new();
        let mut add = |numbers: Option<&Vec<usize>>, how: Relation| {
            for number in numbers.into_iter().flatten() {
                let held = found.entry(*number).or_insert(how);
                *held = how.min(*held);
            }
        };
        match value {
            Named::Net(net) => {
                add(self.nets.get(net), Relation::Same);
                wider(*net).for_each(|wider| add(self.nets.get(&wider), Relation::Around));
                // A prefix stands before the prefixes and addresses that it holds.
                let inside = self.nets.range(*net..).take_while(|(other, _)| net.contains(*other));
                inside.filter(|(other, _)| *other != net).for_each(|(_, numbers)| add(Some(numbers), Relation::Inside));
                if net.prefix_len() == net.max_prefix_len() {
                    add(self.hosts.get(&net.addr().to_string()), Relation::Host);
                }
            }
            Named::Text(text) => {
                add(self.texts.get(text), Relation::Same);
                add(self.hosts.get(text), Relation::Host);
            }
            Named::Url(url, host) => {
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
            index.add(Named::entry(text), number);
        }
        let related = |text| index.related(&Named::entry(text));
        assert_eq!(related("198.51.100.7"), [(0, Relation::Around), (1, Relation::Around), (2, Relation::Same)]);
        assert_eq!(related("198.51.100.0/24"), [(0, Relation::Around), (1, Relation::Same), (2, Relation::Inside)]);
        assert_eq!(related("198.52.0.0/16"), []);
        assert_eq!(related("2001:db8::1"), []);
    }

    #[test]
    fn spellings_of_one_url_are_the_same() {
        let mut index = Index::default();
        index.add(Named::entry("HTTP://EVIL.example:80/a b"), 0);
        assert_eq!(index.related(&Named::entry("http://evil.example/a%20b")), [(0, Relation::Same)]);
        assert_eq!(index.related(&Named::entry("evil.example")), [(0, Relation::Host)]);
        index.add(Named::entry("evil.example"), 1);
        index.add(Named::entry("198.51.100.0/24"), 2);
        assert_eq!(index.related(&Named::entry("http://evil.example/other")), [(1, Relation::Site)]);
        assert_eq!(index.related(&Named::entry("http://198.51.100.7/")), [(2, Relation::Site)]);
    }
}
