//! The world of blocklists: what is looked up before something is let through.
//!
//! A firewall looks up the addresses of a packet, a resolver the name that it is asked for, a proxy the URL, an endpoint
//! the hashes of a file. Who asks for a URL asks for its host first, so that shows too.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use url::{Host, Url};

use super::yara;
use crate::witness::{Objects, Sighting, stand_in::StandIn};

/// Something that is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// An end of a connection.
    Address(IpAddr),
    /// A name, in A-labels, in the spelling that was asked for. Resolvers ignore letter case.
    Name(String),
    /// A URL as a client sends it: without user name, password and fragment.
    Url(String),
    /// A hash of a file's content, in lower-case hexadecimal.
    Hash(String),
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
/// `None` where no file is like the one that a sighting describes, see [`yara::project`].
///
/// ```
/// use serde_json::json;
/// use stixc::{pattern, plan::lower::lower, witness::{Sighting, stand_in::stand_in}};
/// use stixc::witness::project::blocklist::{Lookup, project};
///
/// let plan = lower(&pattern::parse("[url:value = 'http://evil.example/a']").unwrap()).plan;
/// let objects = json!({"0": {"type": "url", "value": "http://evil.example/a"}}).as_object().unwrap().clone();
/// let lookups = project(&[Sighting { at: 0, objects }], &stand_in(&plan)).unwrap();
/// let expected = [Lookup::Name("evil.example".to_owned()), Lookup::Url("http://evil.example/a".to_owned())];
/// assert_eq!(lookups.asked, expected);
/// ```
#[must_use]
pub fn project(sightings: &[Sighting], known: &StandIn) -> Option<Lookups> {
    let mut seen = yara::project(sightings, known, 0)?.seen;
    let mut asked = Vec::new();
    for sighting in &mut seen {
        hosts(&mut sighting.objects);
        sighting.objects.values().for_each(|object| look_up(object, &mut asked));
    }
    asked.sort();
    asked.dedup();
    Some(Lookups { asked, seen })
}

/// Adds the host of each URL, as the object that it is.
fn hosts(objects: &mut Objects) {
    let urls = objects.values().filter(|object| object["type"] == "url").filter_map(|object| object["value"].as_str());
    let hosts: Vec<Json> = urls.filter_map(|text| host(&sent(text)?)).collect();
    for (number, host) in hosts.into_iter().enumerate() {
        objects.insert(format!("host-{number}"), host);
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

fn look_up(object: &Json, asked: &mut Vec<Lookup>) {
    let value = object.get("value").and_then(Json::as_str);
    match (object["type"].as_str().unwrap_or_default(), value) {
        ("ipv4-addr" | "ipv6-addr", Some(text)) => asked.extend(address(text).map(Lookup::Address)),
        ("domain-name", Some(text)) => asked.extend(name(text).map(Lookup::Name)),
        ("url", Some(text)) => asked.extend(sent(text).map(|url| Lookup::Url(line(&url, text)))),
        ("file" | "artifact", _) => {
            let hashes = object.get("hashes").and_then(Json::as_object).into_iter().flatten();
            let digests = hashes.filter_map(|(_, digest)| digest.as_str());
            asked.extend(digests.map(|digest| Lookup::Hash(digest.to_ascii_lowercase())));
        }
        _ => {}
    }
}

/// One address. A network is in no packet; its first address is.
fn address(text: &str) -> Option<IpAddr> {
    text.split('/').next()?.parse().ok()
}

/// A name as it goes over the wire.
fn name(text: &str) -> Option<String> {
    if text.is_ascii() { Some(text.to_owned()) } else { idna::domain_to_ascii(text).ok() }
}

/// A URL as its client reads it. Without a scheme it is one of http.
fn sent(text: &str) -> Option<Url> {
    let mut url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) }.ok()?;
    url.set_fragment(None);
    // A URL without a host has neither, and nothing to strip.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(url)
}

/// The URL as a proxy writes it down, without a scheme where the text has none.
fn line(url: &Url, text: &str) -> String {
    let line = url.as_str();
    if text.contains("://") { line.to_owned() } else { line.strip_prefix("http://").unwrap_or(line).to_owned() }
}
