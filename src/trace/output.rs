//! A folder of outputs, read by the index of each target.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    error::ReadError,
    provenance::{FOLDER, Provenance},
};
use crate::{
    output::{INDEX, MANIFEST},
    targets::{
        self,
        digest::Digest,
        record::{Head, Record, RuleRecord, SCHEMA},
    },
};

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
    matches: Option<Digest>,
    text: Option<Digest>,
    indicators: Vec<String>,
    values: Vec<String>,
}

/// A file of an output.
#[derive(Debug)]
pub(super) struct OutputFile {
    pub(super) target: String,
    pub(super) path: String,
    /// Of all its bytes.
    pub(super) digest: Digest,
    /// The kinds of entries that are in it.
    pub(super) lists: BTreeSet<String>,
}

impl OutputFile {
    /// The file as a whole, told as an entry of what the target writes.
    pub(super) fn label(&self) -> Label {
        Label {
            target: self.target.clone(),
            list: "file".to_owned(),
            id: self.path.clone(),
            revision: None,
            title: String::new(),
            file: self.path.clone(),
            line: 1,
        }
    }
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
    file: Option<&'o OutputFile>,
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
            file: self.file.map(|file| file.path.clone()).unwrap_or_default(),
            line: *line,
        }
    }

    /// The indicators that it names itself.
    #[must_use]
    pub fn indicators(&self) -> &'o [String] {
        &self.held.indicators
    }

    /// The digest of what it matches; none for an entry.
    pub(super) fn matches(&self) -> Option<Digest> {
        self.held.matches
    }

    /// Whether it is written in the same words.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.held.text == other.held.text
    }

    /// The values that it asks for: itself, if it is an entry.
    pub(super) fn values(&self) -> impl Iterator<Item = &'o str> {
        let entry = (!self.list.is_empty()).then_some(self.id);
        entry.into_iter().chain(self.held.values.iter().map(String::as_str))
    }
}

/// Target and list.
type Group = (String, String);

/// All rules and entries of a folder, and where they come from.
#[derive(Debug, Default)]
pub struct Output {
    /// By id. A list may have a million entries.
    groups: BTreeMap<Group, BTreeMap<String, Held>>,
    pub(super) files: Vec<OutputFile>,
    /// The indicators, where the run kept them.
    pub provenance: Option<Provenance>,
}

impl Output {
    /// Reads a folder. An empty one is an output without rules.
    ///
    /// # Errors
    /// A folder that is not there, holds other things or outputs of another version, or can't be read.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let files = below(folder, Path::new(""))?;
        let mut output = Self { provenance: Provenance::read(folder)?, ..Self::default() };
        let tops: BTreeSet<&str> = files.iter().filter_map(|path| path.split_once('/').map(|(top, _)| top)).collect();
        let has_index = |top: &str| files.binary_search(&format!("{top}/{INDEX}")).is_ok();
        let targets: Vec<&str> =
            tops.iter().copied().filter(|top| has_index(top) || targets::find(top).is_some()).collect();
        if targets.is_empty()
            && !files.is_empty()
            && !files.iter().any(|path| path == MANIFEST)
            && !tops.contains(FOLDER)
        {
            return Err(ReadError::Foreign(folder.display().to_string()));
        }
        for target in targets {
            if !has_index(target) {
                return Err(ReadError::OtherVersion(folder.join(target).display().to_string()));
            }
            output.read_target(folder, target, &files)?;
        }
        Ok(output)
    }

    /// Reads what the index of a target tells. A file that is gone takes what was in it along.
    fn read_target(&mut self, folder: &Path, target: &str, files: &[String]) -> Result<(), ReadError> {
        let path = folder.join(target).join(INDEX);
        let failed = |source| ReadError::Io { path: path.display().to_string(), source };
        let damaged = |line: usize, error: serde_json::Error| ReadError::Damaged {
            path: path.display().to_string(),
            line,
            message: error.to_string(),
        };
        let mut lines = BufReader::new(File::open(&path).map_err(failed)?).lines();
        let head = lines.next().transpose().map_err(failed)?.unwrap_or_default();
        let head: Head = serde_json::from_str(&head).map_err(|error| damaged(1, error))?;
        if head.schema != SCHEMA {
            return Err(ReadError::OtherVersion(path.display().to_string()));
        }
        if !head.complete {
            return Err(ReadError::Incomplete(folder.join(target).display().to_string()));
        }
        let mut open: Option<OpenFile> = None;
        for (number, line) in (2..).zip(lines) {
            let record = serde_json::from_str(&line.map_err(failed)?).map_err(|error| damaged(number, error))?;
            if let Record::File(path) = record {
                self.close(open.take());
                if files.binary_search(&path).is_ok() {
                    open = Some(OpenFile::read(folder, target, path)?);
                }
            } else if let Some(open) = &mut open {
                self.add(open, record)?;
            }
        }
        self.close(open);
        Ok(())
    }

    fn close(&mut self, open: Option<OpenFile>) {
        self.files.extend(open.map(|open| open.file));
    }

    /// Adds what is in the file that is read.
    fn add(&mut self, open: &mut OpenFile, record: Record) -> Result<(), ReadError> {
        let file = self.files.len();
        match record {
            Record::File(_) => {}
            Record::Rule(rule) => {
                let RuleRecord { list, id, title, matches, text, indicators, values, revision, line, .. } = rule;
                let held = Held { title, revision, file, line, matches, text, indicators, values };
                self.hold(open, list, id, held);
            }
            Record::Entries(entries) => {
                let text = std::mem::take(&mut open.text);
                let found = entries.read(&text).ok_or_else(|| ReadError::Changed(open.shown.clone()))?;
                for (id, line) in found {
                    let held = Held {
                        title: String::new(),
                        revision: None,
                        file,
                        line,
                        matches: None,
                        text: None,
                        indicators: Vec::new(),
                        values: Vec::new(),
                    };
                    self.hold(open, entries.list.clone(), id.to_owned(), held);
                }
                open.text = text;
            }
        }
        Ok(())
    }

    /// Takes a rule in. An entry that another file holds too is the same; of several ready-made rules with one id, each
    /// further one gets a mark of its own.
    fn hold(&mut self, open: &mut OpenFile, list: String, id: String, held: Held) {
        let is_entry = !list.is_empty();
        if is_entry && !open.file.lists.contains(&list) {
            open.file.lists.insert(list.clone());
        }
        let group = self.groups.entry((open.file.target.clone(), list)).or_default();
        if is_entry && group.contains_key(&id) {
            return;
        }
        let mut key = id.clone();
        let mut count = 1;
        while group.contains_key(&key) {
            count += 1;
            key = format!("{id}+{count}");
        }
        group.insert(key, held);
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
        Item { target, list, id, file: self.files.get(held.file), held }
    }
}

/// A file whose rules are being read.
struct OpenFile {
    file: OutputFile,
    /// Its path, for messages.
    shown: String,
    text: String,
}

impl OpenFile {
    fn read(folder: &Path, target: &str, path: String) -> Result<Self, ReadError> {
        let shown = folder.join(&path).display().to_string();
        let bytes = fs::read(folder.join(&path)).map_err(|source| ReadError::Io { path: shown.clone(), source })?;
        let digest = Digest::new([bytes.as_slice()]);
        let text =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let file = OutputFile { target: target.to_owned(), path, digest, lists: BTreeSet::new() };
        Ok(Self { file, shown, text })
    }
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
