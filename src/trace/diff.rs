//! What has changed between two outputs, and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    cause::{Both, Cause, Causes, Pair},
    output::{Item, Label, Output},
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

/// All that has changed between two outputs.
///
/// ```
/// use std::path::Path;
/// use stixc::trace::{Diff, Output};
/// let old = tempfile::tempdir().unwrap();
/// let new = tempfile::tempdir().unwrap();
/// std::fs::create_dir(new.path().join("blocklist")).unwrap();
/// std::fs::write(new.path().join("blocklist/domains.txt"), "evil.example\n").unwrap();
/// let diff = Diff::of(&Output::read(old.path()).unwrap(), &Output::read(new.path()).unwrap());
/// assert_eq!(diff.counts["blocklist"].added, 1);
/// assert_eq!((diff.changes[0].label.list.as_str(), diff.changes[0].label.id.as_str()), ("domain", "evil.example"));
/// ```
#[derive(Debug, PartialEq, Serialize)]
pub struct Diff {
    /// [`DIFF_SCHEMA`].
    pub schema: &'static str,
    /// By target; those without a change are left out.
    pub counts: BTreeMap<String, Counts>,
    /// By target, list and id.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Compares two outputs.
    #[must_use]
    pub fn of(old: &Output, new: &Output) -> Self {
        let mut diff = Self { schema: DIFF_SCHEMA, counts: BTreeMap::new(), changes: Vec::new() };
        let changed: Vec<_> =
            Output::pairs(old, new).filter_map(|pair| sort(pair).map(|(sort, item)| (sort, item, pair))).collect();
        let pairs: Vec<_> = changed.iter().map(|(_, _, pair)| *pair).collect();
        let causes = Both { old, new }.all_causes(&pairs);
        for ((sort, item, _), Causes { causes, others, moved }) in changed.into_iter().zip(causes) {
            let counts = diff.counts.entry(item.target.to_owned()).or_default();
            *match sort {
                Sort::Added => &mut counts.added,
                Sort::Removed => &mut counts.removed,
                Sort::Changed => &mut counts.changed,
                Sort::Reworded => &mut counts.reworded,
            } += 1;
            diff.changes.push(Change { sort, label: item.label(), causes, others, moved });
        }
        diff
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
        [Some(old), Some(new)] if old.matching() != new.matching() => Some((Sort::Changed, new)),
        [Some(old), Some(new)] if !old.says_the_same(&new) => Some((Sort::Reworded, new)),
        _ => None,
    }
}
