//! Which Sigma rules match which events, by rsigma: `rsigma-match CASES.json`.
//!
//! The file's form, and that of the answer, are those of `templates/sigma/match.py`, which asks
//! another evaluator. Here each match is one event: the one with which the rule, or the correlation, was satisfied.

use std::{collections::BTreeMap, env, fs, io, process::ExitCode};

use rsigma_eval::{CorrelationConfig, CorrelationEngine, EvaluationResult, event::JsonEvent};
use rsigma_parser::{LogSource, SigmaCollection, parse_sigma_yaml};
use serde::Deserialize;
use serde_json::Value;

/// Rules, and the runs of events that each begin with nothing seen before.
#[derive(Deserialize)]
struct Case {
    /// YAML documents.
    rules: Vec<String>,
    runs: Vec<Vec<Event>>,
}

#[derive(Deserialize)]
struct Event {
    /// Seconds since 1970.
    #[serde(default)]
    at: f64,
    /// `category`, `product` and `service`. Without it the event is one for each rule.
    logsource: Option<BTreeMap<String, String>>,
    fields: Value,
}

/// For each rule, by its id, the events with which it was satisfied.
type Matches = BTreeMap<String, Vec<[usize; 1]>>;

/// rsigma counts whole seconds. Here all times are so many times as long, so that it counts microseconds.
const STRETCH: u64 = 1_000_000;

/// Later than any event: nothing that was seen counts any more.
const NEVER: i64 = i64::MAX / 4;

fn main() -> ExitCode {
    match matches(env::args().nth(1).unwrap_or_default().as_str()) {
        Ok(found) => {
            serde_json::to_writer(io::stdout().lock(), &found).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn matches(path: &str) -> Result<Vec<Vec<Matches>>, String> {
    let text = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let cases: Vec<Case> = serde_json::from_slice(&text).map_err(|error| format!("{path}: {error}"))?;
    let answer = |(number, case): (usize, &Case)| case.answer().map_err(|error| format!("case {number}: {error}"));
    cases.iter().enumerate().map(answer).collect()
}

impl Case {
    fn answer(&self) -> Result<Vec<Matches>, String> {
        let collection = self.collection()?;
        let mut engine =
            CorrelationEngine::new(CorrelationConfig { emit_detections: false, ..CorrelationConfig::default() });
        engine.add_collection(&collection).map_err(|error| error.to_string())?;
        let sources: BTreeMap<&str, &LogSource> =
            collection.rules.iter().filter_map(|rule| Some((rule.id.as_deref()?, &rule.logsource))).collect();
        let correlations = collection.correlations.iter().filter_map(|rule| rule.id.as_deref());
        let ids: Vec<&str> = sources.keys().copied().chain(correlations).collect();
        if ids.len() != collection.rules.len() + collection.correlations.len() {
            return Err("a rule without an id, or one that another has".to_owned());
        }
        Ok(self.runs.iter().map(|run| answer(&mut engine, run, &sources, &ids)).collect())
    }

    fn collection(&self) -> Result<SigmaCollection, String> {
        let mut all = SigmaCollection::new();
        for text in &self.rules {
            let SigmaCollection { rules, correlations, errors, .. } =
                parse_sigma_yaml(text).map_err(|error| error.to_string())?;
            if let Some(error) = errors.into_iter().next() {
                return Err(error);
            }
            all.rules.extend(rules);
            all.correlations.extend(correlations);
        }
        for correlation in &mut all.correlations {
            correlation.timespan.seconds = correlation.timespan.seconds.saturating_mul(STRETCH);
        }
        if all.rules.is_empty() { Err("no rule".to_owned()) } else { Ok(all) }
    }
}

fn answer(
    engine: &mut CorrelationEngine,
    run: &[Event],
    sources: &BTreeMap<&str, &LogSource>,
    ids: &[&str],
) -> Matches {
    let mut found: Matches = ids.iter().map(|id| ((*id).to_owned(), Vec::new())).collect();
    for (index, event) in run.iter().enumerate() {
        let fields = JsonEvent::borrow(&event.fields);
        let mut detections = engine.evaluate(&fields);
        detections.retain(|detection| {
            id(detection).and_then(|id| sources.get(id)).is_none_or(|wanted| event.is_from(wanted))
        });
        for satisfied in engine.process_with_detections(&fields, detections, (event.at * STRETCH as f64).round() as i64)
        {
            if let Some(matches) = id(&satisfied).and_then(|id| found.get_mut(id)) {
                matches.push([index]);
            }
        }
    }
    engine.evict_expired(NEVER);
    found
}

fn id(result: &EvaluationResult) -> Option<&str> {
    result.header.rule_id.as_deref()
}

impl Event {
    fn is_from(&self, wanted: &LogSource) -> bool {
        let Some(own) = &self.logsource else { return true };
        [("category", &wanted.category), ("product", &wanted.product), ("service", &wanted.service)]
            .into_iter()
            .all(|(key, value)| value.is_none() || value.as_ref() == own.get(key))
    }
}
