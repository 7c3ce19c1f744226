//! Sigma: do the rules pass `sigma check`, and which events do they match?

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;
use serde_json::Value;

use super::{Outcome, file, project, python, run, scratch};

/// For each rule its matches, each the indices of the events that made it: one event, or several for a correlation.
pub type Matches = BTreeMap<String, Vec<Vec<usize>>>;

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

/// Rules, and stretches of events to hold against them.
#[derive(Debug, Serialize)]
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

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluator {
    /// pySigma's SQLite backend, its queries run in SQLite.
    Sqlite,
    /// rsigma. Of a correlation it names the event that completed it.
    Rsigma,
}

/// For each case and each of its runs what matched. Fails the test if a rule can't be evaluated.
#[track_caller]
pub fn ask(evaluator: Evaluator, cases: &[Case]) -> Vec<Vec<Matches>> {
    let folder = scratch();
    let input = file(&folder, "cases.json", serde_json::to_vec(cases).expect("cases are plain data"));
    let outcome = match evaluator {
        Evaluator::Sqlite => run(python("templates/sigma/match.py").arg(input)),
        Evaluator::Rsigma => run(Command::new(rsigma()).arg(input)),
    };
    outcome.assert_accepted();
    serde_json::from_str(&outcome.output).expect("the report of the evaluator")
}

/// The program in `tests/engines/rsigma`: `STIXC_RSIGMA`, or where `tests/run` builds it.
fn rsigma() -> PathBuf {
    match env::var_os("STIXC_RSIGMA") {
        Some(program) if !program.is_empty() => program.into(),
        _ => project("tests/engines/rsigma/target/debug/rsigma-match"),
    }
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
    ask(Evaluator::Sqlite, &[case]).remove(0).remove(0)
}
