//! The proof of a target's rules: how observations look to its engine, in which files people run them, and what the
//! installed engine makes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value as Json;

use super::{origin::Origin, program::EngineError, record::EmittedRule};
use crate::witness::{
    Aim, TestPattern, Witness,
    index::{Case, PatternCases, TestedRule, Verdict},
};

impl From<EmittedRule> for TestedRule {
    fn from(EmittedRule { id, file, serves, since, until }: EmittedRule) -> Self {
        Self { id, file, serves, since, until, ..Self::default() }
    }
}

/// A pattern that has rules in the target.
#[derive(Debug)]
pub struct Tested<'p> {
    /// The indicators behind it.
    pub origin: &'p Origin,
    /// The verdict on its rules.
    pub verdict: Verdict,
    /// Its rules.
    pub rules: Vec<TestedRule>,
    /// The pattern with its witnesses.
    pub pattern: &'p TestPattern,
}

/// A file below the target's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative, with `/` between its parts.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What an export is made of.
#[derive(Debug)]
pub struct Exported {
    /// The patterns with their cases.
    pub patterns: Vec<PatternCases>,
    /// All files, those of the rules among them.
    pub files: Vec<File>,
}

/// Puts witnesses into the form that a target's engine reads.
pub trait Exporter {
    /// What is shown in a case, or where it is.
    type Shown: Serialize;

    /// Shows a witness in each way in which it can show, and says for each whether the pattern matches it there.
    fn cases(&mut self, pattern: &TestPattern, witness: &Witness) -> Vec<(bool, Self::Shown)>;

    /// The files in the layout that people run. `written` are those of the rules; `patterns` are the tested ones with
    /// their cases, in their order.
    fn files(self, _tested: &[Tested<'_>], _patterns: &mut [PatternCases<Self::Shown>], written: &[File]) -> Vec<File>
    where
        Self: Sized,
    {
        written.to_vec()
    }
}

/// Shows all witnesses of all patterns.
pub fn export<E: Exporter>(mut exporter: E, tested: Vec<Tested<'_>>, written: &[File]) -> Exported {
    let mut patterns: Vec<PatternCases<E::Shown>> = tested
        .iter()
        .map(|Tested { origin, verdict, rules, pattern }| {
            let cases = cases(&mut exporter, pattern);
            let mut notes = pattern.notes();
            notes.extend(unshown(pattern, &cases));
            PatternCases {
                id: origin.id.clone(),
                pattern: pattern.known.plan.to_string(),
                verdict: *verdict,
                rules: rules.clone(),
                complete: pattern.witnesses.complete,
                notes,
                cases,
            }
        })
        .collect();
    let files = exporter.files(&tested, &mut patterns, written);
    // Plain data has a form in JSON.
    let erased = |shown: E::Shown| Ok::<_, std::convert::Infallible>(serde_json::to_value(shown).unwrap_or_default());
    let patterns = patterns.into_iter().filter_map(|pattern| pattern.try_map(erased).ok()).collect();
    Exported { patterns, files }
}

/// All witnesses of a pattern, each in each way in which it can show.
pub fn cases<E: Exporter>(exporter: &mut E, pattern: &TestPattern) -> Vec<Case<E::Shown>> {
    let mut cases = Vec::new();
    for witness in &pattern.witnesses.all {
        let aim = told(&witness.aim);
        let shown = exporter.cases(pattern, witness).into_iter();
        cases.extend(shown.map(|(matches, shown)| Case { matches, aim: aim.clone(), shown }));
    }
    cases
}

fn told(aim: &Aim) -> String {
    match aim {
        Aim::Match { alternative } => format!("alternative {alternative}"),
        Aim::NearMiss { alternative, change, .. } => format!("alternative {alternative}, but {change}"),
    }
}

/// A note for each alternative that nothing shows to the engine, though there are witnesses: a name with a blank is in no
/// traffic.
fn unshown<C>(pattern: &TestPattern, cases: &[Case<C>]) -> BTreeSet<String> {
    let matching = pattern.witnesses.all.iter().filter(|one| matches!(one.aim, Aim::Match { .. }));
    let aims: BTreeSet<String> = matching.map(|witness| told(&witness.aim)).collect();
    let is_unshown = |aim: &String| !cases.iter().any(|case| case.matches && case.aim == *aim);
    aims.into_iter().filter(is_unshown).map(|aim| format!("nothing that the engine reads shows {aim}")).collect()
}

/// What an engine made of all cases.
#[derive(Debug, Default)]
pub struct EngineRun {
    /// Its name and version.
    pub engine: String,
    /// For each pattern and each of its cases, the ids of the rules that fired.
    pub fired: Vec<Vec<BTreeSet<String>>>,
    /// Rules that never fire by themselves, and why: this version skips them, or they serve other rules.
    pub quiet: BTreeMap<String, Quiet>,
    /// What is wrong with the files as a whole.
    pub refused: Vec<String>,
}

/// Which of the rules never fire by themselves in this version of the engine.
#[must_use]
pub fn quiet<C>(patterns: &[PatternCases<C>], version: u32) -> BTreeMap<String, Quiet> {
    let state = |rule: &TestedRule| match (rule.runs_in(version), rule.serves) {
        (false, _) => Some(Quiet::Skipped),
        (true, serves) => serves.then_some(Quiet::Serves),
    };
    let rules = patterns.iter().flat_map(|pattern| &pattern.rules);
    rules.filter_map(|rule| Some((rule.id.clone(), state(rule)?))).collect()
}

/// Why a rule never fires by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// This version of the engine skips it.
    Skipped,
    /// It is a part of other rules, which fire.
    Serves,
}

/// Runs a target's installed engine over an export.
pub trait Engine {
    /// What [`Exporter::cases`] has shown.
    type Shown: DeserializeOwned;

    /// The programs that it needs, in a few words: `Suricata 7 or later`.
    fn needs(&self) -> &'static str {
        ""
    }

    /// Whether patterns share rules, so that what one of them is shown can't be judged without the others.
    fn needs_all(&self) -> bool {
        false
    }

    /// Gives the engine the files in `folder`, and tells which rules fire on which cases. The patterns may be some of those
    /// that the folder is about.
    ///
    /// # Errors
    /// There is no such engine here, or it refuses the rules.
    fn run(&self, folder: &Path, patterns: &[PatternCases<Self::Shown>]) -> Result<EngineRun, EngineError>;
}

/// Any [`Engine`], with what its cases show as it stands in the index.
pub trait AnyEngine {
    /// As [`Engine::needs`].
    fn needs(&self) -> &'static str;

    /// As [`Engine::needs_all`].
    fn needs_all(&self) -> bool;

    /// As [`Engine::run`].
    ///
    /// # Errors
    /// Those of [`Engine::run`], and cases of another form.
    fn run(&self, folder: &Path, patterns: &[PatternCases]) -> Result<EngineRun, EngineError>;
}

impl<E: Engine> AnyEngine for E {
    fn needs(&self) -> &'static str {
        Engine::needs(self)
    }

    fn needs_all(&self) -> bool {
        Engine::needs_all(self)
    }

    fn run(&self, folder: &Path, patterns: &[PatternCases]) -> Result<EngineRun, EngineError> {
        let typed = |shown: Json| serde_json::from_value(shown);
        let patterns = patterns.iter().cloned().map(|pattern| pattern.try_map(typed));
        let patterns: Vec<_> =
            patterns.collect::<Result<_, _>>().map_err(|error| EngineError::Failed(error.to_string()))?;
        Engine::run(self, folder, &patterns)
    }
}
