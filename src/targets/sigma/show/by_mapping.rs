//! Events as the logs of the mapping in use have them.
//!
//! What the logs of the shipped mapping hold is known here field by field, and not from the mapping: a wrong row of it does
//! not prove itself. A field that a mapping has in the place of a known one, for the same property in the same form, holds
//! what the known one does. Of other fields the form of the row says what they hold; where it needs more than the property,
//! no one can show the field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::{
    Event, Hosts, LogEvent, SPELLINGS, Sighted, any_case, host,
    network::{sent, written},
    sighted,
};
use crate::{
    plan::{Plan, serial_octets},
    targets::{
        mapping::Row,
        sigma::mapping_rows::{Constant, Field, FieldForm, LogSource, Table, Word},
    },
    witness::Sighting,
};

/// The logs of a mapping.
pub(in crate::targets::sigma) struct Logs<'m> {
    table: &'m Table,
    logs: Vec<Log<'m>>,
}

/// A log source of the mapping, as far as it is known.
struct Log<'m> {
    source: &'m LogSource,
    /// Its number in the mapping.
    number: usize,
    /// The log that it is, by its name among those that are known.
    known: Option<&'m str>,
    moves: Vec<Move<'m>>,
    /// Fields of the known log that it does not have.
    dropped: BTreeSet<&'m str>,
    rows: Vec<(&'m str, &'m Row<Field>)>,
    /// Rows whose fields no one can show.
    not_testable: Vec<&'m Field>,
}

/// A field with the value of a known one.
struct Move<'m> {
    from: &'m str,
    to: &'m str,
    /// What the event has where the known field means the property, and what this one has then.
    where_known: &'m BTreeMap<Word, Constant>,
    also: &'m BTreeMap<Word, Constant>,
}

impl<'m> Logs<'m> {
    /// The logs of `table`, of which those of the `shipped` one are known.
    pub(in crate::targets::sigma) fn new(table: &'m Table, shipped: &'m Table) -> Self {
        let logs = (0..table.data_sources().len()).map(|number| Log::new(table, number, shipped)).collect();
        Self { table, logs }
    }

    /// The runs of events that show sightings in each spelling; of several sightings on one machine, and on several.
    pub(in crate::targets::sigma) fn runs(&self, sightings: &[Sighting]) -> Vec<(Hosts, Vec<LogEvent>)> {
        let hosts: &[Hosts] = if sightings.len() > 1 { &[Hosts::Same, Hosts::Apart] } else { &[Hosts::Same] };
        let mut runs: Vec<(Hosts, Vec<LogEvent>)> = Vec::new();
        for hosts in hosts {
            for spelling in 0..SPELLINGS {
                let mut events: Vec<LogEvent> =
                    sighted(sightings, *hosts).flat_map(|one| self.events(one, spelling)).collect();
                events.sort_by(|one, other| one.at.total_cmp(&other.at));
                if !runs.iter().any(|(_, run)| *run == events) {
                    runs.push((*hosts, events));
                }
            }
        }
        runs
    }

    /// Whether an event stands in the log source `name`.
    pub(in crate::targets::sigma) fn holds(&self, name: &str, event: &LogEvent) -> bool {
        let is_there = |(key, value): &(String, String)| event.logsource.get(key) == Some(value);
        self.log(name).is_some_and(|log| log.logsource().all(|pair| is_there(&pair)))
    }

