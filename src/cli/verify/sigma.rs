//! Sigma: pySigma's SQLite backend makes queries of the rules, and SQLite runs them over the events.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    process::Command,
};

use serde::Serialize;

use super::engine::{Answer, Trouble, run_well};
use crate::witness::stage::index::{Event, Place, Subject};

/// What runs the rules; its head says what it reads and prints.
const SCRIPT: &str = include_str!("../../../templates/sigma/match.py");
const NEEDS: &str = "pySigma-backend-sqlite";

#[derive(Serialize)]
struct Case<'a> {
    rules: Vec<String>,
    runs: Vec<&'a [Event]>,
}

pub(super) fn ask(folder: &Path, subjects: &[Subject]) -> Result<Answer, Trouble> {
    let python =
        || Command::new(env::var_os("STIXC_PYTHON").filter(|path| !path.is_empty()).unwrap_or("python3".into()));
    let version = "import importlib.metadata as m, sigma.backends.sqlite; print(m.version('pySigma-backend-sqlite'))";
    let found = run_well(python().args(["-c", version])).map_err(|trouble| match trouble {
        Trouble::Failed(_) => Trouble::Missing(format!("python3 has no {NEEDS}")),
        missing => missing,
    })?;
    let rules = rules(folder)?;
    let cases: Vec<Case<'_>> = subjects.iter().map(|subject| case(subject, &rules)).collect();
    let scratch = tempfile::tempdir()?;
    let (script, input) = (scratch.path().join("match.py"), scratch.path().join("cases.json"));
    fs::write(&script, SCRIPT)?;
    fs::write(&input, serde_json::to_vec(&cases).map_err(std::io::Error::from)?)?;
    let output = run_well(python().arg(script).arg(input))?;
    let found_matches: Vec<Vec<BTreeMap<String, Vec<Vec<usize>>>>> =
        serde_json::from_slice(&output.stdout).map_err(std::io::Error::from)?;
    let matched = |run: BTreeMap<String, Vec<Vec<usize>>>| -> BTreeSet<String> {
        run.into_iter().filter(|(_, matches)| !matches.is_empty()).map(|(id, _)| id).collect()
    };
    let fired = found_matches.into_iter().map(|case| case.into_iter().map(matched).collect()).collect();
    let version = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    Ok(Answer { engine: format!("{NEEDS} {version}"), fired, quiet: BTreeMap::new(), refused: Vec::new() })
}

fn case<'a>(subject: &'a Subject, rules: &BTreeMap<String, String>) -> Case<'a> {
    let events = subject.showings.iter().map(|showing| match &showing.place {
        Place::Events(events) => events.as_slice(),
        _ => &[],
    });
    // A correlation stands in one file with its members.
    let texts: BTreeSet<&String> = subject.rules.iter().filter_map(|id| rules.get(id)).collect();
    Case { rules: texts.into_iter().cloned().collect(), runs: events.collect() }
}

/// The text of each file of rules, by the ids in it.
fn rules(folder: &Path) -> Result<BTreeMap<String, String>, Trouble> {
    let mut rules = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            let text = fs::read_to_string(&path)?;
            let ids: Vec<String> =
                text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect();
            rules.extend(ids.into_iter().map(|id| (id, text.clone())));
        }
    }
    Ok(rules)
}
