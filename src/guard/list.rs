//! Lists: a head that says what they are, and entries.

use std::{fs, path::Path};

use super::{Action, Side, entry::Entry, error::GuardError};
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::ValueKind,
};

/// Which URLs a list speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlReach {
    /// None.
    None,
    /// That of a host's root: below a shared host, a URL names one page of it.
    Root,
    /// All of a host, of which detections may still name a page.
    Pages,
    /// All of a host.
    Any,
}

/// The kinds of values that a list speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds {
    pub addresses: bool,
    pub names: bool,
    pub digests: bool,
    pub texts: bool,
}

impl Kinds {
    pub(super) const ALL: Self = Self { addresses: true, names: true, digests: true, texts: true };

    /// Whether it speaks of values of this kind. Of URLs, [`UrlReach`] tells.
    pub(super) fn holds(self, value: &ValueKind) -> bool {
        match value {
            ValueKind::Address(_) => self.addresses,
            ValueKind::Domain(_) => self.names,
            ValueKind::Url(_) => true,
            ValueKind::Hash(_) => self.digests,
            ValueKind::Text(_) => self.texts,
            _ => false,
        }
    }
}

/// What a list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListHead {
    /// The name by which the user knows it: `resolvers`.
    pub name: String,
    /// What is on it, for messages.
    pub about: String,
    /// Where it comes from.
    pub source: String,
    /// When it was made, `2026-07-18`; a version for a list that has no date.
    pub date: String,
    /// The code of a hit that is dropped.
    pub code: Code,
    /// What targets that block do with its entries, unless the user says otherwise.
    pub blocking: Action,
    /// What targets that detect do with them.
    pub detecting: Action,
    pub(super) urls: UrlReach,
    /// Whether names below an entry are meant only as long as they have the same owner by the Public Suffix List.
    pub(super) within_owner: bool,
    /// Whether all public suffixes are on it.
    pub(super) suffixes: bool,
    /// Whether it is one of MISP's.
    pub(super) is_warninglist: bool,
    pub(super) kinds: Kinds,
}

impl ListHead {
    /// What a target does with its entries, unless the user says otherwise.
    #[must_use]
    pub fn action(&self, side: Side) -> Action {
        match side {
            Side::Blocking => self.blocking,
            Side::Detecting => self.detecting,
        }
    }
}

/// An entry with what is said about it, which may be nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub entry: Entry,
    pub note: Box<str>,
}

/// A list.
#[derive(Debug, Clone)]
pub struct List {
    /// What it is.
    pub head: ListHead,
    pub(super) lines: Vec<Line>,
    /// Texts that values have somewhere within.
    pub(super) parts: Vec<String>,
    /// Regular expressions that match values, with their places in the list.
    pub(super) patterns: Vec<fancy_regex::Regex>,
}

impl List {
    pub(super) fn new(head: ListHead, lines: Vec<Line>) -> Self {
        Self { head, lines, parts: Vec::new(), patterns: Vec::new() }
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len() + self.parts.len() + self.patterns.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The user's lists, read.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub lists: Vec<List>,
    /// The names of all lists, also of those that are lifted and were not read.
    pub names: Vec<String>,
    pub notes: Vec<Diagnostic>,
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, GuardError> {
    fs::read_to_string(path)
        .map_err(|error| GuardError::Unreadable { path: path.display().to_string(), message: error.to_string() })
}

/// The lines of a list as text: an entry a line, behind it perhaps `#` and a note; blank lines and those that begin with `#` are passed
/// over. `read` gives the entries that a word stands for. What is wrong is the number of the line and what stands there.
pub(super) fn lines(text: &str, read: impl Fn(&str) -> Vec<Entry>) -> Result<Vec<Line>, (usize, String)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // A URL may have a # in it, but no blank.
        let (word, note) = line.split_once(" #").unwrap_or((line, ""));
        let word = word.trim_end();
        let entries = read(word);
        if entries.is_empty() {
            return Err((number, word.to_owned()));
        }
        found.extend(entries.into_iter().map(|entry| Line { entry, note: note.trim().into() }));
    }
    Ok(found)
}

/// What the head of a list says: `# key: value` in the lines before the first entry.
pub(super) fn head_value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let head = text.lines().take_while(|line| line.starts_with('#'));
    head.filter_map(|line| line.trim_start_matches('#').trim().split_once(':'))
        .find(|(own, _)| *own == key)
        .map(|(_, value)| value.trim())
}
