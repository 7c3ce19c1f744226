//! A folder of outputs, read back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    provenance::{FOLDER, Provenance},
    split::{self, Rule, indicators},
};
use crate::target::TARGETS;

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
        let known = |path: &&String| {
            let top = path.split_once('/').map(|(top, _)| top);
            path.as_str() == "manifest.json"
                || top.is_some_and(|top| top == FOLDER || TARGETS.iter().any(|target| target.name() == top))
        };
        if !files.is_empty() && !files.iter().any(|path| known(&path)) {
            return Err(ReadError::Foreign(folder.display().to_string()));
        }
        // Plain lists come first: their entries are the same as those of the other formats.
        let mut ordered: Vec<&String> = files.iter().filter(known).collect();
        ordered.sort_by_key(|path| (!path.ends_with(".txt"), *path));
        for path in ordered {
            let Some((target, name)) = path.split_once('/').filter(|(top, _)| *top != FOLDER) else { continue };
            let file = folder.join(path);
            let bytes = fs::read(&file).map_err(|source| ReadError::Io { path: file.display().to_string(), source })?;
            output.files.push(path.clone());
            output.take(target, name, path, &String::from_utf8_lossy(&bytes));
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

    fn take(&mut self, target: &str, name: &str, path: &str, text: &str) {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match (target, extension) {
            ("blocklist", _) => self.list(target, name, path, text),
            ("suricata", "list") => {
                let list = name.trim_start_matches("lists/").trim_end_matches(".list");
                for (line, text) in entries(text) {
                    let Some((hash, details)) = text.split_once("  ") else { continue };
                    let (id, details, indicators) = (hash.to_owned(), details.to_owned(), indicators(details));
                    self.add(target, list, path, Rule { id, details, indicators, line, ..Rule::default() });
                }
            }
            ("suricata", _) => {
                for (line, text) in entries(text) {
                    if let Some(rule) = split::suricata(text) {
                        self.add(target, "", path, Rule { line, ..rule });
                    }
                }
            }
            ("yara", _) => split::yara(text).into_iter().for_each(|rule| self.add(target, "", path, rule)),
            ("sigma", _) => split::sigma(text).into_iter().for_each(|rule| self.add(target, "", path, rule)),
            // A target that is not known here is compared file by file.
            _ => self.add(target, "", path, Rule { matching: text.to_owned(), line: 1, ..Rule::default() }),
        }
    }

    /// Every format holds the same entries, each in its own dress.
    fn list(&mut self, target: &str, name: &str, path: &str, text: &str) {
        let kind = match name {
            "domains.txt" | "hosts" | "rpz.zone" => "domain",
            "urls.txt" => "url",
            _ => name.split('.').next().unwrap_or(name),
        };
        let bare = |line: &'_ str| -> Option<String> {
            Some(match name {
                "hosts" => line.strip_prefix("0.0.0.0 ")?.to_owned(),
                "rpz.zone" => line.strip_suffix(" IN CNAME .")?.to_owned(),
                _ if name.ends_with(".nft") => line.strip_prefix('\t')?.trim_end_matches(',').to_owned(),
                _ => line.to_owned(),
            })
        };
        for (line, id) in entries(text).filter_map(|(line, text)| Some((line, bare(text)?))) {
            let list = match kind {
                "stixc" if id.contains(':') => "ipv6",
                "stixc" => "ipv4",
                other => other,
            };
            if !self.group(target, list).contains_key(&id) {
                self.add(target, list, path, Rule { id, line, ..Rule::default() });
            }
        }
    }

    fn group(&mut self, target: &str, list: &str) -> &mut BTreeMap<String, Held> {
        self.groups.entry((target.to_owned(), list.to_owned())).or_default()
    }

    /// Adds a rule of the file that was begun last. Of several ready-made ones with one id, each further one gets a mark of
    /// its own.
    fn add(&mut self, target: &str, list: &str, path: &str, rule: Rule) {
        let Rule { id, title, matching, details, indicators, revision, line } = rule;
        let id = if id.is_empty() { path.to_owned() } else { id };
        let file = self.files.len().saturating_sub(1);
        let group = self.group(target, list);
        let mut key = id.clone();
        let mut count = 1;
        while group.contains_key(&key) {
            count += 1;
            key = format!("{id}+{count}");
        }
        group.insert(key, Held { title, revision, file, line, matching, details, indicators });
    }
}

/// The lines of a list that are neither blank nor comments, with their numbers.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with(['#', ';', '$']))
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
