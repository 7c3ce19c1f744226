//! Where a rule or an entry comes from, or why there is none.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    diff::behind,
    index::{Index, Named, Relation},
    output::{Item, Label, Output},
    provenance::Record,
    question::{Question, Subject},
};

/// Version of the form.
pub const ANSWER_SCHEMA: &str = "stixc-why/1";

/// A rule or an entry that answers the question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// The rule or the entry.
    #[serde(flatten)]
    pub label: Label,
    /// For an entry: how it stands to the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// The indicators behind it.
    pub indicators: BTreeSet<String>,
}

/// An indicator that answers the question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Origin {
    /// The indicator, with what became of it in each target.
    #[serde(flatten)]
    pub record: Record,
    /// How a value of it stands to the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
}

/// All that is known about a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// [`ANSWER_SCHEMA`].
    pub schema: &'static str,
    /// What was looked up.
    pub question: String,
    /// Rules and entries.
    pub places: Vec<Place>,
    /// Indicators, whatever became of them.
    pub origins: Vec<Origin>,
    /// How many indicators of how many feeds were looked at; `None` where the run did not keep them.
    pub looked_at: Option<(usize, usize)>,
}

impl Answer {
    /// Looks for what was asked.
    #[must_use]
    pub fn find(question: &Question, output: &Output) -> Self {
        let origins = origins(question, output);
        let known: BTreeMap<&str, Option<Relation>> =
            origins.iter().map(|origin| (origin.record.id.as_str(), origin.relation)).collect();
        let places = places(question, output, &known);
        // What asks for a value is answered by what names it, and not by all else that an entry was put together from.
        let is_value = matches!(question.subject, Subject::Value(_));
        let origins = if is_value { origins } else { with_sources(origins, &places, output) };
        let looked_at = output.provenance.as_ref().map(|provenance| {
            let feeds: BTreeSet<&str> = provenance.records().iter().map(|record| record.source.as_str()).collect();
            (provenance.records().len(), feeds.len())
        });
        Self { schema: ANSWER_SCHEMA, question: question.text().to_owned(), places, origins, looked_at }
    }

    /// Whether a rule or an entry was found.
    #[must_use]
    pub fn is_found(&self) -> bool {
        !self.places.is_empty()
    }
}

/// The indicators that the question names, itself or by a value.
fn origins(question: &Question, output: &Output) -> Vec<Origin> {
    let Some(provenance) = &output.provenance else { return Vec::new() };
    let mut found: BTreeMap<&str, (&Record, Option<Relation>)> = BTreeMap::new();
    match &question.subject {
        Subject::Indicator(id) => {
            found.extend(provenance.find(id).map(|record| (record.id.as_str(), (record, None))));
        }
        Subject::Rule(_) | Subject::Value(_) => {
            for (record, how) in question.values.iter().flat_map(|value| provenance.naming(value)) {
                let held = found.entry(&record.id).or_insert((record, Some(how)));
                held.1 = held.1.min(Some(how));
            }
        }
    }
    if let Subject::Rule(id) = &question.subject {
        // A rule of which the indicators know, though its file is gone.
        let of_it = crate::target::TARGETS.iter().flat_map(|target| provenance.behind(target.name(), id));
        found.extend(of_it.map(|record| (record.id.as_str(), (record, None))));
    }
    found.into_values().map(|(record, relation)| Origin { record: record.clone(), relation }).collect()
}

/// The rules and entries that the question names, and those of the indicators that it names.
fn places(question: &Question, output: &Output, known: &BTreeMap<&str, Option<Relation>>) -> Vec<Place> {
    let items: Vec<&Item> = output.items().collect();
    let mut entries = Index::default();
    for (number, item) in items.iter().enumerate().filter(|(_, item)| !item.label.list.is_empty()) {
        entries.add(Named::entry(&item.label.id), number);
    }
    let mut related: BTreeMap<usize, Relation> = BTreeMap::new();
    if !matches!(question.subject, Subject::Indicator(_)) {
        for (number, how) in question.values.iter().flat_map(|value| entries.related(value)) {
            let held = related.entry(number).or_insert(how);
            *held = how.min(*held);
        }
    }
    let rules: BTreeSet<(&str, &str)> =
        output.provenance.iter().flat_map(|provenance| provenance.rules_of(known.keys().copied())).collect();
    // A rule is asked for alone; a value and an indicator for all that comes of them.
    let is_alone = matches!(question.subject, Subject::Rule(_));
    let mut places = Vec::new();
    for (number, item) in items.into_iter().enumerate() {
        let relation = related.get(&number).copied();
        // Without the indicators, what the rule says of itself is all that is known.
        let is_derived = || match output.provenance {
            Some(_) => rules.contains(&(item.label.target.as_str(), item.label.id.as_str())),
            None => {
                item.indicators.iter().any(|id| id == question.text())
                    || (item.label.list.is_empty() && question.is_in(&item.matching))
            }
        };
        let is_named = relation.is_some()
            || (item.label.list.is_empty() && item.label.id == question.text())
            || (!is_alone && is_derived());
        // Entries of lists name no indicators: those of an indicator are found by its values.
        let is_of_it = || {
            matches!(question.subject, Subject::Indicator(_))
                && !known.is_empty()
                && !item.label.list.is_empty()
                && behind(item, output).contains(question.text())
        };
        if is_named || is_of_it() {
            places.push(Place { label: item.label.clone(), relation, indicators: behind(item, output) });
        }
    }
    places
}

/// The indicators that the question names, and those behind the rules that it names.
fn with_sources(mut origins: Vec<Origin>, places: &[Place], output: &Output) -> Vec<Origin> {
    let Some(provenance) = &output.provenance else { return origins };
    let known: BTreeSet<String> = origins.iter().map(|origin| origin.record.id.clone()).collect();
    let others: BTreeSet<&String> =
        places.iter().flat_map(|place| &place.indicators).filter(|id| !known.contains(*id)).collect();
    let others = others.into_iter().filter_map(|id| provenance.find(id));
    origins.extend(others.map(|record| Origin { record: record.clone(), relation: None }));
    origins.sort_by(|left, right| left.record.id.cmp(&right.record.id));
    origins
}
