//! What was emitted, as data: the index that lies beside the files of a target.
//!
//! Whoever asks later which rules a folder holds reads the index and not the files, so the answer is the same whatever the
//! user's templates make of them. The index is a file of lines, a JSON object each: first a [`Head`], then [`Record`]s.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use crate::plan::Test;

/// Version of the form.
pub const SCHEMA: &str = "stixc-index/2";

/// The first line of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`SCHEMA`].
    pub schema: String,
    /// False where the run failed on this target with a part of its files written.
    pub complete: bool,
}

/// A line of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// A file, by its path below the output folder. What follows is in this file, until the next one is named.
    File(String),
    /// A rule, or an entry of a list that is told alone.
    Rule(RuleRecord),
    /// Entries of a list.
    Entries(EntriesRecord),
}

/// A rule as it was written, or an entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleRecord {
    /// For an entry of a list: of which kind; empty for a rule.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub list: String,
    /// By what it is known: UUID, sid, name, or the entry itself.
    pub id: String,
    /// What people call it; empty for an entry.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The digest of what it matches; none for an entry, which matches itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Digest>,
    /// The digest of its text, which also has what it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Digest>,
    /// The ids of the indicators that it is made from, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indicators: Vec<String>,
    /// The values that it asks for by themselves, sorted; none for an entry, which is its own value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Its revision, where rules of its kind have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Where it begins in its file, from 1.
    pub line: usize,
    /// How many lines it has.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub lines: usize,
}

fn one() -> usize {
    1
}

// The form is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(count: &usize) -> bool {
    *count == 1
}

/// The values that tests name by themselves, as text, sorted.
pub fn named_values<'p>(tests: impl IntoIterator<Item = &'p Test>) -> Vec<String> {
    let values = tests.into_iter().flat_map(Test::named).filter_map(|value| value.kind.as_text());
    values.map(Cow::into_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// A rule that was written, for those who report it or run it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmittedRule {
    /// Its id in the files.
    pub id: String,
    /// Its file, below the target's folder, where that is not the one that all others are in.
    pub file: String,
    /// Whether it only serves other rules, and never fires by itself.
    pub serves: bool,
    /// The first major version of the engine that runs it, where older ones skip it.
    pub since: Option<u32>,
    /// The first major version of the engine that skips it, where older ones run it.
    pub until: Option<u32>,
}

impl From<String> for EmittedRule {
    /// A rule that each version of the engine runs and that fires.
    fn from(id: String) -> Self {
        Self { id, ..Self::default() }
    }
}

/// Entries of a list that stand one behind the other. Each is found by the text around it: a list may have a million.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EntriesRecord {
    /// Of which kind they are.
    pub list: String,
    /// How many there are.
    pub count: usize,
    /// The line of the first one, from 1.
    pub line: usize,
    /// The byte of the file at which it begins, from 0.
    pub offset: usize,
    /// Where an entry is written more than once: what stands behind it, before it comes again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<String>,
    /// What stands between two entries.
    pub between: String,
    /// What stands behind the last entry; empty at the end of the file.
    pub after: String,
    /// How many bytes the file has.
    pub size: usize,
}

impl EntriesRecord {
    /// Each entry with its line, read from the text of the file; `None` where that is not the file that was written.
    #[must_use]
    pub fn read<'t>(&self, text: &'t str) -> Option<Vec<(&'t str, usize)>> {
        let mut rest = text.get(self.offset..).filter(|_| text.len() == self.size)?;
        let mut line = self.line;
        let mut entries = Vec::with_capacity(self.count.min(rest.len()));
        for left in (0..self.count).rev() {
            let end = if left == 0 { &self.after } else { &self.between };
            let next = self.within.first().unwrap_or(end);
            let (entry, _) = if next.is_empty() { (rest, "") } else { rest.split_once(next.as_str())? };
            entries.push((entry, line));
            rest = &rest[entry.len()..];
            for within in &self.within {
                rest = rest.strip_prefix(within.as_str())?.strip_prefix(entry)?;
            }
            rest = rest.strip_prefix(end.as_str())?;
            line += self.within.iter().chain([end]).map(|text| newlines(text.as_bytes())).sum::<usize>();
        }
        Some(entries)
    }
}

/// How many lines end in a text.
pub(super) fn newlines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}
