//! What a run did with each indicator, for people and for programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    diagnostic::Diagnostic,
    plan::fidelity::{Fidelity, Loss},
};

/// Version of the report's form.
pub const SCHEMA: &str = "stixc-report/1";

/// What became of one indicator in one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Rules with this fidelity.
    Rules(Fidelity),
    /// Rules that came ready-made, and that no engine has compiled.
    Unchecked,
    /// No rule: the target can't hold the pattern.
    Refused,
    /// No rule: the target has no place for anything that the pattern is about.
    NotApplicable,
    /// No rule: all that the pattern names is guarded.
    Guarded,
    /// No rule: the target's own filter leaves the indicator out.
    Filtered,
}

impl Verdict {
    /// Whether there are rules.
    #[must_use]
    pub fn has_rules(self) -> bool {
        matches!(self, Self::Rules(_) | Self::Unchecked)
    }

    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rules(fidelity) => fidelity.name(),
            Self::Unchecked => "unchecked",
            Self::Refused => "refused",
            Self::NotApplicable => "n/a",
            Self::Guarded => "guarded",
            Self::Filtered => "filtered",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What an indicator is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In force.
    Active,
    /// Past its `valid_until`.
    Expired,
    /// Not yet valid: its `valid_from` has not come.
    Pending,
    /// Taken back by its maker.
    Revoked,
    /// Not a pattern that can be compiled.
    Invalid,
    /// Left out for what it is: benign, or not wanted by the user's filter.
    Filtered,
}

impl Status {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Pending => "pending",
            Self::Revoked => "revoked",
            Self::Invalid => "invalid",
            Self::Filtered => "filtered",
        }
    }
}

/// How many indicators met which verdict in one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verdicts {
    /// The rules mean what the pattern means.
    pub exact: usize,
    /// The rules match more.
    pub broader: usize,
    /// The rules miss some.
    pub narrower: usize,
    /// Both.
    pub approximate: usize,
    /// Ready-made rules that no engine has compiled.
    pub unchecked: usize,
    /// No rule.
    pub refused: usize,
    /// No rule, for safety.
    pub guarded: usize,
    /// No rule, for the target is about other things.
    pub not_applicable: usize,
    /// No rule, for the target's own filter leaves the indicator out.
    pub filtered: usize,
}

impl Summary {
    /// The targets that have no rule.
    #[must_use]
    pub fn without_rules(&self) -> Vec<&'static str> {
        self.verdicts.iter().filter(|(_, verdicts)| verdicts.rules() == 0).map(|(target, _)| *target).collect()
    }
}

impl Verdicts {
    /// Counts one verdict.
    pub fn count(&mut self, verdict: Verdict) {
        *self.number(verdict) += 1;
    }

    fn number(&mut self, verdict: Verdict) -> &mut usize {
        match verdict {
            Verdict::Rules(Fidelity { more: false, fewer: false }) => &mut self.exact,
            Verdict::Rules(Fidelity { more: true, fewer: false }) => &mut self.broader,
            Verdict::Rules(Fidelity { more: false, fewer: true }) => &mut self.narrower,
            Verdict::Rules(Fidelity { more: true, fewer: true }) => &mut self.approximate,
            Verdict::Unchecked => &mut self.unchecked,
            Verdict::Refused => &mut self.refused,
            Verdict::NotApplicable => &mut self.not_applicable,
            Verdict::Guarded => &mut self.guarded,
            Verdict::Filtered => &mut self.filtered,
        }
    }

    /// How many indicators have rules.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.exact + self.broader + self.narrower + self.approximate + self.unchecked
    }
}

/// The numbers of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Indicators read; of several versions of one, the newest counts.
    pub indicators: usize,
    /// Those whose pattern is one.
    pub valid: usize,
    /// Those in force.
    pub active: usize,
    /// Those whose `valid_from` has not come.
    pub pending: usize,
    /// Left out of all targets, as benign or by a filter.
    pub filtered: usize,
    /// When the first of them comes into force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_valid: Option<String>,
    /// Active ones of which the guard took a part or all.
    pub guarded: usize,
    /// Those behind at least one rule.
    pub rendered: usize,
    /// Verdicts by target.
    pub verdicts: BTreeMap<&'static str, Verdicts>,
}

