//! What has changed between two outputs, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    index::Named,
    output::{Item, Label, Output},
    provenance::{Fate, Provenance, Record},
};
use crate::report::Status;

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

/// Why it has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The indicator is new.
    New,
    /// The indicator was there, and not in force.
    Returned,
    /// The indicator was edited.
    Edited,
    /// The indicator has expired.
    Expired,
    /// The indicator was taken back.
    Revoked,
    /// The filter leaves the indicator out.
    Filtered,
    /// The indicator can't be read any more.
    Invalid,
    /// The guard keeps all that the indicator names.
    Guarded,
    /// The target has no rule for the indicator any more.
    Refused,
    /// No feed holds the indicator any more.
    Withdrawn,
    /// The indicator is the same: the configuration, a mapping, a template or stixc itself is not.
    Settings,
    /// One of the two runs did not keep its indicators.
    Unknown,
}

impl Reason {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Returned => "returned",
            Self::Edited => "edited",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Filtered => "filtered",
            Self::Invalid => "invalid",
            Self::Guarded => "guarded",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Settings => "settings",
            Self::Unknown => "unknown",
        }
    }
}

/// A reason, and the indicator that gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    /// Why.
    pub reason: Reason,
    /// The indicator; empty where none is known.
    pub indicator: String,
    /// Its name; empty where only its id is known.
    pub name: String,
    /// Its feed; empty where only its id is known.
    pub source: String,
    /// More about it: when it expired, what the guard or the target says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
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
        let keys: BTreeSet<_> = old.items.keys().chain(new.items.keys()).collect();
        let both = Both { old, new };
        let mut diff = Self { schema: DIFF_SCHEMA, counts: BTreeMap::new(), changes: Vec::new() };
        for key in keys {
            let (before, after) = (old.items.get(key), new.items.get(key));
            let Some((sort, item)) = sort(before, after) else { continue };
            let counts = diff.counts.entry(item.label.target.clone()).or_default();
            *match sort {
                Sort::Added => &mut counts.added,
                Sort::Removed => &mut counts.removed,
                Sort::Changed => &mut counts.changed,
                Sort::Reworded => &mut counts.reworded,
            } += 1;
            let Causes { causes, others, moved } = both.causes(before, after);
            diff.changes.push(Change { sort, label: item.label.clone(), causes, others, moved });
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
fn sort<'i>(before: Option<&'i Item>, after: Option<&'i Item>) -> Option<(Sort, &'i Item)> {
    match (before, after) {
        (None, Some(item)) => Some((Sort::Added, item)),
        (Some(item), None) => Some((Sort::Removed, item)),
        (Some(old), Some(new)) if old.matching != new.matching => Some((Sort::Changed, new)),
        (Some(old), Some(new)) if old.details != new.details || old.label.title != new.label.title => {
            Some((Sort::Reworded, new))
        }
        _ => None,
    }
}

struct Both<'o> {
    old: &'o Output,
    new: &'o Output,
}

/// Why an item is no longer as it was.
#[derive(Default)]
struct Causes {
    causes: Vec<Cause>,
    others: usize,
    moved: usize,
}

