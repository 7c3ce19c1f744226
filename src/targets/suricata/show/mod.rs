//! What sightings look like to a network sensor: conversations in a packet capture.
//!
//! The same thing shows in several ways. A name is asked for in DNS, is the server name of TLS and the `Host` of a
//! request, in small letters or in capitals; an address is the server's or the client's; a file is downloaded or mailed.
//! Each way is a [`Session`]: the whole witness, once. A [`PcapLog`] holds many sessions one behind the other, each in a
//! time of its own, so that the time of an alert names the session.
//!
//! Not shown is what a sensor does not see in the clear: anything on a host, what TLS encrypts (of an `https` URL the
//! host alone is sent; that of a request that was seen by other means is no traffic of this world), a request to a
//! proxy, which is to the proxy.

mod certificate;
mod complete;
mod file;
mod mail;
mod name;
mod payload;
mod pcap_log;
mod traffic;

use std::net::IpAddr;

use serde_json::{Map, Value as Json};

use crate::{
    hex,
    plan::HashAlgorithm,
    witness::{
        Objects, Sighting,
        files::{KnownFiles, digest},
    },
};

pub use complete::complete;
pub use pcap_log::{Appended, PcapLog};

use payload::Payload;

/// One way in which sightings show in the traffic.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    exchanges: Vec<Exchange>,
}

impl Session {
    /// Has hosts of ours in place of a client that the pattern says nothing of: what a sensor remembers of it would tie
    /// sessions together.
    pub fn free(&mut self, client: IpAddr) {
        for Exchange { way: Way { ends, .. }, .. } in &mut self.exchanges {
            if ends.client == Some(client) {
                ends.client = None;
                ends.six = client.is_ipv6();
            }
        }
    }

    /// How many conversations it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Whether nothing shows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }
}

/// One conversation.
#[derive(Debug, Clone, PartialEq)]
struct Exchange {
    /// Microseconds after the first sighting.
    after: u64,
    /// Which host of ours takes part: the same number is the same host.
    host: usize,
    way: Way,
}

/// What is said, and between whom as far as that was seen.
#[derive(Debug, Clone, PartialEq)]
struct Way {
    ends: Ends,
    payload: Payload,
}

/// The two ends of a conversation; whatever is `None` was not seen and may be anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ends {
    client: Option<IpAddr>,
    client_port: Option<u16>,
    server: Option<IpAddr>,
    server_port: Option<u16>,
    /// Whether it is IPv6, where no address tells.
    six: bool,
}

/// A sighting's objects and the files behind its hashes.
#[derive(Clone, Copy)]
struct World<'a> {
    objects: &'a Objects,
    known: &'a KnownFiles,
}

type Object = Map<String, Json>;

/// The ways in which these sightings, the earliest first, show in the traffic: at least one session, which is empty where
/// nothing shows; `None` where there is no such traffic, such as a request with a blank in its target. `known` has the
/// files behind the hashes.
///
/// Several sightings are played all in the same way, then each in another; and, last, each on a host of its own, since
/// nothing in observed data says that they were on one.
#[must_use]
pub fn show(sightings: &[Sighting], known: &KnownFiles) -> Option<Vec<Session>> {
    let shown: Vec<Vec<Way>> =
        sightings.iter().map(|sighting| ways(World { objects: &sighting.objects, known })).collect::<Option<_>>()?;
    // Who takes part in one of them, and in all others as far as was seen, is the host that they have in common.
    let both = |way: &Way| way.ends.client.filter(|_| way.ends.server.is_some());
    let common = shown.iter().flatten().find_map(both);
    let start = sightings.first().map_or(0, |sighting| sighting.at);
    let session = |number: &dyn Fn(usize) -> usize, host: &dyn Fn(usize) -> usize| {
        let exchange = |(place, (sighting, ways)): (usize, (&Sighting, &Vec<Way>))| {
            let way = ways.get(number(place) % ways.len().max(1))?;
            let after = u64::try_from(sighting.at.saturating_sub(start)).unwrap_or_default();
            let mut way = way.clone();
            if sightings.len() > 1 && way.payload == Payload::Attempt {
                // Without an end, the next one between the same ports would be the same conversation.
                way.payload = Payload::connection();
            }
            if host(place) == 0 && way.ends.client.is_none() {
                let family =
                    |address: &IpAddr| way.ends.server.is_none_or(|server| server.is_ipv6() == address.is_ipv6());
                way.ends.client = common.filter(family);
            }
            Some(Exchange { after, host: host(place), way })
        };
        Session { exchanges: sightings.iter().zip(&shown).enumerate().filter_map(exchange).collect() }
    };
    let count = shown.iter().map(Vec::len).max().unwrap_or_default();
    let mut sessions: Vec<Session> = (0..count).map(|number| session(&|_| number, &|_| 0)).collect();
    if sightings.len() > 1 && count > 0 {
        if count > 1 {
            sessions.push(session(&|place| place, &|_| 0));
        }
        sessions.push(session(&|_| 0, &|place| place));
    }
    if sessions.is_empty() {
        sessions.push(Session::default());
    }
    Some(sessions)
}

/// The ways in which one sighting shows: none where it does not, `None` where no traffic is like that.
fn ways(world: World<'_>) -> Option<Vec<Way>> {
    let Some(object) = world.object("0") else { return Some(Vec::new()) };
    match text(object, "type").unwrap_or_default() {
        "domain-name" => name::domain(object),
        "url" => name::url(object),
        "ipv4-addr" | "ipv6-addr" => traffic::address(object),
        "network-traffic" => traffic::traffic(world, object),
        "file" | "artifact" => file::file(world, object),
        "email-addr" => mail::address(object),
        "email-message" => mail::message(world, object),
        "x509-certificate" => certificate::certificate(world, object),
        _ => Some(Vec::new()),
    }
}

impl<'a> World<'a> {
    fn object(self, key: &str) -> Option<&'a Object> {
        self.objects.get(key)?.as_object()
    }

    /// The object that a `_ref` names.
    fn referred(self, object: &Object, property: &str) -> Option<&'a Object> {
        self.object(text(object, property)?)
    }

    /// The objects that `_refs` name.
    fn all_referred(self, object: &Object, property: &str) -> Vec<&'a Object> {
        let keys = object.get(property).and_then(Json::as_array).into_iter().flatten();
        keys.filter_map(|key| self.object(key.as_str()?)).collect()
    }

    /// The known content with one of these hashes.
    fn content(self, object: &Object) -> Option<&'a [u8]> {
        let hashes = object.get("hashes")?.as_object()?;
        hashes.values().find_map(|hash| self.known.content(hash.as_str()?))
    }
}

/// Whether the content has all hashes that the object names.
fn has_hashes(object: &Object, content: &[u8]) -> bool {
    let named = object.get("hashes").and_then(Json::as_object).into_iter().flatten();
    let known = named.filter_map(|(key, hash)| Some((HashAlgorithm::from_key(key)?, hash.as_str()?)));
    known.into_iter().all(|(algorithm, hash)| hash.eq_ignore_ascii_case(&digest(algorithm, content)))
}

fn text<'o>(object: &'o Object, property: &str) -> Option<&'o str> {
    object.get(property)?.as_str()
}

/// The bytes of a `_hex` property; `None` where it stands for none.
fn hex(object: &Object, property: &str) -> Option<Vec<u8>> {
    hex::decode(text(object, property)?)
}
