//! `stixc verify`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    convert::{EngineReport, RuleReport, State, verify},
    targets::{self, Target},
    witness::index::{FILE, Index, PatternCases, SCHEMA as INDEX_SCHEMA},
};

use super::{
    Global, display,
    exit::{Exit, Failure},
    progress::Progress,
};

/// How many things that are wrong with a rule are told.
const SHOWN: usize = 3;
/// Version of the JSON form.
const SCHEMA: &str = "stixc-verify/1";

/// Run the engines that are installed over the witnesses of a folder.
///
/// The folder is one that `stixc convert --witness DIR` wrote. Each rule has to fire on what its pattern matches, and to
/// stay silent on what it nearly matches, as far as its verdict promises it.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct Verify {
    /// The folder of witnesses
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only these targets, separated by commas
    #[arg(short, long, value_name = "TARGETS", value_delimiter = ',')]
    target: Vec<String>,
    /// Only so many indicators, chosen by their ids: each run looks at the same ones
    #[arg(long, value_name = "NUMBER")]
    sample: Option<NonZeroUsize>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// What the engine of each target needs, and the exit codes.
fn after_help() -> String {
    let needs = |target: &&'static dyn Target| Some(format!("  {:10} {}", target.name(), target.engine()?.needs()));
    let needs: Vec<String> = targets::TARGETS.iter().filter_map(needs).collect();
    format!("What the engines need:\n{}\n\n{EXIT_CODES}", needs.join("\n"))
}

const EXIT_CODES: &str = "\
Exit codes:
  0  each rule does what its verdict says, or has no witness
  1  an engine is missing: its rules are not verified
  2  usage
  3  no readable folder of witnesses
  4  sampled: each rule of the indicators that were looked at does what its verdict says
  6  a rule does not do what its verdict says, or its engine refuses it";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a rule
    Text,
    /// JSON
    Json,
}

#[derive(Debug, Serialize)]
struct Report {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Sample>,
    engines: Vec<EngineReport>,
    rules: Vec<RuleReport>,
}

/// How much a sample is of all.
#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    /// How many indicators were looked at.
    indicators: usize,
    /// How many rules were not.
    left_out: usize,
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
        let wanted: Vec<(&String, &Vec<PatternCases>)> =
            index.targets.iter().filter(|(name, _)| self.target.is_empty() || self.target.contains(*name)).collect();
        let sample = self.sample.and_then(|count| sample(wanted.iter().flat_map(|(_, patterns)| *patterns), count));
        let total: usize = wanted.iter().flat_map(|(_, patterns)| *patterns).map(|pattern| pattern.rules.len()).sum();
        let mut report = Report { schema: SCHEMA, sample: None, engines: Vec::new(), rules: Vec::new() };
        let progress = Progress::counting(total, global.quiet);
        for (name, patterns) in wanted {
            progress.tell(name.clone());
            let (engine, rules) = verify(name, targets::find(name), patterns, sample.as_ref(), &self.folder.join(name));
            progress.advance(patterns.iter().map(|pattern| pattern.rules.len()).sum());
            report.engines.push(engine);
            report.rules.extend(rules);
        }
        progress.finish();
        report.sample =
            sample.map(|ids| Sample { indicators: ids.len(), left_out: total.saturating_sub(report.rules.len()) });
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

/// The ids of so many indicators, the same ones in each run; `None` where these are all.
fn sample<'p>(patterns: impl Iterator<Item = &'p PatternCases>, count: NonZeroUsize) -> Option<BTreeSet<&'p str>> {
    let ids: BTreeSet<&str> = patterns.map(|pattern| pattern.id.as_str()).collect();
    if ids.len() <= count.get() {
        return None;
    }
    let ranked: BTreeMap<_, &str> = ids.into_iter().map(|id| (Sha256::digest(id), id)).collect();
    Some(ranked.into_values().take(count.get()).collect())
}

impl Report {
    fn exit(&self) -> Exit {
        let any = |state| self.rules.iter().any(|rule| rule.state == state);
        if any(State::Fails) || self.engines.iter().any(|engine| !engine.refused.is_empty()) {
            Exit::Verification
        } else if any(State::EngineMissing) {
            Exit::Findings
        } else if self.sample.is_some() {
            Exit::Feed
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
                writeln!(out, "  {}", line(rule))?;
            }
        }
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        self.rules.iter().for_each(|rule| *counts.entry(rule.state).or_default() += 1);
        let count = |state| counts.get(&state).copied().unwrap_or_default();
        let not_testable = match count(State::NotTestable) {
            0 => String::new(),
            count => format!(", {count} not testable"),
        };
        writeln!(
            out,
            "{} rules: {} fire and are silent on near misses, {} serve others, {} not witnessable{not_testable}, {} without an engine, {} fail",
            self.rules.len(),
            count(State::Fires),
            count(State::Serves),
            count(State::NotWitnessable),
            count(State::EngineMissing),
            count(State::Fails)
        )?;
        if let Some(Sample { indicators, left_out }) = self.sample {
            writeln!(out, "sampled: {indicators} indicators; {left_out} rules of others were not looked at")?;
        }
        Ok(())
    }
}

/// One rule in a line.
fn line(report: &RuleReport) -> String {
    let RuleReport { rule, indicator, fired, silent, notes, .. } = report;
    let state = match report.state {
        State::Fires => format!("fires on {fired}, silent on {silent} near misses"),
        State::Serves => "serves other rules".to_owned(),
        State::NotWitnessable => "not witnessable".to_owned(),
        State::NotTestable => "not testable, for no one can show these fields".to_owned(),
        State::EngineMissing => "engine missing".to_owned(),
        State::Fails => "FAILS".to_owned(),
    };
    let mut told: Vec<String> = notes.iter().take(SHOWN).map(|note| format!("; {}", display::visible(note))).collect();
    if notes.len() > SHOWN {
        told.push(format!("; and {} more", notes.len() - SHOWN));
    }
    let notes = told.concat();
    format!("{rule}  {state}  {indicator}{notes}")
}
