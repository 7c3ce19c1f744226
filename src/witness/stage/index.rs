//! The index of a folder of witnesses: `witness.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{plan::fidelity::Fidelity, witness::project::blocklist::Lookup};

/// Version of the index's form.
pub const SCHEMA: &str = "stixc-witness/1";
/// Its name in the folder.
pub const FILE: &str = "witness.json";

/// What is in a folder of witnesses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`SCHEMA`].
    pub schema: String,
    /// The patterns with rules, by target.
    pub targets: BTreeMap<String, Vec<Subject>>,
}

/// A pattern with its rules in one target, and its witnesses there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The id of its first indicator.
    pub id: String,
    /// The pattern, in canonical form, as its witnesses are made from it: with the hashes of known files.
    pub pattern: String,
    /// The verdict on its rules.
    pub verdict: Verdict,
    /// The ids of its rules.
    pub rules: Vec<String>,
    /// Whether witnesses were made for all of it.
    pub complete: bool,
    /// What no witness could be made for, and what a known file stands in for, each in one sentence.
    pub notes: Vec<String>,
    /// Its witnesses, each in each of the ways in which it can show.
    pub showings: Vec<Showing>,
}

/// One witness, shown in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Showing {
    /// Whether the pattern matches it.
    pub matches: bool,
    /// What it was made for: `alternative 0`, `alternative 0, but one more byte`.
    pub aim: String,
    /// Where it is.
    pub place: Place,
}

/// Where a witness is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Part of a capture.
    Capture {
        /// The test's folder below the target's: `fires`, `silent`.
        test: String,
        /// Its first moment, in microseconds since 1970-01-01T00:00:00Z.
        from: u64,
        /// The first moment behind it.
        until: u64,
    },
    /// Events of logs, the earliest first.
    Events(Vec<Event>),
    /// A file, by its path below the target's folder.
    File(String),
    /// What is looked up in lists.
    Lookups(Vec<Lookup>),
}

/// An event of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub at: f64,
    /// `category`, `product`, `service`, as far as the log has them.
    pub logsource: BTreeMap<String, String>,
    /// Field names with strings and numbers.
    pub fields: serde_json::Map<String, serde_json::Value>,
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
