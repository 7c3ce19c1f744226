//! Where a rule or an entry comes from, or why there is none.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    cause::{Decisive, Reason, behind},
    index::{NamedValue, Relation, closest},
    output::{Item, Label, Output},
    provenance::{Record, values},
    query::{Query, Subject},
};
use crate::report::Status;

/// Version of the form.
pub const ORIGINS_SCHEMA: &str = "stixc-why/1";

/// A rule or an entry that answers the query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// The rule or the entry.
    #[serde(flatten)]
    pub label: Label,
    /// For an entry: how it stands to the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// The indicators behind it.
    pub indicators: Vec<String>,
}

/// An indicator that answers the query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Origin {
    /// The indicator, with what became of it in each target.
    #[serde(flatten)]
    pub record: Record,
    /// How a value of it stands to the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
}

/// Why an indicator that covers the query has nothing in some targets that does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Missing {
    /// Why.
    pub reason: Reason,
    /// The code of what decided; empty where nothing was said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What was said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
    /// The indicator.
    pub indicator: String,
    /// The targets; none where it has none at all.
    pub targets: Vec<String>,
}

/// All that is known about a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Origins {
    /// [`ORIGINS_SCHEMA`].
    pub schema: &'static str,
    /// What was looked up.
    #[serde(rename = "question")]
    pub query: String,
    /// Rules and entries.
    pub places: Vec<Place>,
    /// Indicators, whatever became of them.
    pub origins: Vec<Origin>,
    /// Why those of them that cover it have nothing where nothing covers it.
    pub missing: Vec<Missing>,
    /// How many indicators of how many feeds were looked at; `None` where the run did not keep them.
    pub looked_at: Option<(usize, usize)>,
}

impl Origins {
    /// Looks for what was asked.
    #[must_use]
    pub fn find(query: &Query, output: &Output) -> Self {
        let origins = origins(query, output);
        let places = places(query, output, &origins);
        // What asks for a value is answered by what names it, and not by all else that an entry was put together from.
        let is_rule = |place: &Place| place.label.list.is_empty() && place.label.id == query.text();
        let is_value = matches!(query.subject, Subject::Value(_)) && !places.iter().any(is_rule);
        let origins = if is_value { origins } else { with_sources(origins, &places, output) };
        let looked_at = output.provenance.as_ref().map(|provenance| (provenance.count(), provenance.feeds()));
        let missing = missing(query, &places, &origins);
        Self { schema: ORIGINS_SCHEMA, query: query.text().to_owned(), places, origins, missing, looked_at }
    }

    /// Whether a rule or an entry was found that covers what was asked for.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.places.iter().any(|place| place.relation.is_none_or(Relation::covers))
    }
}

/// The indicators that the question names, itself or by a value, by id.
fn origins(query: &Query, output: &Output) -> Vec<Origin> {
    let Some(provenance) = &output.provenance else { return Vec::new() };
    let mut found = match &query.subject {
        Subject::Indicator(id) => {
            provenance.find(id).map(|record| Origin { record, relation: None }).into_iter().collect()
        }
        subject => provenance.each(|record| {
            // A rule of which the indicators know, though its file may be gone.
            let is_rule = |id| record.targets.values().any(|fate| fate.rules.contains(id));
            let relation = match subject {
                Subject::Rule(id) if is_rule(id) => Some(None),
                _ => closest(values(&record.pattern), &query.values).map(Some),
            };
            relation.map(|relation| Origin { record, relation }).into_iter().collect()
        }),
    };
    found.sort_by(|left, right| left.record.id.cmp(&right.record.id));
    found
}

/// Why the indicators that cover the question have nothing in targets where nothing covers it.
fn missing(query: &Query, places: &[Place], origins: &[Origin]) -> Vec<Missing> {
    let covers = |relation: Option<Relation>| relation.is_none_or(Relation::covers);
    let is_there = |target: &str| places.iter().any(|place| place.label.target == target && covers(place.relation));
    let mut found: Vec<Missing> = Vec::new();
    for record in origins.iter().filter(|origin| covers(origin.relation)).map(|origin| &origin.record) {
        let targets = record.targets.keys().map(String::as_str).filter(|target| !is_there(target));
        let mut own =
            targets.filter_map(|target| Some((Some(target), decisive(query, record, target)?))).collect::<Vec<_>>();
        if record.status != Status::Active {
            own = Decisive::new(record, "").map(|decisive| (None, decisive)).into_iter().collect();
        }
        for (target, Decisive { reason, code, details }) in own {
            let target = target.map(str::to_owned);
            let is_same =
                |one: &&mut Missing| (&one.indicator, one.reason, &one.details) == (&record.id, reason, &details);
            match found.iter_mut().find(is_same) {
                Some(one) => one.targets.extend(target),
                None => found.push(Missing {
                    reason,
                    code,
                    details,
                    indicator: record.id.clone(),
                    targets: target.into_iter().collect(),
                }),
            }
        }
    }
    // What the guard took comes first: it is the one thing that was there and was taken.
    found.sort_by_key(|one| (one.reason != Reason::Guarded, one.reason == Reason::Refused));
    found
}

