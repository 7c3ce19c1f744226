//! A folder of outputs, read back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::provenance::{FOLDER, Provenance};
use crate::{
    output::MANIFEST,
    targets::{self, Target, contract::ReadBack},
};

/// A folder that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is not there, or the disk fails.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file of another form than it should have.
    #[error("{path}, line {line}: {message}")]
    Damaged {
        /// Which file.
        path: String,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Nothing in it is an output.
    #[error("{0} holds files, but none of them is an output of stixc")]
    Foreign(String),
}

/// What tells a rule, or an entry of a list, from all others, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The target whose folder it is in.
    pub target: String,
    /// For an entry of a list: of which kind; empty for a rule.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub list: String,
    /// By what it is known: UUID, sid, name, or the entry itself.
    pub id: String,
    /// The revision of a rule of Suricata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// What people call it; empty for an entry.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The first file that it is in, below the folder.
    pub file: String,
    /// Where it begins in that file, from 1.
    pub line: usize,
}

/// What it is among those of its target: `domain evil.example`, `1571302 rev 2`.
impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, id, revision, .. } = self;
        if !list.is_empty() {
            write!(out, "{list} ")?;
        }
        out.write_str(id)?;
        revision.map_or(Ok(()), |revision| write!(out, " rev {revision}"))
    }
}

/// What is held of a rule or an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    title: String,
    revision: Option<u32>,
    file: usize,
    line: usize,
    matching: String,
    details: String,
    indicators: Vec<String>,
}

/// A rule, or an entry of a list.
#[derive(Debug, Clone, Copy)]
pub struct Item<'o> {
    /// The target whose folder it is in.
    pub target: &'o str,
    /// For an entry of a list: of which kind; empty for a rule.
    pub list: &'o str,
    /// By what it is known.
    pub id: &'o str,
    file: &'o str,
    held: &'o Held,
}

impl<'o> Item<'o> {
    /// What it is and where.
    #[must_use]
    pub fn label(&self) -> Label {
        let Held { title, revision, line, .. } = self.held;
        Label {
            target: self.target.to_owned(),
            list: self.list.to_owned(),
            id: self.id.to_owned(),
            revision: *revision,
            title: title.clone(),
            file: self.file.to_owned(),
            line: *line,
        }
    }

    /// The indicators that it names itself.
    #[must_use]
    pub fn indicators(&self) -> &'o [String] {
        &self.held.indicators
    }

    /// The part that decides what it matches.
    pub(super) fn matching(&self) -> &'o str {
        &self.held.matching
    }

    /// Whether it says the same of itself.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.held.details == other.held.details && self.held.title == other.held.title
    }
}

/// Target and list.
type Group = (String, String);

/// All rules and entries of a folder, and where they come from.
#[derive(Debug, Default)]
pub struct Output {
    /// By id. A list may have a million entries.
    groups: BTreeMap<Group, BTreeMap<String, Held>>,
    files: Vec<String>,
    /// The indicators, where the run kept them.
    pub provenance: Option<Provenance>,
}

impl Output {
    /// Reads a folder. An empty one is an output without rules.
    ///
    /// # Errors
    /// A folder that is not there, holds other things, or can't be read.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let files = below(folder, Path::new(""))?;
        let mut output = Self { provenance: Provenance::read(folder)?, ..Self::default() };
        let top = |path: &str| path.split_once('/').map(|(top, _)| top.to_owned());
        let mut of_targets: Vec<(&dyn Target, &String)> =
            files.iter().filter_map(|path| Some((targets::find(&top(path)?)?, path))).collect();
        let is_ours = |path: &String| path == MANIFEST || top(path).is_some_and(|top| top == FOLDER);
        if of_targets.is_empty() && !files.is_empty() && !files.iter().any(is_ours) {
            return Err(ReadError::Foreign(folder.display().to_string()));
        }
        of_targets.sort_by_key(|(target, path)| (target.name(), rank(*target, path), *path));
        for (target, path) in of_targets {
            let file = folder.join(path);
            let bytes = fs::read(&file).map_err(|source| ReadError::Io { path: file.display().to_string(), source })?;
            output.files.push(path.clone());
            let found = target.read_back(path, &String::from_utf8_lossy(&bytes));
            found.into_iter().for_each(|found| output.add(target.name(), path, found));
        }
        Ok(output)
    }

    /// All of them, by target, list and id.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.groups.iter().flat_map(|(group, all)| all.iter().map(|(id, held)| self.item(group, id, held)))
    }

    /// The items that are in either of two outputs, by target, list and id.
    pub(super) fn pairs<'o>(old: &'o Self, new: &'o Self) -> impl Iterator<Item = [Option<Item<'o>>; 2]> {
        let groups: BTreeSet<&Group> = old.groups.keys().chain(new.groups.keys()).collect();
        groups.into_iter().flat_map(move |group| {
            let held = [old, new].map(|output| output.groups.get(group));
            let ids: BTreeSet<&String> = held.iter().flatten().flat_map(|all| all.keys()).collect();
            ids.into_iter().map(move |id| {
                let find = |output: &'o Self| {
                    let (group, all) = output.groups.get_key_value(group)?;
                    all.get_key_value(id).map(|(id, held)| output.item(group, id, held))
                };
                [old, new].map(find)
            })
        })
    }

    fn item<'o>(&'o self, (target, list): &'o Group, id: &'o str, held: &'o Held) -> Item<'o> {
        Item { target, list, id, file: self.files.get(held.file).map_or("", String::as_str), held }
    }

    /// Adds a rule of the file that was begun last. An entry that another format holds too is the same; of several ready-made
    /// rules with one id, each further one gets a mark of its own.
    fn add(&mut self, target: &str, path: &str, found: ReadBack) {
        let ReadBack { list, id, title, matching, details, indicators, revision, line } = found;
        let id = if id.is_empty() { path.to_owned() } else { id };
        let file = self.files.len().saturating_sub(1);
        let is_entry = !list.is_empty();
        let group = self.groups.entry((target.to_owned(), list)).or_default();
        if is_entry && group.contains_key(&id) {
            return;
        }
        let mut key = id.clone();
        let mut count = 1;
        while group.contains_key(&key) {
            count += 1;
            key = format!("{id}+{count}");
        }
        group.insert(key, Held { title, revision, file, line, matching, details, indicators });
    }
}

/// Which of its target's formats a file is of, in their order: plain lists stand before other forms of the same entries.
fn rank(target: &dyn Target, path: &str) -> usize {
    let formats = target.formats();
    formats.iter().position(|format| path.starts_with(format.path)).unwrap_or(formats.len())
}

/// The paths of all files below a folder, with `/` between their parts; hidden ones are passed over.
fn below(root: &Path, folder: &Path) -> Result<Vec<String>, ReadError> {
    let at: PathBuf = root.join(folder);
    let failed = |source| ReadError::Io { path: at.display().to_string(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&at).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // An output's names are of plain letters: another name is no output's.
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let path = folder.join(&name);
        if entry.file_type().map_err(failed)?.is_dir() {
            found.extend(below(root, &path)?);
        } else {
            let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            found.push(parts.join("/"));
        }
    }
    found.sort();
    Ok(found)
}
