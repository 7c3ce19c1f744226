//! Sigma: pySigma's SQLite backend makes queries of the rules, and SQLite runs them over the events.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsString,
    fs,
    path::Path,
    process::Command,
};

use rayon::prelude::*;
use serde::Serialize;

use super::show::LogEvent;
use crate::{
    targets::{
        program::{EngineError, run_well},
        proof::{Engine, EngineRun},
    },
    witness::index::PatternCases,
};

/// What runs the rules; its head says what it reads and prints.
const SCRIPT: &str = include_str!("../../../templates/sigma/match.py");
const NEEDS: &str = "pySigma-backend-sqlite";
/// The least number of cases for which a further evaluator is started.
const SHARE: usize = 64;

/// Rules, and runs of events to hold against them.
#[derive(Debug, Serialize)]
pub struct RuleCase<'e, E = LogEvent> {
    /// YAML documents.
    pub rules: Vec<String>,
    /// Each begins with nothing seen before.
    pub runs: Vec<&'e [E]>,
}

/// For each rule its matches, each the indices of the events that made it: one event, or several for a correlation.
pub type Matches = BTreeMap<String, Vec<Vec<usize>>>;

/// What evaluates rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluator {
    /// pySigma's SQLite backend, its queries run in SQLite, by a Python that has it.
    Sqlite(OsString),
    /// A program around rsigma, which reads and prints what the script for SQLite does. Of a correlation it names the
    /// event that completed it.
    Rsigma(OsString),
}

impl Evaluator {
    /// SQLite, by the Python that `STIXC_PYTHON` names, or by `python3`.
    #[must_use]
    pub fn installed() -> Self {
        Self::Sqlite(env::var_os("STIXC_PYTHON").filter(|path| !path.is_empty()).unwrap_or("python3".into()))
    }

    /// Its name and version.
    fn version(&self) -> Result<String, EngineError> {
        let Self::Sqlite(python) = self else { return Ok("rsigma".to_owned()) };
        let print = format!("import importlib.metadata as m, sigma.backends.sqlite; print(m.version('{NEEDS}'))");
        let found = run_well(Command::new(python).args(["-c", &print])).map_err(|error| match error {
            EngineError::Failed(_) => EngineError::Missing(format!("python3 has no {NEEDS}")),
            missing => missing,
        })?;
        Ok(format!("{NEEDS} {}", String::from_utf8_lossy(&found.stdout).trim()))
    }

    /// For each case and each of its runs what matched. Several evaluators work on them at once.
    ///
    /// # Errors
    /// A rule that can't be evaluated, or no such evaluator.
    pub fn matches<E: Serialize + Sync>(&self, cases: &[RuleCase<'_, E>]) -> Result<Vec<Vec<Matches>>, EngineError> {
        let share = cases.len().div_ceil(rayon::current_num_threads()).max(SHARE);
        let found: Vec<_> = cases.par_chunks(share).map(|share| self.matches_of(share)).collect::<Result<_, _>>()?;
        Ok(found.concat())
    }

    fn matches_of<E: Serialize>(&self, cases: &[RuleCase<'_, E>]) -> Result<Vec<Vec<Matches>>, EngineError> {
        let scratch = tempfile::tempdir()?;
        let input = scratch.path().join("cases.json");
        fs::write(&input, serde_json::to_vec(cases).map_err(std::io::Error::from)?)?;
        let mut command = match self {
            Self::Sqlite(python) => {
                let script = scratch.path().join("match.py");
                fs::write(&script, SCRIPT)?;
                let mut command = Command::new(python);
                command.arg(script);
                command
            }
            Self::Rsigma(program) => Command::new(program),
        };
        let output = run_well(command.arg(input))?;
        Ok(serde_json::from_slice(&output.stdout).map_err(std::io::Error::from)?)
    }
}

impl Engine for Evaluator {
    type Shown = Vec<LogEvent>;

    fn needs(&self) -> &'static str {
        "python3 with pySigma-backend-sqlite"
    }

    fn run(&self, folder: &Path, patterns: &[PatternCases<Vec<LogEvent>>]) -> Result<EngineRun, EngineError> {
        let engine = self.version()?;
        let cases: Vec<RuleCase<'_>> =
            patterns.iter().map(|pattern| case(folder, pattern)).collect::<Result<_, _>>()?;
        let fires = |run: Matches| -> BTreeSet<String> {
            run.into_iter().filter(|(_, matches)| !matches.is_empty()).map(|(id, _)| id).collect()
        };
        let fired = self.matches(&cases)?.into_iter().map(|case| case.into_iter().map(fires).collect()).collect();
        Ok(EngineRun { engine, fired, ..EngineRun::default() })
    }
}

fn case<'e>(folder: &Path, pattern: &'e PatternCases<Vec<LogEvent>>) -> Result<RuleCase<'e>, EngineError> {
    // A correlation stands in one file with its members.
    let files: BTreeSet<&String> = pattern.rules.iter().map(|rule| &rule.file).collect();
    let read = |file: &String| fs::read_to_string(folder.join(file));
    let rules = files.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(RuleCase { rules, runs: pattern.cases.iter().map(|case| case.shown.as_slice()).collect() })
}