/// Why a target has nothing of an indicator that covers the question, also where the guard took only a part of it.
fn decisive(query: &Query, record: &Record, target: &str) -> Option<Decisive> {
    Decisive::new(record, target).or_else(|| {
        let all = || record.guarded();
        let found = all().find(|found| found.message.contains(query.text())).or_else(|| all().next())?;
        let (code, details) = (found.code.clone(), found.message.clone());
        Some(Decisive { reason: Reason::Guarded, code, details })
    })
}

/// The rules and entries that the question names, and those of the indicator that it names.
fn places(query: &Query, output: &Output, origins: &[Origin]) -> Vec<Place> {
    let found: Vec<(Item<'_>, Option<Relation>)> = match &query.subject {
        Subject::Indicator(id) => made_of(id, output, origins).into_iter().map(|item| (item, None)).collect(),
        Subject::Rule(text) | Subject::Value(text) => {
            let is_it = |item: Item<'_>| item.list.is_empty() && item.id == text;
            let found = |item| if is_it(item) { Some(None) } else { relation(item, query).map(Some) };
            output.items().filter_map(|item| Some((item, found(item)?))).collect()
        }
    };
    let indicators = behind(&found.iter().map(|(item, _)| Some(*item)).collect::<Vec<_>>(), output);
    let all = found.into_iter().zip(indicators);
    all.map(|((item, relation), indicators)| Place { label: item.label(), relation, indicators }).collect()
}

/// How the closest value that an item asks for stands to what was asked for.
fn relation(item: Item<'_>, query: &Query) -> Option<Relation> {
    closest(item.values().map(NamedValue::entry), &query.values)
}

/// The rules and entries of an indicator.
fn made_of<'o>(id: &str, output: &'o Output, origins: &[Origin]) -> Vec<Item<'o>> {
    // Entries of plain lists name no indicators: those of an indicator are found by its values.
    let mut entries: BTreeMap<&str, Vec<NamedValue>> = BTreeMap::new();
    for record in origins.iter().map(|origin| &origin.record) {
        for target in record.targets.keys() {
            entries.entry(target).or_default().extend(record.entries(target));
        }
    }
    let rules: BTreeSet<(&str, &str)> = origins.iter().flat_map(|origin| origin.record.rules()).collect();
    let is_of_it = |item: &Item<'_>| {
        let is_entry = || entries.get(item.target).is_some_and(|own| own.iter().any(|value| is_part(value, item.id)));
        match (item.indicators().is_empty(), item.list.is_empty()) {
            (false, _) => item.indicators().iter().any(|own| own == id),
            (true, true) => rules.contains(&(item.target, item.id)),
            (true, false) => is_entry(),
        }
    };
    output.items().filter(is_of_it).collect()
}

/// Whether a value is an entry or lies in it.
fn is_part(value: &NamedValue, entry: &str) -> bool {
    let relation = closest([NamedValue::entry(entry)], std::slice::from_ref(value));
    matches!(relation, Some(Relation::Same | Relation::Around))
}

/// The indicators that the question names, and those behind the rules that it names.
fn with_sources(mut origins: Vec<Origin>, places: &[Place], output: &Output) -> Vec<Origin> {
    let Some(provenance) = &output.provenance else { return origins };
    let known: BTreeSet<&str> = origins.iter().map(|origin| origin.record.id.as_str()).collect();
    let others: BTreeSet<&String> =
        places.iter().flat_map(|place| &place.indicators).filter(|id| !known.contains(id.as_str())).collect();
    let others: Vec<Record> = others.into_iter().filter_map(|id| provenance.find(id)).collect();
    origins.extend(others.into_iter().map(|record| Origin { record, relation: None }));
    origins.sort_by(|left, right| left.record.id.cmp(&right.record.id));
    origins
}