    fn log(&self, name: &str) -> Option<&Log<'m>> {
        self.logs.iter().find(|log| self.table.data_sources()[log.number].name == name)
    }

    fn events(&self, sighted: Sighted<'_>, spelling: usize) -> Vec<LogEvent> {
        let known = sighted.events(spelling);
        let mut events = Vec::new();
        // In the order of the known events, so that the shipped mapping leaves all as it is.
        for event in &known {
            let logs = self.logs.iter().filter(|log| log.known == Some(event.log_source.name));
            events.extend(logs.map(|log| log.event(log.moved(event), sighted, spelling)));
        }
        for log in &self.logs {
            let is_seen = known.iter().any(|event| log.known == Some(event.log_source.name));
            let own = log.own_fields(sighted, spelling);
            if !is_seen && !own.is_empty() {
                events.push(log.event(Map::new(), sighted, spelling));
            }
        }
        events
    }

    /// The fields that no one can show and that a rule for the log source `name` may ask for.
    pub(in crate::targets::sigma) fn not_testable(&self, name: &str, plan: &Plan) -> Vec<String> {
        let Some(log) = self.log(name) else { return Vec::new() };
        let is_not_testable = |field: &&Field| log.not_testable.iter().any(|one| std::ptr::eq(*one, *field));
        let asked = plan.tests().flat_map(|test| self.table.rows(log.number, test)).filter(is_not_testable);
        let names: BTreeSet<&str> = asked.map(|field| field.field.as_str()).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

impl<'m> Log<'m> {
    fn new(table: &'m Table, number: usize, shipped: &'m Table) -> Self {
        let own = &table.data_sources()[number];
        let sources = shipped.data_sources();
        let keys = |source: &LogSource| [source.category.clone(), source.product.clone(), source.service.clone()];
        let by_name = sources.iter().position(|source| source.name == own.name);
        let base = by_name.or_else(|| sources.iter().position(|source| keys(&source.data) == keys(&own.data)));
        let all = || table.all_rows().filter(|(_, row)| row.data_source == number);
        let known_rows: Vec<_> = shipped.all_rows().filter(|(_, row)| Some(row.data_source) == base).collect();
        let mut log = Self {
            source: &own.data,
            number,
            known: base.map(|base| sources[base].name.as_str()),
            moves: Vec::new(),
            dropped: known_rows.iter().map(|(_, row)| row.data.field.as_str()).collect(),
            rows: Vec::new(),
            not_testable: Vec::new(),
        };
        for (property, row) in all() {
            log.dropped.remove(row.data.field.as_str());
            let is_the_same = |(known, other): &&(&str, &Row<Field>)| {
                *known == property
                    && other.referent == row.referent
                    && (other.data.form, &other.data.role) == (row.data.form, &row.data.role)
            };
            match known_rows.iter().find(is_the_same) {
                Some((_, known)) => log.moves.push(Move {
                    from: known.data.field.as_str(),
                    to: row.data.field.as_str(),
                    where_known: &known.data.also,
                    also: &row.data.also,
                }),
                None if is_told_by_form(property, row.data.form) => log.rows.push((property, row)),
                None => log.not_testable.push(&row.data),
            }
        }
        let tie = |source: &'m LogSource| source.tie.as_ref().map(|tie| tie.field.as_str());
        if let (Some(from), Some(to)) = (base.and_then(|base| tie(&sources[base].data)), tie(&own.data)) {
            let nothing = const { &BTreeMap::new() };
            log.moves.push(Move { from, to, where_known: nothing, also: nothing });
        }
        log
    }

    /// The fields of a known event, by the names that they have here.
    fn moved(&self, event: &Event) -> Map<String, Json> {
        let mut fields = event.fields.clone();
        let holds = |(name, value): (&Word, &Constant)| event.fields.get(name.as_str()) == Some(&Json::from(value));
        for Move { from, to, where_known, also } in &self.moves {
            let Some(value) = event.fields.get(*from).filter(|_| where_known.iter().all(holds)) else { continue };
            if from != to {
                fields.insert((*to).to_owned(), value.clone());
            }
            fields.extend(constants(also));
        }
        let is_gone = |name: &str| {
            let moved = self.moves.iter().any(|one| one.from == name && one.to != name);
            let stays = self.moves.iter().any(|one| one.to == name);
            self.dropped.contains(name) || (moved && !stays)
        };
        fields.retain(|name, _| !is_gone(name));
        fields
    }

    /// The event with the fields that only the mapping tells of.
    fn event(&self, mut fields: Map<String, Json>, sighted: Sighted<'_>, spelling: usize) -> LogEvent {
        let LogSource { given, tie, .. } = self.source;
        fields.extend(self.own_fields(sighted, spelling));
        fields.extend(constants(given));
        if let Some(tie) = tie.as_ref().filter(|_| self.known.is_none()) {
            let machine = sighted.machine;
            let name = match tie.by.as_str() {
                "client" => machine.is_named_in_traffic.then(|| machine.address()),
                _ => Some(machine.name()),
            };
            fields.extend(name.map(|name| (tie.field.as_str().to_owned(), name.into())));
        }
        // Microseconds of our time are exact in a float.
        LogEvent { at: sighted.at as f64 / 1e6, logsource: self.logsource().collect(), fields }
    }

    /// Sigma's keys of the log source.
    fn logsource(&self) -> impl Iterator<Item = (String, String)> {
        let LogSource { category, product, service, .. } = self.source;
        let keys = [("category", category), ("product", product), ("service", service)];
        keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.as_ref()?.as_str().to_owned())))
    }

    fn own_fields(&self, sighted: Sighted<'_>, spelling: usize) -> Map<String, Json> {
        let mut fields = Map::new();
        for (property, row) in &self.rows {
            let roles: Vec<&str> = self
                .rows
                .iter()
                .filter(|(other, _)| other == property)
                .map(|(_, row)| row.data.role.as_str())
                .collect();
            let turn = roles.get(spelling % roles.len().max(1));
            if !row.data.role.is_empty() && turn != Some(&row.data.role.as_str()) {
                continue;
            }
            let Some(value) = value(property, row, sighted, spelling) else { continue };
            let name = row.data.field.as_str();
            let value = match (fields.get(name).and_then(Json::as_str), value.as_str()) {
                // All hashes of a file stand in one field.
                (Some(others), Some(own)) if row.data.form == FieldForm::Hash => format!("{others},{own}").into(),
                (Some(_), _) => continue,
                _ => value,
            };
            fields.insert(name.to_owned(), value);
            fields.extend(constants(&row.data.also));
        }
        fields
    }
}

