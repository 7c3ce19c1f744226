//! Sigma: do the rules pass `sigma check`, and which events do they match?

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;
use stixc::targets::sigma::engine::RuleCase;
pub use stixc::targets::sigma::engine::{Evaluator, Matches};

use super::{Outcome, project, python, python_program, run};

/// The validators that a rule about indicators can't satisfy:
///
/// - `tlpv1_tag` knows only the first version of TLP, which had no `clear`;
/// - `escaped_wildcard` warns of every literal `*` and `?`, which URLs have;
/// - `sigmahq_filename_prefix` wants the log source in front of a file's name; a ready-made rule stays as it is, and its
///   file is named `native_…` by its indicator. SigmaHQ's own CI leaves this validator out, too.
pub const NOT_FOR_INDICATORS: &[&str] = &["tlpv1_tag", "escaped_wildcard", "sigmahq_filename_prefix"];

/// Runs `sigma check` over a rule file or a folder, with every validator but those in `leave_out`.
///
/// Validators that need data run only where `STIXC_SIGMA_DATA` names it (see `tests/engines/sigma_check.py`).
#[track_caller]
pub fn check(rules: &Path, leave_out: &[&str]) -> Outcome {
    run(python("tests/engines/sigma_check.py").arg(rules).args(leave_out))
}

/// Rules, and runs of events to hold against them.
#[derive(Debug)]
pub struct Case {
    /// YAML documents.
    pub rules: Vec<String>,
    /// Each begins with nothing seen before.
    pub runs: Vec<Vec<Event>>,
}

/// An event of a log.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// `category`, `product`, `service`. Without it the event is one for each rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logsource: Option<BTreeMap<&'static str, &'static str>>,
    /// Field names with strings, numbers, truth values or null.
    pub fields: Value,
}

/// pySigma's SQLite backend, in the Python of `tests/run`.
pub fn sqlite() -> Evaluator {
    Evaluator::Sqlite(python_program().into())
}

/// The program in `tests/engines/rsigma`: `STIXC_RSIGMA`, or where `tests/run` builds it.
pub fn rsigma() -> Evaluator {
    let named = env::var_os("STIXC_RSIGMA").filter(|program| !program.is_empty());
    Evaluator::Rsigma(named.unwrap_or_else(|| project("tests/engines/rsigma/target/debug/rsigma-match").into()))
}

/// For each case and each of its runs what matched. Fails the test if a rule can't be evaluated.
#[track_caller]
pub fn ask(evaluator: &Evaluator, cases: &[Case]) -> Vec<Vec<Matches>> {
    let cases: Vec<RuleCase<'_, Event>> = cases
        .iter()
        .map(|case| RuleCase { rules: case.rules.clone(), runs: case.runs.iter().map(Vec::as_slice).collect() })
        .collect();
    evaluator.matches(&cases).unwrap_or_else(|error| panic!("refused: {error:?}"))
}

/// Which of the rules (a file, or a folder of them), by their ids, match which of the events (a JSON array of flat
/// objects), by pySigma and SQLite.
///
/// The events are taken to be of the log source of each rule. Fails the test if a rule can't be evaluated.
#[track_caller]
pub fn matches(rules: &Path, events: &Value) -> Matches {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files: Vec<PathBuf> = match fs::read_dir(rules) {
        Ok(entries) => entries.map(|entry| entry.expect("a rule").path()).collect(),
        Err(_) => vec![rules.to_owned()],
    };
    // The index of what was emitted lies beside the rules.
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    let event = |fields: &Value| Event { at: None, logsource: None, fields: fields.clone() };
    let run = events.as_array().expect("an array of events").iter().map(event).collect();
    let case = Case { rules: files.iter().map(|path| read(path)).collect(), runs: vec![run] };
    ask(&sqlite(), &[case]).remove(0).remove(0)
}
