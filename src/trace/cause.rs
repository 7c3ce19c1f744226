//! Why a rule or an entry is no longer as it was.

use serde::{Serialize, Serializer};

use super::{
    index::{Index, NamedValue, Relation},
    output::{Item, Output},
    provenance::{Fate, Finding, Needles, Provenance, Record},
};
use crate::{
    diagnostic::Severity,
    report::{Status, Verdict},
};

/// Why it has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The indicator is new.
    New,
    /// The indicator was there, and not in force.
    Returned,
    /// The indicator was edited.
    Edited,
    /// The indicator has expired.
    Expired,
    /// The indicator is not yet valid.
    Pending,
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
    /// The indicator is the same, and another object says something else about it: its maker, a marking, what it indicates.
    Context,
    /// Another indicator has come or gone, and prefixes that touch were put together otherwise.
    Regrouped,
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
            Self::Pending => "pending",
            Self::Revoked => "revoked",
            Self::Filtered => "filtered",
            Self::Invalid => "invalid",
            Self::Guarded => "guarded",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Context => "context",
            Self::Regrouped => "regrouped",
            Self::Settings => "settings",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
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

/// A rule or an entry before and after.
pub(super) type Pair<'o> = [Option<Item<'o>>; 2];

pub(super) struct Both<'o> {
    pub old: &'o Output,
    pub new: &'o Output,
}

/// Why an item is no longer as it was.
#[derive(Default)]
pub(super) struct Causes {
    pub causes: Vec<Cause>,
    pub others: usize,
    pub moved: usize,
}

/// The indicators behind an item, before and after.
struct Sides<'s> {
    target: &'s str,
    was: &'s [String],
    is: &'s [String],
}

impl<'s> Sides<'s> {
    /// Each indicator, and whether it was and is behind the item.
    fn all(&self) -> impl Iterator<Item = (&'s String, bool, bool)> {
        let was = self.was.iter().map(|id| (id, true, self.is.binary_search(id).is_ok()));
        let is = self.is.iter().filter(|id| self.was.binary_search(id).is_err()).map(|id| (id, false, true));
        was.chain(is)
    }
}

impl Both<'_> {
    /// Why each of these is no longer as it was.
    pub(super) fn all_causes(&self, pairs: &[Pair<'_>]) -> Vec<Causes> {
        let side = |at: usize, output| behind(&pairs.iter().map(|pair| pair[at]).collect::<Vec<_>>(), output);
        let (was, is) = (side(0, self.old), side(1, self.new));
        let items = || pairs.iter().map(|[before, after]| before.or(*after)).zip(was.iter().zip(&is));
        let sides = || items().map(|(item, (was, is))| Sides { target: item.map_or("", |item| item.target), was, is });
        let known: Vec<Known<'_>> = sides().map(|sides| self.causes(&sides)).collect();
        // A rule that is called by another of its indicators is in both outputs under another id. Lists have no such ids.
        let is_rule = |item: Option<Item<'_>>| item.is_some_and(|item| item.list.is_empty());
        let moved: Vec<Option<(&str, &str)>> = items()
            .zip(&known)
            .map(|((item, _), known)| {
                let id = known.moved.first().filter(|_| is_rule(item))?;
                Some((item?.target, id.as_str()))
            })
            .collect();
        let mut neighbours = self.neighbours(&moved);
        for (number, causes) in regrouped(pairs, &known) {
            neighbours[number] = Some(causes);
        }
        let all = sides().zip(known).zip(neighbours);
        all.map(|((sides, known), neighbours)| self.conclude(&sides, known, neighbours)).collect()
    }

    /// What the indicators behind an item say themselves.
    fn causes<'s>(&self, sides: &Sides<'s>) -> Known<'s> {
        let mut known = Known::default();
        for (id, was, is) in sides.all() {
            match self.cause(sides.target, id, was, is) {
                Some(cause) if cause.reason == Reason::Settings => known.moved.push(id),
                Some(cause) => known.causes.push(cause),
                None => known.same.push(id),
            }
        }
        known
    }

    /// The reasons, also those that lie in other indicators; no settings where there is one.
    fn conclude(&self, sides: &Sides<'_>, known: Known<'_>, neighbours: Option<Vec<Cause>>) -> Causes {
        let Known { mut causes, mut same, mut moved } = known;
        let is_tied = neighbours.is_some();
        let is_here = |id: &String| sides.was.binary_search(id).is_ok() || sides.is.binary_search(id).is_ok();
        causes.extend(neighbours.into_iter().flatten().filter(|cause| !is_here(&cause.indicator)));
        // That an indicator is in another rule or prefix is explained by one that has come or gone, and by nothing else.
        let mut unexplained = if is_tied && !causes.is_empty() { Vec::new() } else { std::mem::take(&mut moved) };
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

    /// For each target and indicator: the indicators that have come to its rules, or have gone from them.
    fn neighbours(&self, moved: &[Option<(&str, &str)>]) -> Vec<Option<Vec<Cause>>> {
        let Some((old, new)) = self.known().filter(|_| moved.iter().any(Option::is_some)) else {
            return vec![None; moved.len()];
        };
        let (was, is) = (beside(moved, old), beside(moved, new));
        let all = moved.iter().zip(was.iter().zip(&is));
        all.map(|(asked, (was, is))| {
            let target = asked.as_ref()?.0;
            let gone_or_come = Sides { target, was, is };
            let causes = gone_or_come.all().filter(|(_, was, is)| was != is);
            Some(causes.filter_map(|(id, was, is)| self.cause(target, id, was, is)).collect())
        })
        .collect()
    }

    /// The indicators of both runs.
    fn known(&self) -> Option<(&Provenance, &Provenance)> {
        self.old.provenance.as_ref().zip(self.new.provenance.as_ref())
    }

    /// Why an indicator is behind an item of a target now and was not, or the other way round, and more about it; `None`
    /// where it is behind both and as it was.
    fn cause(&self, target: &str, id: &str, was: bool, is: bool) -> Option<Cause> {
        let Some((old, new)) = self.known() else {
            return (was != is).then(|| self.name(Reason::Unknown, id, String::new()));
        };
        let (before, after) = (old.find(id), new.find(id));
        let changed = before.as_ref().zip(after.as_ref()).and_then(|(before, after)| changed(before, after));
        let settings = || (Reason::Settings, String::new());
        let (reason, details) = match (was, is, &before, &after) {
            (true, false, _, Some(after)) => match (Decisive::new(after, target), changed) {
                (Some(Decisive { reason, details, .. }), Some((Reason::Context, object))) => {
                    (reason, [details, object].join("; "))
                }
                (Some(Decisive { reason, details, .. }), _) => (reason, details),
                (None, changed) => changed.unwrap_or_else(settings),
            },
            (true, false, _, None) => (Reason::Withdrawn, String::new()),
            (false, true, None, _) => (Reason::New, String::new()),
            (false, true, Some(before), after) => match changed {
                // That it is in force again says more than that it was edited, unless its maker says so.
                None | Some((Reason::Edited, _))
                    if before.status != Status::Active
                        && after.as_ref().is_some_and(|after| !before.is_another_version(after)) =>
                {
                    (Reason::Returned, before.status.name().to_owned())
                }
                changed => changed.unwrap_or_else(settings),
            },
            _ => changed?,
        };
        Some(Cause::new(reason, id, after.or(before), details))
    }

    fn name(&self, reason: Reason, id: &str, details: String) -> Cause {
        let find = |output: &Output| output.provenance.as_ref()?.find(id);
        Cause::new(reason, id, find(self.new).or_else(|| find(self.old)), details)
    }
}

