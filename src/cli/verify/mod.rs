//! `stixc verify`.

mod blocklist;
mod engine;
mod sigma;
mod suricata;
mod yara;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::witness::{
    judge::{Disagreement, Shown, judge},
    stage::index::{FILE, Index, SCHEMA as INDEX_SCHEMA, Subject},
};

use super::{
    Global, display,
    exit::{Exit, Failure},
};
use engine::{Answer, Quiet, Trouble};

/// How many things that are wrong with a rule are told.
const SHOWN: usize = 3;
/// Version of the JSON form.
const SCHEMA: &str = "stixc-verify/1";

/// Run the engines that are installed over the witnesses of a folder.
///
/// The folder is one that `stixc convert --witness DIR` wrote. Each rule has to fire on what its pattern matches, and to
/// stay silent on what it nearly matches, as far as its verdict promises it. Suricata 7, YARA 4, and for Sigma a python3
/// with pySigma-backend-sqlite are the engines; the lists are looked up here, and their files checked by nft and
/// named-checkzone.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Verify {
    /// The folder of witnesses
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only these targets, separated by commas
    #[arg(short, long, value_name = "TARGETS", value_delimiter = ',')]
    target: Vec<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  each rule does what its verdict says, or has no witness
  1  an engine is missing: its rules are not verified
  2  usage
  3  no readable folder of witnesses
  6  a rule does not do what its verdict says, or its engine refuses it";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a rule
    Text,
    /// JSON
    Json,
}

/// What became of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It fires on a witness and is silent where it has to be.
    Fires,
    /// It is a part of other rules, and never fires by itself.
    Serves,
    /// Nothing can be shown to it.
    NotWitnessable,
    /// Nobody here can run it.
    EngineMissing,
    /// It does not do what its verdict says.
    Fails,
}

/// One rule in the report.
#[derive(Debug, Serialize)]
struct RuleReport {
    target: String,
    rule: String,
    indicator: String,
    state: State,
    /// On how many showings that the pattern matches it fired, and on how many others it was silent.
    fired: usize,
    silent: usize,
    /// What is wrong, or why there is no witness.
    notes: Vec<String>,
}

/// One engine in the report.
#[derive(Debug, Serialize)]
struct EngineReport {
    target: String,
    /// Its version, or why it is missing.
    engine: String,
    missing: bool,
    /// Why it refused the rules as a whole; empty where it did not.
    refused: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    schema: &'static str,
    engines: Vec<EngineReport>,
    rules: Vec<RuleReport>,
}

impl Verify {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        let index = read(&self.folder)?;
        if let Some(unknown) = self.target.iter().find(|name| !index.targets.contains_key(*name)) {
            let known: Vec<&str> = index.targets.keys().map(String::as_str).collect();
            return Err(Failure::usage(
                format!("the folder has no witnesses for {unknown}"),
                format!("it has some for {}", known.join(", ")),
            ));
        }
        let mut report = Report { schema: SCHEMA, engines: Vec::new(), rules: Vec::new() };
        for (target, subjects) in &index.targets {
            if self.target.is_empty() || self.target.contains(target) {
                report.target(target, subjects, &self.folder.join(target));
            }
        }
        match self.format {
            Format::Text => report.print(global)?,
            Format::Json => {
                let mut out = io::stdout().lock();
                serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
        Ok(report.exit())
    }
}

fn read(folder: &Path) -> Result<Index, Failure> {
    let path = folder.join(FILE);
    let failed = |message: String| Failure {
        exit: Exit::NoInput,
        message: format!("{}: {message}", path.display()),
        help: "name a folder that stixc convert --witness DIR wrote".to_owned(),
    };
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let index: Index = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    if index.schema != INDEX_SCHEMA {
        return Err(failed(format!("schema {}, expected {INDEX_SCHEMA}", index.schema)));
    }
    Ok(index)
}

impl Report {
    fn target(&mut self, target: &str, subjects: &[Subject], folder: &Path) {
        let answer = match target {
            "sigma" => sigma::ask(folder, subjects),
            "suricata" => suricata::ask(folder, subjects),
            "yara" => yara::ask(folder, subjects),
            "blocklist" => blocklist::ask(folder, subjects),
            other => Err(Trouble::Missing(format!("no engine is known for {other}"))),
        };
        let mut engine =
            EngineReport { target: target.to_owned(), engine: String::new(), missing: false, refused: Vec::new() };
        match answer {
            Ok(Answer { engine: version, fired, quiet, refused }) => {
                engine.engine = version;
                engine.refused = refused;
                for (subject, fired) in subjects.iter().zip(fired) {
                    self.rules.extend(judged(target, subject, &fired, &quiet));
                }
            }
            Err(Trouble::Missing(why)) => {
                engine.engine = why;
                engine.missing = true;
                self.rules.extend(subjects.iter().flat_map(|subject| all(target, subject, State::EngineMissing, &[])));
            }
            Err(Trouble::Failed(why)) => {
                self.rules.extend(subjects.iter().flat_map(|subject| all(target, subject, State::Fails, &[])));
                engine.refused = vec![why];
            }
        }
        self.engines.push(engine);
    }

    fn exit(&self) -> Exit {
        let any = |state| self.rules.iter().any(|rule| rule.state == state);
        if any(State::Fails) || self.engines.iter().any(|engine| !engine.refused.is_empty()) {
            Exit::Verification
        } else if any(State::EngineMissing) {
            Exit::Findings
        } else {
            Exit::Done
        }
    }

