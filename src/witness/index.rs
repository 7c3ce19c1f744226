//! The index of a folder of witnesses: `witness.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::plan::fidelity::Fidelity;

/// Version of the index's form.
pub const SCHEMA: &str = "stixc-witness/3";
/// Its name in the folder.
pub const FILE: &str = "witness.json";

/// What is in a folder of witnesses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`SCHEMA`].
    pub schema: String,
    /// The patterns with rules, by target.
    pub targets: BTreeMap<String, Vec<PatternCases>>,
}

/// A pattern with its rules in one target, and its cases there.
///
/// What a case shows is of the type `C` to its target, and opaque to all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatternCases<C = Json> {
    /// The id of its first indicator.
    pub id: String,
    /// The pattern, in canonical form, as its witnesses are made from it: with the hashes of known files.
    pub pattern: String,
    /// The verdict on its rules.
    pub verdict: Verdict,
    /// Its rules.
    pub rules: Vec<TestedRule>,
    /// Whether witnesses were made for all of it.
    pub complete: bool,
    /// What no witness could be made for, and what a known file stands in for, each in one sentence.
    pub notes: Vec<String>,
    /// Its witnesses, each in each of the ways in which it can show.
    pub cases: Vec<Case<C>>,
}

impl<C> PatternCases<C> {
    /// The same, with what each case shows in another form.
    ///
    /// # Errors
    /// The first error of `change`.
    pub fn try_map<D, E>(self, change: impl Fn(C) -> Result<D, E>) -> Result<PatternCases<D>, E> {
        let Self { id, pattern, verdict, rules, complete, notes, cases } = self;
        let changed = |Case { matches, aim, shown }: Case<C>| Ok(Case { matches, aim, shown: change(shown)? });
        let cases = cases.into_iter().map(changed).collect::<Result<_, E>>()?;
        Ok(PatternCases { id, pattern, verdict, rules, complete, notes, cases })
    }
}

/// A rule of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestedRule {
    /// Its id.
    pub id: String,
    /// Its file, below the target's folder; empty where one file has all rules.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Whether it only serves other rules, and never fires by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub serves: bool,
    /// The first major version of the engine that runs it, where older ones skip it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u32>,
    /// The first major version of the engine that skips it, where older ones run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u32>,
    /// What it asks for that no one can show, each by its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_testable: Vec<String>,
}

impl TestedRule {
    /// Whether a version of the engine runs it.
    #[must_use]
    pub fn runs_in(&self, version: u32) -> bool {
        self.since.is_none_or(|since| since <= version) && self.until.is_none_or(|until| version < until)
    }
}

/// One witness, shown in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case<C = Json> {
    /// Whether the pattern matches it.
    pub matches: bool,
    /// What it was made for: `alternative 0`, `alternative 0, but one more byte`.
    pub aim: String,
    /// What is shown, or where it is, in the target's own form.
    pub shown: C,
}

/// A verdict in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Neither more nor fewer.
    Exact,
    /// May match more.
    Broader,
    /// May miss some.
    Narrower,
    /// Both.
    Approximate,
}

impl From<Fidelity> for Verdict {
    fn from(fidelity: Fidelity) -> Self {
        match (fidelity.more, fidelity.fewer) {
            (false, false) => Self::Exact,
            (true, false) => Self::Broader,
            (false, true) => Self::Narrower,
            (true, true) => Self::Approximate,
        }
    }
}

impl From<Verdict> for Fidelity {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Exact => Self::EXACT,
            Verdict::Broader => Self::BROADER,
            Verdict::Narrower => Self::NARROWER,
            Verdict::Approximate => Self::APPROXIMATE,
        }
    }
}