fn constants(all: &BTreeMap<Word, Constant>) -> impl Iterator<Item = (String, Json)> {
    all.iter().map(|(name, value)| (name.as_str().to_owned(), Json::from(value)))
}

impl From<&Constant> for Json {
    fn from(constant: &Constant) -> Self {
        match constant {
            Constant::Number(number) => (*number).into(),
            Constant::Text(text) => text.as_str().into(),
        }
    }
}

/// Whether a property and the form of its row tell what is in the field.
fn is_told_by_form(property: &str, form: FieldForm) -> bool {
    match form {
        FieldForm::RegistryKey
        | FieldForm::RegistryPath
        | FieldForm::RegistryName
        | FieldForm::RegistryData
        | FieldForm::StreamName => false,
        FieldForm::WindowsName
        | FieldForm::WindowsFolder
        | FieldForm::WindowsPath
        | FieldForm::UnixName
        | FieldForm::UnixFolder
        | FieldForm::UnixPath => true,
        // Of a list an event shows one element, and which one only the log itself could tell.
        FieldForm::Transport => true,
        _ => ![".*", "[*]", " + "].iter().any(|several| property.contains(several)),
    }
}

/// What stands in the field of a row.
fn value(property: &str, row: &Row<Field>, sighted: Sighted<'_>, spelling: usize) -> Option<Json> {
    let (object_type, path) = property.split_once(':')?;
    let object = Some(sighted.object).filter(|object| object.kind() == object_type)?;
    let form = row.data.form;
    if let FieldForm::WindowsName
    | FieldForm::WindowsFolder
    | FieldForm::WindowsPath
    | FieldForm::UnixName
    | FieldForm::UnixFolder
    | FieldForm::UnixPath = form
    {
        let is_unix = matches!(form, FieldForm::UnixName | FieldForm::UnixFolder | FieldForm::UnixPath);
        return host::path(object, path, is_unix).map(Json::from);
    }
    let found = object.follow(path, &row.referent)?;
    let text = || found.as_str();
    Some(match form {
        FieldForm::Address => written(text()?, spelling).into(),
        FieldForm::Domain => any_case(text()?, spelling).into(),
        FieldForm::Url => {
            // Without a scheme it is what people write for a page.
            let scheme = if text()?.contains("://") { "" } else { ["http://", "https://"][spelling % 2] };
            sent(&format!("{scheme}{}", text()?)).into()
        }
        FieldForm::Hash => {
            let algorithm = path.rsplit('.').next()?.trim_matches('\'').replace('-', "").to_ascii_uppercase();
            format!("{algorithm}={}", text()?.to_ascii_uppercase()).into()
        }
        FieldForm::Directory => format!("{}\\", text()?.trim_end_matches('\\')).into(),
        FieldForm::Account if !text()?.contains('\\') => format!("CORP\\{}", text()?).into(),
        FieldForm::Serial => serial_octets(text()?).unwrap_or_else(|| text().unwrap_or_default().to_owned()).into(),
        FieldForm::Transport => text().filter(|name| ["tcp", "udp"].contains(name))?.into(),
        _ => found.clone(),
    })
}
