//! Observations as lookups: what is looked up before something is let through.
//!
//! A firewall looks up the addresses of a packet, a resolver the name that it is asked for, a proxy the URL, an endpoint
//! the hashes of a file. Who asks for a URL asks for its host first, so that shows too.
//!
//! A list says nothing of directions: the rule that uses it does. It looks up the one end of a connection, the other, or
//! both, as the pattern's properties ask for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use url::{Host, Url};

use crate::{
    plan::{End, Operator, Plan, Test},
    witness::{Objects, Sighting, files, known_files::Substitution, urls},
};

/// Something that is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// An address, at an end of a connection.
    Address(IpAddr),
    /// A name, in A-labels, in the spelling that was asked for. Resolvers ignore letter case.
    Name(String),
    /// A URL as a client sends it: without user name, password and fragment.
    Url(String),
    /// A hash of a file's content, in lower-case hexadecimal.
    Hash(String),
}

/// The one end that the rule which uses the lists looks at, as a plan's properties ask for it; `None` for both.
fn used_end(plan: &Plan) -> Option<End> {
    let is_at = |end| plan.tests().any(|test| test.property.ends() == [end]);
    let is_listed = |test: &Test| {
        test.property.ends().len() == 2
            && matches!(test.operator, Operator::Equal | Operator::IsSubset)
            && !test.negated
    };
    match (is_at(End::Source), is_at(End::Destination), plan.tests().any(is_listed)) {
        (true, false, false) => Some(End::Source),
        (false, true, false) => Some(End::Destination),
        _ => None,
    }
}

/// Sightings as lookups.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookups {
    /// What is looked up while the sightings happen.
    pub asked: Vec<Lookup>,
    /// The sightings, with the host of each URL and with all that files say of themselves.
    pub seen: Vec<Sighting>,
}

/// Lists what is looked up while sightings happen.
///
/// `None` where no file is like the one that a sighting describes, see [`files::write`].
///
/// ```
/// use serde_json::json;
/// use stixc::{pattern, plan::lower::lower, witness::{Sighting, known_files::substitute}};
/// use stixc::targets::blocklist::show::{Lookup, show};
///
/// let plan = lower(&pattern::parse("[url:value = 'http://evil.example/a']").unwrap()).plan;
/// let objects = json!({"0": {"type": "url", "value": "http://evil.example/a"}}).as_object().unwrap().clone();
/// let lookups = show(&[Sighting { at: 0, objects }], &substitute(&plan)).unwrap();
/// let expected = [Lookup::Name("evil.example".to_owned()), Lookup::Url("http://evil.example/a".to_owned())];
/// assert_eq!(lookups.asked, expected);
/// ```
#[must_use]
pub fn show(sightings: &[Sighting], known: &Substitution) -> Option<Lookups> {
    let mut seen = files::write(sightings, &known.files, 0)?.seen;
    let used = used_end(&known.plan);
    let mut asked = Vec::new();
    for sighting in &mut seen {
        add_urls(&mut sighting.objects, &known.plan);
        let ends = ends(&sighting.objects);
        for (key, object) in &sighting.objects {
            let is_there = |end| ends.get(key.as_str()).is_some_and(|ends| ends.contains(&end));
            look_up(object, used.is_none_or(is_there), &mut asked);
        }
    }
    asked.sort();
    asked.dedup();
    Some(Lookups { asked, seen })
}

/// The ends of connections that objects are, by their keys.
fn ends(objects: &Objects) -> BTreeMap<&str, BTreeSet<End>> {
    let mut ends: BTreeMap<&str, BTreeSet<End>> = BTreeMap::new();
    for object in objects.values() {
        for (property, end) in [("src_ref", End::Source), ("dst_ref", End::Destination)] {
            if let Some(key) = object.get(property).and_then(Json::as_str) {
                ends.entry(key).or_default().insert(end);
            }
        }
    }
    ends
}

/// Adds to each URL its host, as the object that it is, and the URL in all spellings in which it is sent.
fn add_urls(objects: &mut Objects, plan: &Plan) {
    let urls = objects.values().filter(|object| object["type"] == "url").filter_map(|object| object["value"].as_str());
    let sent: Vec<(Option<Json>, Vec<String>)> =
        urls.filter_map(|text| urls::sent(text).map(|url| (host(&url), urls::spellings(plan, text)))).collect();
    for (number, (host, spellings)) in sent.into_iter().enumerate() {
        for (spelling, text) in spellings.into_iter().enumerate() {
            objects.insert(format!("sent-{number}-{spelling}"), json!({"type": "url", "value": text}));
        }
        objects.extend(host.map(|host| (format!("host-{number}"), host)));
    }
}

fn host(url: &Url) -> Option<Json> {
    let named = |text: &str| match text.parse::<IpAddr>() {
        Ok(address) => address_object(address),
        Err(_) => json!({"type": "domain-name", "value": text}),
    };
    Some(match url.host()? {
        Host::Domain(name) => named(name),
        Host::Ipv4(address) => address_object(address.into()),
        Host::Ipv6(address) => address_object(address.into()),
    })
}

fn address_object(address: IpAddr) -> Json {
    json!({"type": if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" }, "value": address.to_string()})
}

/// `is_used` says whether the rule that uses the lists looks at this end of the connection.
fn look_up(object: &Json, is_used: bool, asked: &mut Vec<Lookup>) {
    let value = object.get("value").and_then(Json::as_str);
    match (object["type"].as_str().unwrap_or_default(), value) {
        ("ipv4-addr" | "ipv6-addr", Some(text)) if is_used => asked.extend(address(text).map(Lookup::Address)),
        ("domain-name", Some(text)) if is_used => asked.extend(name(text)),
        ("url", Some(text)) => asked.extend(urls::sent(text).map(|url| Lookup::Url(line(&url, text)))),
        ("file" | "artifact", _) => {
            let hashes = object.get("hashes").and_then(Json::as_object).into_iter().flatten();
            let digests = hashes.filter_map(|(_, digest)| digest.as_str());
            asked.extend(digests.map(|digest| Lookup::Hash(digest.to_ascii_lowercase())));
        }
        _ => {}
    }
}

/// One address. A network is in no packet.
fn address(text: &str) -> Option<IpAddr> {
    match text.split_once('/') {
        Some((address, "32")) if !address.contains(':') => address.parse().ok(),
        Some((address, "128")) => address.parse().ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// A name as it goes over the wire. An address is not asked for: it is connected to.
fn name(text: &str) -> Option<Lookup> {
    if let Ok(address) = text.parse() {
        return Some(Lookup::Address(address));
    }
    let name = if text.is_ascii() { Some(text.to_owned()) } else { idna::domain_to_ascii(text).ok() };
    name.map(Lookup::Name)
}

/// The URL as a proxy writes it down, without a scheme where the text has none.
fn line(url: &Url, text: &str) -> String {
    let line = url.as_str();
    if text.contains("://") { line.to_owned() } else { line.strip_prefix("http://").unwrap_or(line).to_owned() }
}
