//! What has changed between two outputs, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    cause::{Both, Cause, Causes, Pair, Reason},
    output::{Item, Label, Output, OutputFile},
};

/// Version of the form.
pub const DIFF_SCHEMA: &str = "stixc-diff/1";

/// What has happened to a rule or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// It was not there.
    Added,
    /// It is no longer there.
    Removed,
    /// It matches something else.
    Changed,
    /// It matches the same, and says something else of itself.
    Reworded,
}

/// A rule or an entry that has changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What has happened.
    pub sort: Sort,
    /// The rule or the entry, as it is, or as it was.
    #[serde(flatten)]
    pub label: Label,
    /// Why, an indicator each.
    pub causes: Vec<Cause>,
    /// How many other indicators stand behind it as before.
    pub others: usize,
    /// How many indicators have gone from this rule to another one of the target, or have come from there: the rule of a
    /// pattern is known by the first of its indicators, and that is another one now.
    pub moved: usize,
}

/// How many rules and entries of a target have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// New ones.
    pub added: usize,
    /// Those that are gone.
    pub removed: usize,
    /// Those that match something else.
    pub changed: usize,
    /// Those that only say something else.
    pub reworded: usize,
}

impl Counts {
    fn count(&mut self, sort: Sort) {
        *match sort {
            Sort::Added => &mut self.added,
            Sort::Removed => &mut self.removed,
            Sort::Changed => &mut self.changed,
            Sort::Reworded => &mut self.reworded,
        } += 1;
    }
}

/// All that has changed between two outputs.
///
/// ```
/// use stixc::trace::{Diff, Output};
/// let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
/// std::fs::create_dir(new.path().join("blocklist")).unwrap();
/// std::fs::write(new.path().join("blocklist/domains.txt"), "evil.example\n").unwrap();
/// let index = r#"{"schema":"stixc-index/2","complete":true}
/// {"file":"blocklist/domains.txt"}
/// {"rule":{"list":"domain","id":"evil.example","line":1}}"#;
/// std::fs::write(new.path().join("blocklist/index.jsonl"), index).unwrap();
/// let diff = Diff::new(&Output::read(old.path()).unwrap(), &Output::read(new.path()).unwrap());
/// assert_eq!(diff.counts["blocklist"].added, 1);
/// assert_eq!((diff.changes[0].label.list.as_str(), diff.changes[0].label.id.as_str()), ("domain", "evil.example"));
/// ```
#[derive(Debug, PartialEq, Serialize)]
pub struct Diff {
    /// [`DIFF_SCHEMA`].
    pub schema: &'static str,
    /// By target; those without a change are left out.
    pub counts: BTreeMap<String, Counts>,
    /// By target, list and id; behind them, as entries of a list called `file`, files that differ though no rule in them
    /// does.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Compares two outputs.
    #[must_use]
    pub fn new(old: &Output, new: &Output) -> Self {
        let mut diff = Self { schema: DIFF_SCHEMA, counts: BTreeMap::new(), changes: Vec::new() };
        let changed: Vec<_> =
            Output::pairs(old, new).filter_map(|pair| sort(pair).map(|(sort, item)| (sort, item, pair))).collect();
        let pairs: Vec<_> = changed.iter().map(|(_, _, pair)| *pair).collect();
        let causes = Both { old, new }.all_causes(&pairs);
        for ((sort, item, _), Causes { causes, others, moved }) in changed.into_iter().zip(causes) {
            diff.counts.entry(item.target.to_owned()).or_default().count(sort);
            diff.changes.push(Change { sort, label: item.label(), causes, others, moved });
        }
        diff.add_files(old, new);
        diff
    }

    /// Adds the files that differ though no rule and no entry in them does: another template has written them.
    fn add_files(&mut self, old: &Output, new: &Output) {
        let mut pairs: BTreeMap<&str, [Option<&OutputFile>; 2]> = BTreeMap::new();
        for (side, output) in [old, new].into_iter().enumerate() {
            output.files.iter().for_each(|file| pairs.entry(&file.path).or_default()[side] = Some(file));
        }
        let labels = || self.changes.iter().map(|change| &change.label);
        let files: BTreeSet<&str> = labels().map(|label| label.file.as_str()).collect();
        let lists: BTreeSet<(&str, &str)> =
            labels().map(|label| (label.target.as_str(), label.list.as_str())).collect();
        let is_explained = |file: &OutputFile| {
            let holds = |list: &String| lists.contains(&(file.target.as_str(), list.as_str()));
            files.contains(file.path.as_str()) || file.lists.iter().any(holds)
        };
        let mut found = Vec::new();
        for pair in pairs.into_values().filter(|pair| !pair.iter().flatten().any(|file| is_explained(file))) {
            let (sort, file) = match pair {
                [Some(old), Some(new)] if old.digest != new.digest => (Sort::Reworded, new),
                [None, Some(new)] => (Sort::Added, new),
                [Some(old), None] => (Sort::Removed, old),
                _ => continue,
            };
            let causes = vec![Cause::new(Reason::Settings, "", None, String::new())];
            found.push(Change { sort, label: file.label(), causes, others: 0, moved: 0 });
        }
        for change in found {
            self.counts.entry(change.label.target.clone()).or_default().count(change.sort);
            self.changes.push(change);
        }
        self.changes.sort_by(|one, other| one.label.target.cmp(&other.label.target));
    }

    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What has happened, and the rule as it is, or as it was.
fn sort(pair: Pair<'_>) -> Option<(Sort, Item<'_>)> {
    match pair {
        [None, Some(item)] => Some((Sort::Added, item)),
        [Some(item), None] => Some((Sort::Removed, item)),
        [Some(old), Some(new)] if old.matches() != new.matches() => Some((Sort::Changed, new)),
        [Some(old), Some(new)] if !old.says_the_same(&new) => Some((Sort::Reworded, new)),
        _ => None,
    }
}