/// What became of one indicator.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IndicatorReport {
    /// Its id.
    pub id: String,
    /// Its name, or the one made for it.
    pub name: String,
    /// The file that it was read from.
    pub source: String,
    /// Its pattern.
    pub pattern: String,
    /// The pattern in normal form; empty where it is not valid.
    pub canonical: String,
    /// What it is at this moment.
    pub status: Status,
    /// When it was made, as its maker says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When this version of it was made; of a revoked one, when it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// What was said about its pattern.
    pub diagnostics: Vec<Diagnostic>,
    /// By target; empty unless it is active.
    pub targets: ByTarget,
    /// What it says, in a number; kept beside the outputs, and not in the report.
    #[serde(skip)]
    pub fingerprint: u64,
    /// What other objects say about it; kept beside the outputs, and not in the report.
    #[serde(skip)]
    pub beside: Box<[Beside]>,
}

/// What another object says about an indicator: the identity that made it, a marking, what it indicates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Beside {
    /// The id of the object.
    pub id: String,
    /// Its name, its number in ATT&CK, or its level.
    pub says: String,
}

/// What became of one indicator in each target, by the target's name. A run holds one for each indicator, and a map that
/// takes no more room than its few entries is what lets it hold a million.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ByTarget(Box<[(&'static str, TargetReport)]>);

impl ByTarget {
    /// The one of a target.
    #[must_use]
    pub fn get(&self, target: &str) -> Option<&TargetReport> {
        self.0.iter().find(|(name, _)| *name == target).map(|(_, report)| report)
    }

    /// The one of a target, to be changed.
    pub fn get_mut(&mut self, target: &str) -> Option<&mut TargetReport> {
        self.0.iter_mut().find(|(name, _)| *name == target).map(|(_, report)| report)
    }

    /// All, in the order of the names.
    pub fn iter(&self) -> std::slice::Iter<'_, (&'static str, TargetReport)> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ByTarget {
    type Item = &'a (&'static str, TargetReport);
    type IntoIter = std::slice::Iter<'a, (&'static str, TargetReport)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<(&'static str, TargetReport)> for ByTarget {
    fn from_iter<I: IntoIterator<Item = (&'static str, TargetReport)>>(reports: I) -> Self {
        let mut reports: Vec<_> = reports.into_iter().collect();
        reports.sort_by_key(|(name, _)| *name);
        reports.dedup_by_key(|(name, _)| *name);
        Self(reports.into())
    }
}

impl Serialize for ByTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(name, report)| (name, report)))
    }
}

/// What became of one indicator in one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetReport {
    /// The verdict.
    pub verdict: Verdict,
    /// What the rules don't say; for a refusal, why there are none.
    pub losses: Vec<Loss>,
    /// The ids of its rules in the target's files.
    pub rules: Vec<String>,
}

/// The whole report; serialises to the form that [`SCHEMA`] names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The numbers.
    pub summary: &'a Summary,
    /// Each feed of a build; a conversion of files has none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub feeds: &'a [FeedReport],
    /// What was said about the input files.
    pub diagnostics: &'a [SourceDiagnostic],
    /// Every indicator, by id.
    pub indicators: &'a [IndicatorReport],
}

/// How much of a feed is in the outputs of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedState {
    /// All that it holds now.
    Fetched,
    /// The same: it says that nothing has changed.
    Unchanged,
    /// All but some objects that can't be read.
    Partial,
    /// What it held when it was read to the end last, and what came before it failed now.
    Stale,
    /// What it held when it was read last: this build asks no server.
    Offline,
}

impl FeedState {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Unchanged => "unchanged",
            Self::Partial => "partial",
            Self::Stale => "stale",
            Self::Offline => "offline",
        }
    }
}

/// What became of one feed of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeedReport {
    /// Its name.
    pub name: String,
    /// How much of it is in the outputs.
    pub state: FeedState,
    /// When it was read to its end last: now, unless it is stale or offline. Nothing where it never was.
    pub since: Option<String>,
    /// Pages or files that were read.
    pub pages: u64,
    /// Objects that came.
    pub objects: u64,
    /// Those of them that are new, or newer than before.
    pub changed: u64,
    /// Objects that it no longer holds.
    pub removed: usize,
    /// Objects that can't be read.
    pub faulty: usize,
    /// Why it is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Diagnostic>,
}

/// Something said about a file rather than about a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceDiagnostic {
    /// The file.
    pub source: String,
    /// What was said; its span counts the bytes of the file.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
}
