//! Where a rule or an entry comes from, or why there is none.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    cause::behind,
    index::{Named, Relation, closest},
    output::{Label, Output},
    provenance::{Record, values},
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
    pub indicators: Vec<String>,
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
        let places = places(question, output, &origins);
        // What asks for a value is answered by what names it, and not by all else that an entry was put together from.
        let is_rule = |place: &Place| place.label.list.is_empty() && place.label.id == question.text();
        let is_value = matches!(question.subject, Subject::Value(_)) && !places.iter().any(is_rule);
        let origins = if is_value { origins } else { with_sources(origins, &places, output) };
        let looked_at = output.provenance.as_ref().map(|provenance| (provenance.count(), provenance.feeds()));
        Self { schema: ANSWER_SCHEMA, question: question.text().to_owned(), places, origins, looked_at }
    }

    /// Whether a rule or an entry was found.
    #[must_use]
    pub fn is_found(&self) -> bool {
        !self.places.is_empty()
    }
}

/// The indicators that the question names, itself or by a value, by id.
fn origins(question: &Question, output: &Output) -> Vec<Origin> {
    let Some(provenance) = &output.provenance else { return Vec::new() };
    let mut found = match &question.subject {
        Subject::Indicator(id) => {
            provenance.find(id).map(|record| Origin { record, relation: None }).into_iter().collect()
        }
        subject => provenance.each(|record| {
            // A rule of which the indicators know, though its file may be gone.
            let is_rule = |id| record.targets.values().any(|fate| fate.rules.contains(id));
            let relation = match subject {
                Subject::Rule(id) if is_rule(id) => Some(None),
                _ => closest(values(&record.pattern), &question.values).map(Some),
            };
            relation.map(|relation| Origin { record, relation }).into_iter().collect()
        }),
    };
    found.sort_by(|left, right| left.record.id.cmp(&right.record.id));
    found
}

/// The rules and entries that the question names, and those of the indicators that it names.
fn places(question: &Question, output: &Output, origins: &[Origin]) -> Vec<Place> {
    let rules: BTreeSet<(&str, &str)> = origins.iter().flat_map(|origin| origin.record.rules()).collect();
    let asked = match &question.subject {
        Subject::Indicator(id) => {
            Some((id, origins.iter().flat_map(|origin| values(&origin.record.pattern)).collect()))
        }
        _ => None,
    };
    let asked: Option<(&String, Vec<Named>)> = asked;
    let found = output.items().filter_map(|item| {
        let is_rule = item.list.is_empty();
        let relation = match &asked {
            None if !is_rule => closest([Named::entry(item.id)], &question.values),
            _ => None,
        };
        let is_named = match &asked {
            _ if is_rule && item.id == question.text() => true,
            // Without the indicators, what the rule says of itself is all that is known.
            Some((id, _)) if output.provenance.is_none() || !item.indicators().is_empty() && !is_rule => {
                item.indicators().contains(id)
            }
            // Entries of lists name no indicators: those of an indicator are found by its values.
            Some((_, values)) if !is_rule => {
                let is_in = || origins.iter().any(|origin| origin.record.is_in(item.target));
                is_in() && values.iter().any(|value| is_part(value, item.id))
            }
            Some(_) => rules.contains(&(item.target, item.id)),
            // A rule is asked for alone; a value for all that comes of it.
            None if matches!(question.subject, Subject::Rule(_)) => relation.is_some(),
            None if output.provenance.is_some() => relation.is_some() || rules.contains(&(item.target, item.id)),
            None => relation.is_some() || (is_rule && question.is_in(item.text())),
        };
        is_named.then_some((item, relation))
    });
    let found: Vec<_> = found.collect();
    let indicators = behind(&found.iter().map(|(item, _)| Some(*item)).collect::<Vec<_>>(), output);
    let all = found.into_iter().zip(indicators);
    all.map(|((item, relation), indicators)| Place { label: item.label(), relation, indicators }).collect()
}

/// Whether a value is an entry or lies in it.
fn is_part(value: &Named, entry: &str) -> bool {
    let relation = closest([Named::entry(entry)], std::slice::from_ref(value));
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