impl Both<'_> {
    fn causes(&self, before: Option<&Item>, after: Option<&Item>) -> Causes {
        let Some(label) = before.or(after).map(|item| &item.label) else { return Causes::default() };
        let behind = |item: Option<&Item>, output: &Output| item.map(|item| behind(item, output)).unwrap_or_default();
        let (was, is) = (behind(before, self.old), behind(after, self.new));
        let mut causes = Vec::new();
        let (mut same, mut moved) = (Vec::new(), Vec::new());
        for id in was.union(&is) {
            match self.reason(&label.target, id, was.contains(id), is.contains(id)) {
                Some((Reason::Settings, _)) => moved.push(id),
                Some((reason, details)) => causes.push(self.name(reason, id, details)),
                None => same.push(id),
            }
        }
        if let Some(id) = moved.first().filter(|_| label.list.is_empty()) {
            let new = self.neighbours(id, &label.target).into_iter();
            causes.extend(new.filter(|cause| !was.contains(&cause.indicator) && !is.contains(&cause.indicator)));
        }
        // That an indicator is in another rule is explained by one that has come or gone, and by nothing else.
        let is_explained = !causes.is_empty() && label.list.is_empty();
        let mut unexplained = if is_explained { Vec::new() } else { std::mem::take(&mut moved) };
        if causes.is_empty() && unexplained.is_empty() {
            unexplained = std::mem::take(&mut same);
        }
        let reason = if self.known().is_some() { Reason::Settings } else { Reason::Unknown };
        causes.extend(unexplained.into_iter().map(|id| self.name(reason, id, String::new())));
        if causes.is_empty() {
            causes.push(self.name(reason, "", String::new()));
        }
        causes.sort();
        Causes { causes, others: same.len(), moved: moved.len() }
    }

    /// The indicators that have come to those of an indicator's rules, or have gone from them.
    fn neighbours(&self, id: &str, target: &str) -> Vec<Cause> {
        let Some((old, new)) = self.known() else { return Vec::new() };
        let (was, is) = (old.beside(id, target), new.beside(id, target));
        let cause = |id: &&str| {
            let (reason, details) = self.reason(target, id, was.contains(id), is.contains(id))?;
            Some(self.name(reason, id, details))
        };
        was.symmetric_difference(&is).filter_map(cause).collect()
    }

    /// The indicators of both runs.
    fn known(&self) -> Option<(&Provenance, &Provenance)> {
        self.old.provenance.as_ref().zip(self.new.provenance.as_ref())
    }

    /// Why an indicator is behind an item of a target now and was not, or the other way round, and more about it; `None`
    /// where it is behind both and as it was.
    fn reason(&self, target: &str, id: &str, was: bool, is: bool) -> Option<(Reason, String)> {
        let Some((old, new)) = self.known() else { return (was != is).then(|| (Reason::Unknown, String::new())) };
        let (before, after) = (old.find(id), new.find(id));
        let edited =
            |before: &Record, after: &Record| before.pattern != after.pattern || before.modified != after.modified;
        Some(match (was, is, before, after) {
            (true, false, _, Some(after)) => {
                let edited = before.is_some_and(|before| edited(before, after));
                gone(after, target).unwrap_or((changed(edited), String::new()))
            }
            (true, false, _, None) => (Reason::Withdrawn, String::new()),
            (false, true, None, _) => (Reason::New, String::new()),
            (false, true, Some(before), after) => {
                let edited = after.is_some_and(|after| edited(before, after));
                if before.status != Status::Active && !edited {
                    (Reason::Returned, before.status.name().to_owned())
                } else {
                    (changed(edited), String::new())
                }
            }
            (_, _, Some(before), Some(after)) if edited(before, after) => (Reason::Edited, String::new()),
            _ => return None,
        })
    }

    fn name(&self, reason: Reason, id: &str, details: String) -> Cause {
        let find = |output: &Output| -> Option<Record> { output.provenance.as_ref()?.find(id).cloned() };
        let (name, source) = match find(self.new).or_else(|| find(self.old)) {
            Some(record) => (record.name, record.source),
            None => (String::new(), String::new()),
        };
        Cause { reason, indicator: id.to_owned(), name, source, details }
    }
}

fn changed(edited: bool) -> Reason {
    if edited { Reason::Edited } else { Reason::Settings }
}

/// Why an indicator that is there has no rule in a target; `None` where it has one.
fn gone(record: &Record, target: &str) -> Option<(Reason, String)> {
    let at = |moment: &Option<String>| moment.clone().unwrap_or_default();
    let said = || record.diagnostics.first().map(|found| found.message.clone()).unwrap_or_default();
    Some(match record.status {
        Status::Expired => (Reason::Expired, at(&record.valid_until)),
        Status::Revoked => (Reason::Revoked, at(&record.modified)),
        Status::Filtered => (Reason::Filtered, said()),
        Status::Invalid => (Reason::Invalid, said()),
        Status::Active => match record.targets.get(target) {
            Some(fate) if fate.verdict == Fate::GUARDED => {
                (Reason::Guarded, record.guarded().map(|found| found.message.clone()).next().unwrap_or_default())
            }
            Some(fate) if fate.verdict == Fate::REFUSED => {
                let why: Vec<&str> = fate.losses.iter().map(|loss| loss.message.as_str()).collect();
                (Reason::Refused, why.join("; "))
            }
            _ => return None,
        },
    })
}

/// The ids of the indicators behind an item. What a rule says of itself counts where the run's indicators say nothing.
pub(super) fn behind(item: &Item, output: &Output) -> BTreeSet<String> {
    let named = || item.indicators.iter().cloned().collect();
    let Some(provenance) = &output.provenance else { return named() };
    let Label { target, list, id, .. } = &item.label;
    let known: BTreeSet<String> = if list.is_empty() {
        provenance.behind(target, id).map(|record| record.id.clone()).collect()
    } else if item.indicators.is_empty() {
        // A prefix of a list may be put together from those of several indicators.
        let within = provenance.naming(&Named::entry(id)).into_iter();
        let within = within.filter(|(record, how)| how.is_part() && record.is_in(target));
        within.map(|(record, _)| record.id.clone()).collect()
    } else {
        BTreeSet::new()
    };
    if known.is_empty() { named() } else { known }
}