    fn print(&self, global: &Global) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        for engine in &self.engines {
            let missing = if engine.missing { "engine missing: " } else { "" };
            writeln!(out, "{}: {missing}{}", engine.target, display::visible(&engine.engine))?;
            for line in &engine.refused {
                writeln!(out, "  refused: {}", display::visible(line))?;
            }
            let own = self.rules.iter().filter(|rule| rule.target == engine.target);
            let told = own.filter(|rule| !engine.missing && (rule.state != State::Fires || !global.quiet));
            for rule in told {
                writeln!(out, "  {}", rule.line())?;
            }
        }
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        self.rules.iter().for_each(|rule| *counts.entry(rule.state).or_default() += 1);
        let count = |state| counts.get(&state).copied().unwrap_or_default();
        writeln!(
            out,
            "{} rules: {} fire and are silent on near misses, {} serve others, {} not witnessable, {} without an engine, {} fail",
            self.rules.len(),
            count(State::Fires),
            count(State::Serves),
            count(State::NotWitnessable),
            count(State::EngineMissing),
            count(State::Fails)
        )?;
        Ok(())
    }
}

impl RuleReport {
    fn line(&self) -> String {
        let Self { rule, indicator, fired, silent, notes, .. } = self;
        let state = match self.state {
            State::Fires => format!("fires on {fired}, silent on {silent} near misses"),
            State::Serves => "serves other rules".to_owned(),
            State::NotWitnessable => "not witnessable".to_owned(),
            State::EngineMissing => "engine missing".to_owned(),
            State::Fails => "FAILS".to_owned(),
        };
        let mut told: Vec<String> =
            notes.iter().take(SHOWN).map(|note| format!("; {}", display::visible(note))).collect();
        if notes.len() > SHOWN {
            told.push(format!("; and {} more", notes.len() - SHOWN));
        }
        let notes = told.concat();
        format!("{rule}  {state}  {indicator}{notes}")
    }
}

/// All rules of a pattern in one state.
fn all(target: &str, subject: &Subject, state: State, notes: &[String]) -> Vec<RuleReport> {
    let report = |rule: &String| RuleReport {
        target: target.to_owned(),
        rule: rule.clone(),
        indicator: subject.id.clone(),
        state,
        fired: 0,
        silent: 0,
        notes: notes.to_vec(),
    };
    subject.rules.iter().map(report).collect()
}

/// The rules of a pattern, held against its verdict.
fn judged(
    target: &str,
    subject: &Subject,
    fired: &[BTreeSet<String>],
    quiet: &BTreeMap<String, Quiet>,
) -> Vec<RuleReport> {
    let rules: Vec<&String> = subject.rules.iter().filter(|rule| !quiet.contains_key(*rule)).collect();
    let shown: Vec<Shown> = subject
        .showings
        .iter()
        .zip(fired)
        .map(|(showing, fired)| Shown {
            matches: showing.matches,
            fired: (0..rules.len()).filter(|number| fired.contains(rules[*number])).collect(),
        })
        .collect();
    let found = if shown.is_empty() { Vec::new() } else { judge(subject.verdict.into(), rules.len(), &shown) };
    let count = |number: usize, matches: bool, fires: bool| {
        shown.iter().filter(|one| one.matches == matches && one.fired.contains(&number) == fires).count()
    };
    let mut reports = Vec::new();
    for rule in &subject.rules {
        let Some(number) = rules.iter().position(|one| *one == rule) else {
            let (state, notes) = match quiet.get(rule) {
                Some(Quiet::Serves) => (State::Serves, Vec::new()),
                _ => (State::NotWitnessable, vec!["this version of the engine skips it".to_owned()]),
            };
            reports.extend(all(target, subject, state, &notes).into_iter().filter(|one| &one.rule == rule));
            continue;
        };
        let mut notes: Vec<String> = found.iter().filter_map(|one| complaint(one, number, &shown, subject)).collect();
        let mut told = BTreeSet::new();
        notes.retain(|note| told.insert(note.clone()));
        let dead = count(number, true, true) == 0 && notes.is_empty();
        let state = if !notes.is_empty() {
            State::Fails
        } else if dead {
            State::NotWitnessable
        } else {
            State::Fires
        };
        if state == State::NotWitnessable {
            notes.extend(subject.notes.iter().cloned());
        }
        reports.push(RuleReport {
            target: target.to_owned(),
            rule: rule.clone(),
            indicator: subject.id.clone(),
            state,
            fired: count(number, true, true),
            silent: count(number, false, false),
            notes,
        });
    }
    reports
}

/// What a disagreement says about one rule of its pattern.
fn complaint(found: &Disagreement, rule: usize, shown: &[Shown], subject: &Subject) -> Option<String> {
    let aim = |number: usize| subject.showings.get(number).map(|showing| showing.aim.as_str()).unwrap_or_default();
    match *found {
        Disagreement::Fired(number) => {
            shown.get(number)?.fired.contains(&rule).then(|| format!("fires on {}", aim(number)))
        }
        Disagreement::Silent(number) => Some(format!("no rule of the pattern fires on {}", aim(number))),
        // A showing beyond the bounds may have been the one, and what can't be witnessed shows nothing.
        Disagreement::Dead(number) => {
            (number == rule && subject.complete && subject.notes.is_empty()).then(|| "fires on nothing".to_owned())
        }
        Disagreement::NothingShowsMore | Disagreement::NothingShowsFewer => None,
    }
}