/// What the indicators behind an item say: causes, those that are as they were, and those that are as they were and yet
/// behind it only on one side.
#[derive(Default)]
struct Known<'s> {
    causes: Vec<Cause>,
    same: Vec<&'s String>,
    moved: Vec<&'s String>,
}

/// The entry of a list that a pair is about, if it is one.
fn entry<'o>(pair: &Pair<'o>) -> Option<Item<'o>> {
    pair[0].or(pair[1]).filter(|item| !item.list.is_empty())
}

/// For prefixes of lists with an indicator that is as it was and now in another prefix: why that one is otherwise, by the
/// number of the pair.
fn regrouped(pairs: &[Pair<'_>], known: &[Known<'_>]) -> Vec<(usize, Vec<Cause>)> {
    let mut prefixes = Index::default();
    for (number, item) in pairs.iter().enumerate().filter_map(|(number, pair)| Some((number, entry(pair)?))) {
        prefixes.add(NamedValue::entry(item.id), number);
    }
    let moved = pairs.iter().zip(known).enumerate().filter(|(_, (_, known))| !known.moved.is_empty());
    let around = |(number, (pair, own)): (usize, (&Pair<'_>, &Known<'_>))| {
        let item = entry(pair)?;
        let others = prefixes.related(&NamedValue::entry(item.id)).into_iter().filter(|(other, how)| {
            let is_prefix = matches!(how, Relation::Around | Relation::Inside);
            let is_there = |one: Item<'_>| (one.target, one.list) == (item.target, item.list);
            is_prefix && entry(&pairs[*other]).is_some_and(is_there)
        });
        let others: Vec<usize> = others.map(|(other, _)| other).collect();
        let causes = |other: &usize| {
            let (place, when) = (entry(&pairs[*other])?.id, if pairs[*other][1].is_some() { "now" } else { "before" });
            Some(known[*other].causes.iter().map(move |cause| Cause {
                reason: Reason::Regrouped,
                details: format!("{when} in {place}; {}", cause.reason.name()),
                ..cause.clone()
            }))
        };
        let mut causes: Vec<Cause> = match own.causes.is_empty() {
            true => others.iter().filter_map(causes).flatten().collect(),
            false => Vec::new(),
        };
        causes.sort();
        causes.dedup();
        (!others.is_empty()).then_some((number, causes))
    };
    moved.filter_map(around).collect()
}

