//! Observations as the events of logs: what Sigma's rules read.
//!
//! An event says what its sighting says. What a log would have beside it (the other end of a connection, the name of a
//! file of which only the hash is known) is left out where a rule could ask for it, because the sighting does not say
//! it; where one field holds a part that is known and one that is not, the other part is a neutral one.

mod by_mapping;
mod host;
mod log_event;
mod network;
mod registry;
mod variants;

use serde_json::{Map, Value as Json};

pub(super) use by_mapping::Logs;
pub use log_event::LogEvent;
pub(super) use network::settled;
pub use variants::variants;

use crate::witness::{Object, Sighting};

/// A kind of log, in Sigma's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogSource {
    /// As SigmaHQ begins the names of rule files for it: `proc_creation_win`.
    pub name: &'static str,
    /// `process_creation`.
    pub category: Option<&'static str>,
    /// `windows`.
    pub product: Option<&'static str>,
    /// `security`.
    pub service: Option<&'static str>,
}

impl LogSource {
    const fn category(name: &'static str, category: &'static str, product: Option<&'static str>) -> Self {
        Self { name, category: Some(category), product, service: None }
    }

    const fn service(name: &'static str, product: &'static str, service: &'static str) -> Self {
        Self { name, category: None, product: Some(product), service: Some(service) }
    }
}

/// An event of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where it stands.
    pub log_source: LogSource,
    /// When it was, in microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Field names with strings and numbers.
    pub fields: Map<String, Json>,
    machine: Machine,
}

/// On which machines things are sighted. Observations say nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// All on one.
    Same,
    /// Each on another.
    Apart,
}

/// How many ways of writing the same there are: see [`show`].
pub const SPELLINGS: usize = 4;

/// The events that show these sightings, the earliest first.
///
/// Logs write the same in several ways: a name in capitals, an IPv6 address in full, an address at either end of a
/// connection, the account that logs on or the one that lets it. `spelling` (of which [`SPELLINGS`] differ) says which.
///
/// ```
/// use serde_json::json;
/// use stixc::{targets::sigma::show::{Hosts, show}, witness::Sighting};
///
/// let name = json!({"0": {"type": "domain-name", "value": "evil.example"}});
/// let sighting = Sighting { at: 0, objects: name.as_object().unwrap().clone() };
/// let events = show(&[sighting], Hosts::Same, 1);
/// let names: Vec<_> = events.iter().map(|event| event.log_source.name).collect();
/// assert_eq!(names, ["dns_query_win", "net_dns", "proxy"]);
/// assert_eq!(events[0].fields["QueryName"], "EVIL.EXAMPLE");
/// ```
#[must_use]
pub fn show(sightings: &[Sighting], hosts: Hosts, spelling: usize) -> Vec<Event> {
    let mut events: Vec<Event> = sighted(sightings, hosts).flat_map(|one| one.events(spelling)).collect();
    events.sort_by_key(|event| event.at);
    events
}

/// A sighting on its machine.
#[derive(Clone, Copy)]
struct Sighted<'s> {
    at: i64,
    object: Object<'s>,
    machine: Machine,
}

fn sighted<'s>(sightings: &'s [Sighting], hosts: Hosts) -> impl Iterator<Item = Sighted<'s>> {
    let one = move |(number, sighting): (usize, &'s Sighting)| {
        let machine = Machine {
            number: if hosts == Hosts::Same { 0 } else { number },
            // A log of the network names its client. It does so here where that ties several events, and not where it
            // would be one more address to match.
            is_named_in_traffic: sightings.len() > 1,
        };
        Some(Sighted { at: sighting.at, object: Object::asked(&sighting.objects)?, machine })
    };
    sightings.iter().enumerate().filter_map(one)
}

impl Sighted<'_> {
    /// The events of the logs that are known here.
    fn events(self, spelling: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let Self { at, machine, object } = self;
        write(object, &mut EventWriter { at, machine, spelling: spelling % SPELLINGS, events: &mut events });
        events
    }
}

fn write(object: Object<'_>, writer: &mut EventWriter<'_>) {
    match object.kind() {
        "file" => host::file(object, writer),
        "directory" => host::directory(object, writer),
        "process" => host::process(object, writer),
        "user-account" => host::account(object, writer),
        "windows-registry-key" => registry::key(object, writer),
        "domain-name" => network::name(object, writer),
        "ipv4-addr" | "ipv6-addr" => network::address(object, writer),
        "url" => network::url(object, writer),
        "network-traffic" => network::traffic(object, writer),
        "x509-certificate" => network::certificate(object, writer),
        // Mail, mutexes, software and the rest stand in none of these logs.
        _ => {}
    }
}

/// Where a sighting was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Machine {
    number: usize,
    is_named_in_traffic: bool,
}

impl Machine {
    fn name(self) -> String {
        format!("ws{:02}.corp.example", self.number + 1)
    }

    /// Its address, from the space of carriers, which no pattern is about.
    fn address(self) -> String {
        format!("100.127.255.{}", self.number % 250 + 1)
    }
}

/// Writes events.
struct EventWriter<'e> {
    at: i64,
    machine: Machine,
    spelling: usize,
    events: &'e mut Vec<Event>,
}

impl EventWriter<'_> {
    /// Writes an event of these fields; those without a value are left out.
    fn write(&mut self, log_source: LogSource, fields: impl IntoIterator<Item = (&'static str, Option<Json>)>) {
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        self.events.push(Event { log_source, at: self.at, fields, machine: self.machine });
    }

    /// An event of Sysmon.
    fn sysmon<const N: usize>(&mut self, log_source: LogSource, id: u16, fields: [(&'static str, Option<Json>); N]) {
        let (channel, provider) = match log_source.product {
            Some("linux") => ("Linux-Sysmon/Operational", "Linux-Sysmon"),
            _ => ("Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon"),
        };
        self.event(log_source, id, (channel, provider), fields);
    }

    /// An event of a machine's own log, by its channel and its provider.
    fn event<const N: usize>(
        &mut self,
        log_source: LogSource,
        id: u16,
        (channel, provider): (&'static str, &'static str),
        fields: [(&'static str, Option<Json>); N],
    ) {
        let around = [
            ("Channel", some(channel)),
            ("Provider_Name", some(provider)),
            ("EventID", Some(Json::from(id))),
            ("Computer", some(self.machine.name())),
        ];
        self.write(log_source, around.into_iter().chain(fields));
    }

    /// A name that ignores letter case, as this spelling has it.
    fn any_case(&self, name: &str) -> String {
        any_case(name, self.spelling)
    }

    /// Whether the sighted address, or account, is the second of the two that an event has.
    fn is_other_end(&self) -> bool {
        self.spelling % 2 == 1
    }
}

/// A name that ignores letter case, as this spelling has it.
fn any_case(name: &str, spelling: usize) -> String {
    match spelling {
        1 => name.to_ascii_uppercase(),
        3 => {
            let mixed = |(index, letter): (usize, char)| match index % 2 {
                0 => letter.to_ascii_uppercase(),
                _ => letter.to_ascii_lowercase(),
            };
            name.chars().enumerate().map(mixed).collect()
        }
        _ => name.to_owned(),
    }
}

/// A value that is there.
fn some(value: impl Into<Json>) -> Option<Json> {
    Some(value.into())
}

/// A value that may be there.
fn json(value: Option<impl Into<Json>>) -> Option<Json> {
    value.map(Into::into)
}
