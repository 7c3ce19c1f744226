//! What the installed engines make of witnesses: each rule, held against its verdict.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Serialize;

use crate::{
    targets::{
        Target,
        program::EngineError,
        proof::{EngineRun, Quiet},
    },
    witness::{
        check_verdict::{CaseResult, Disagreement, check_verdict},
        index::{Case, PatternCases, TestedRule},
    },
};

/// What became of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It fires on a witness and is silent where it has to be.
    Fires,
    /// It is a part of other rules, and never fires by itself.
    Serves,
    /// Nothing can be shown to it.
    NotWitnessable,
    /// It asks for a field that no one here can show.
    NotTestable,
    /// Nobody here can run it.
    EngineMissing,
    /// It does not do what its verdict says.
    Fails,
}

/// One rule in the report.
#[derive(Debug, Serialize)]
pub struct RuleReport {
    /// The target.
    pub target: String,
    /// Its id.
    pub rule: String,
    /// The first indicator of its pattern.
    pub indicator: String,
    /// What became of it.
    pub state: State,
    /// On how many cases that the pattern matches it fired.
    pub fired: usize,
    /// On how many others it was silent.
    pub silent: usize,
    /// What is wrong, or why there is no witness.
    pub notes: Vec<String>,
}

/// One engine in the report.
#[derive(Debug, Serialize)]
pub struct EngineReport {
    /// The target.
    pub target: String,
    /// Its version, or why it is missing.
    pub engine: String,
    /// Whether it is missing.
    pub missing: bool,
    /// Why it refused the rules as a whole; empty where it did not.
    pub refused: Vec<String>,
}

/// Runs the engine of a target over the cases of these patterns, whose files are in `folder`. `target` is `None` for one
/// that this program does not have; `sample` has the indicators that are looked at, or is `None` for all.
#[must_use]
pub fn verify(
    name: &str,
    target: Option<&dyn Target>,
    patterns: &[PatternCases],
    sample: Option<&BTreeSet<&str>>,
    folder: &Path,
) -> (EngineReport, Vec<RuleReport>) {
    let engine = target.and_then(Target::engine);
    let is_looked_at = |pattern: &PatternCases| sample.is_none_or(|ids| ids.contains(pattern.id.as_str()));
    let chosen: Cow<'_, [PatternCases]> = match &engine {
        Some(engine) if sample.is_some() && !engine.needs_all() => {
            patterns.iter().filter(|pattern| is_looked_at(pattern)).cloned().collect()
        }
        _ => patterns.into(),
    };
    let patterns = &*chosen;
    let run = match engine {
        Some(engine) => engine.run(folder, patterns),
        None => Err(EngineError::Missing(format!("no engine is known for {name}"))),
    };
    let in_state = |state| {
        let own = |pattern: &PatternCases| {
            pattern.rules.iter().map(|rule| unseen(name, pattern, rule, state, Vec::new())).collect::<Vec<_>>()
        };
        patterns.iter().filter(|pattern| is_looked_at(pattern)).flat_map(own).collect()
    };
    let mut report =
        EngineReport { target: name.to_owned(), engine: String::new(), missing: false, refused: Vec::new() };
    let rules = match run {
        Ok(EngineRun { engine, fired, quiet, refused }) => {
            report.engine = engine;
            report.refused = refused;
            let seen = patterns.iter().zip(fired).filter(|(pattern, _)| is_looked_at(pattern));
            seen.flat_map(|(pattern, fired)| checked(name, pattern, &fired, &quiet)).collect()
        }
        Err(EngineError::Missing(why)) => {
            report.engine = why;
            report.missing = true;
            in_state(State::EngineMissing)
        }
        Err(EngineError::Failed(why)) => {
            report.refused = vec![why];
            in_state(State::Fails)
        }
    };
    (report, rules)
}

/// A rule in a state in which nothing was seen of it.
fn unseen(target: &str, pattern: &PatternCases, rule: &TestedRule, state: State, notes: Vec<String>) -> RuleReport {
    RuleReport {
        target: target.to_owned(),
        rule: rule.id.clone(),
        indicator: pattern.id.clone(),
        state,
        fired: 0,
        silent: 0,
        notes,
    }
}

/// The rules of a pattern, held against its verdict.
fn checked(
    target: &str,
    pattern: &PatternCases,
    fired: &[BTreeSet<String>],
    quiet: &BTreeMap<String, Quiet>,
) -> Vec<RuleReport> {
    let speaks = |rule: &&TestedRule| rule.not_testable.is_empty() && !quiet.contains_key(&rule.id);
    let rules: Vec<&str> = pattern.rules.iter().filter(speaks).map(|rule| rule.id.as_str()).collect();
    // What no rule that is left fires on, one of the others may.
    let is_partial = pattern.rules.iter().any(|rule| !rule.not_testable.is_empty());
    let result = |(case, fired): (&Case, &BTreeSet<String>)| CaseResult {
        matches: case.matches,
        fired: (0..rules.len()).filter(|number| fired.contains(rules[*number])).collect(),
    };
    let results: Vec<CaseResult> = pattern.cases.iter().zip(fired).map(result).collect();
    let mut found =
        if results.is_empty() { Vec::new() } else { check_verdict(pattern.verdict.into(), rules.len(), &results) };
    found.retain(|one| !(is_partial && matches!(one, Disagreement::Silent(_))));
    let count = |number: usize, matches: bool, fires: bool| {
        results.iter().filter(|one| one.matches == matches && one.fired.contains(&number) == fires).count()
    };
    let report = |rule: &TestedRule| {
        let Some(number) = rules.iter().position(|id| *id == rule.id) else {
            let (state, notes) = match quiet.get(&rule.id) {
                _ if !rule.not_testable.is_empty() => (State::NotTestable, rule.not_testable.clone()),
                Some(Quiet::Serves) => (State::Serves, Vec::new()),
                _ => (State::NotWitnessable, vec!["this version of the engine skips it".to_owned()]),
            };
            return unseen(target, pattern, rule, state, notes);
        };
        let mut notes: Vec<String> = found.iter().filter_map(|one| complaint(one, number, &results, pattern)).collect();
        let mut told = BTreeSet::new();
        notes.retain(|note| told.insert(note.clone()));
        let (fired, silent) = (count(number, true, true), count(number, false, false));
        let state = match (notes.is_empty(), fired) {
            (false, _) => State::Fails,
            (true, 0) => State::NotWitnessable,
            (true, _) => State::Fires,
        };
        if state == State::NotWitnessable {
            notes.extend(pattern.notes.iter().cloned());
        }
        RuleReport { fired, silent, ..unseen(target, pattern, rule, state, notes) }
    };
    pattern.rules.iter().map(report).collect()
}

/// What a disagreement says about one rule of its pattern.
fn complaint(found: &Disagreement, rule: usize, results: &[CaseResult], pattern: &PatternCases) -> Option<String> {
    let aim = |number: usize| pattern.cases.get(number).map(|case| case.aim.as_str()).unwrap_or_default();
    match *found {
        Disagreement::Fired(number) => {
            results.get(number)?.fired.contains(&rule).then(|| format!("fires on {}", aim(number)))
        }
        Disagreement::Silent(number) => Some(format!("no rule of the pattern fires on {}", aim(number))),
        // A case beyond the bounds may have been the one, and what can't be witnessed shows nothing.
        Disagreement::Dead(number) => {
            (number == rule && pattern.complete && pattern.notes.is_empty()).then(|| "fires on nothing".to_owned())
        }
        Disagreement::NothingShowsMore | Disagreement::NothingShowsFewer => None,
    }
}