impl Cause {
    pub(super) fn new(reason: Reason, id: &str, record: Option<Record>, details: String) -> Self {
        let (name, source) = record.map(|record| (record.name, record.source)).unwrap_or_default();
        Self { reason, indicator: id.to_owned(), name, source, details }
    }
}

/// What has changed about an indicator, if anything has: itself, or what other objects say about it.
fn changed(before: &Record, after: &Record) -> Option<(Reason, String)> {
    if before.is_edited(after) {
        return Some((Reason::Edited, String::new()));
    }
    let differences = before.differences(after);
    (!differences.is_empty()).then(|| (Reason::Context, differences.join(", ")))
}

/// Why an indicator that is there has no rule in a target.
pub(super) struct Decisive {
    pub reason: Reason,
    /// The code of what was said; empty where nothing was.
    pub code: String,
    pub details: String,
}

impl Decisive {
    /// `None` where it has a rule of all that it names.
    pub(super) fn new(record: &Record, target: &str) -> Option<Self> {
        let said = |reason, found: Option<(&str, &str)>| {
            let (code, details) = found.unwrap_or_default();
            Self { reason, code: code.to_owned(), details: details.to_owned() }
        };
        let found = |found: &Finding| (found.code.clone(), found.message.clone());
        // What decides on an indicator as a whole is said last, behind all that is odd about it.
        let last = record.diagnostics.last().map(found).unwrap_or_default();
        let last = |reason| said(reason, Some((&last.0, &last.1)));
        let at = |reason, moment: &Option<String>| Self { details: moment.clone().unwrap_or_default(), ..last(reason) };
        Some(match record.status {
            Status::Expired => at(Reason::Expired, &record.valid_until),
            Status::Revoked => at(Reason::Revoked, &record.modified),
            Status::Pending => last(Reason::Pending),
            Status::Filtered => last(Reason::Filtered),
            Status::Invalid => {
                let error = record.diagnostics.iter().find(|found| found.severity == Some(Severity::Error));
                let error = error.or(record.diagnostics.first());
                said(Reason::Invalid, error.map(|found| (found.code.as_str(), found.message.as_str())))
            }
            Status::Active => {
                let fate = record.targets.get(target)?;
                let reason = if fate.is(Verdict::Filtered) {
                    Reason::Filtered
                } else if fate.is(Verdict::Guarded) {
                    let lost = fate.losses.first().map(|lost| (lost.code.as_str(), lost.message.as_str()));
                    let guard = record.guarded().next().map(|found| (found.code.as_str(), found.message.as_str()));
                    return Some(said(Reason::Guarded, lost.or(guard)));
                } else if fate.is(Verdict::Refused) || fate.is(Verdict::NotApplicable) {
                    Reason::Refused
                } else {
                    return None;
                };
                let code = fate.losses.first().map(|lost| lost.code.as_str()).unwrap_or_default();
                said(reason, Some((code, &reasons(fate))))
            }
        })
    }
}

fn reasons(fate: &Fate) -> String {
    let why: Vec<&str> = fate.losses.iter().map(|loss| loss.message.as_str()).collect();
    why.join("; ")
}

/// The ids of the indicators behind items, sorted; none where there is no item. What a rule says of itself counts where the
/// run's indicators say nothing.
pub(super) fn behind(items: &[Option<Item<'_>>], output: &Output) -> Vec<Vec<String>> {
    let mut needles = Needles::default();
    for item in items {
        match item {
            Some(item) if item.list.is_empty() => needles.rules(item.target, [item.id]),
            // The lists of hashes beside rules name the indicators of each.
            Some(item) if item.indicators().is_empty() => needles.entry(item.target, item.id),
            _ => needles.rules("", []),
        }
    }
    let found = match &output.provenance {
        Some(provenance) => needles.find(provenance),
        None => vec![Vec::new(); items.len()],
    };
    let named = |item: &Option<Item<'_>>| item.map(|item| item.indicators().to_vec()).unwrap_or_default();
    found.into_iter().zip(items).map(|(found, item)| if found.is_empty() { named(item) } else { found }).collect()
}

/// For each target and indicator: the indicators behind the same rules, itself among them.
fn beside(asked: &[Option<(&str, &str)>], provenance: &Provenance) -> Vec<Vec<String>> {
    let rules = |(target, id): (&str, &str)| provenance.find(id)?.targets.remove(target).map(|fate| fate.rules);
    let rules: Vec<Vec<String>> = asked.iter().map(|asked| asked.and_then(rules).unwrap_or_default()).collect();
    let mut needles = Needles::default();
    for (asked, rules) in asked.iter().zip(&rules) {
        needles.rules(asked.map_or("", |(target, _)| target), rules.iter().map(String::as_str));
    }
    needles.find(provenance)
}
