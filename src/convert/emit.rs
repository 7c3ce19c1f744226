//! From groups to files: the end of a run.

use std::{collections::BTreeMap, sync::Arc};

use rayon::slice::ParallelSliceMut;

use crate::{
    output::{EmitError, Sink},
    plan::Plan,
    render::Renderer,
    report::{IndicatorReport, SourceDiagnostic, Status, Summary, Verdict, Verdicts},
    stix::Key,
    targets::{
        Target,
        contract::{Origin, Rule},
        record::EmittedRule,
    },
};

#[cfg(feature = "witness")]
use super::natives;
use super::{
    Converter, Details, Outcome,
    emitter::Emitter,
    gather::{Gathered, Record},
    members::{Members, joined},
};

/// A finished conversion.
#[derive(Debug)]
pub struct Finished {
    /// The numbers.
    pub summary: Summary,
    /// Every indicator by id, where details were wanted.
    pub indicators: Vec<IndicatorReport>,
    /// What was said about the input files and about the output.
    pub diagnostics: Vec<SourceDiagnostic>,
    /// Targets whose files could not be written; the others' were.
    pub failures: Vec<EmitFailure>,
    /// What each pattern means that has a rule in some target, in the order of the rules, where that was to be kept.
    pub subjects: Vec<Subject>,
}

/// A pattern of which a run has rules.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where it comes from.
    pub origin: Arc<Origin>,
    /// What it means.
    pub plan: Plan,
    /// The places of the targets whose filters leave out some of its indicators, and where it comes from there; `None` where
    /// they leave out all.
    apart: Vec<(usize, Option<Arc<Origin>>)>,
}

impl Subject {
    /// Where its rules in a target come from; `None` where the target's filter leaves it out.
    #[must_use]
    pub fn origin_in(&self, target: usize) -> Option<&Arc<Origin>> {
        match self.apart.iter().find(|(place, _)| *place == target) {
            Some((_, origin)) => origin.as_ref(),
            None => Some(&self.origin),
        }
    }
}

/// What a target has to itself that leaves some indicators out by a filter of its own.
struct Own {
    /// Of the patterns of which it leaves out some indicators, the origins made of the others.
    origins: BTreeMap<u32, Arc<Origin>>,
    /// The patterns in the order of its rules.
    order: Vec<u32>,
}

/// A target whose files could not be written.
#[derive(Debug)]
pub struct EmitFailure {
    /// Its name.
    pub target: &'static str,
    /// Why.
    pub error: EmitError,
}

impl Converter<'_> {
    /// Writes all files to `sink`. A target that fails does not keep the others from theirs.
    pub fn finish(self, renderer: &Renderer, sink: &mut dyn Sink) -> Finished {
        let Self { settings, mut gathered, mut diagnostics, .. } = self;
        gathered.close();
        diagnostics.extend(
            gathered.ambiguity().map(|diagnostic| SourceDiagnostic { source: "indicators".to_owned(), diagnostic }),
        );
        let members = Members::of(&gathered);
        members.take_unwanted(&mut gathered);
        #[cfg(feature = "witness")]
        diagnostics.extend(natives::compile(&mut gathered, settings));
        let summary = summarise(&gathered, settings.targets.iter().map(|prepared| prepared.target));
        let own = members.own_origins(&gathered);
        let origins = origins(&mut gathered, &members);
        let mut reports = reports(gathered.records);
        let keys = std::mem::take(&mut gathered.patterns);
        let order = sorted(members.patterns().collect(), &keys, |pattern| origins.get(pattern as usize));
        let sort_own = |(target, own): (usize, BTreeMap<u32, Arc<Origin>>)| {
            let origin = |pattern| own.get(&pattern).or_else(|| origins.get(pattern as usize));
            let order = sorted(order.clone(), &keys, origin);
            (target, Own { origins: own, order })
        };
        let own: BTreeMap<usize, Own> = own.into_iter().map(sort_own).collect();
        drop(keys);
        let plans = std::mem::take(&mut gathered.plans);
        let subjects = subjects(plans, &gathered.outcomes, &order, &origins, &own);
        let left_out = gathered.left_out;
        let mut failures = Vec::new();
        let mut outcomes = gathered.outcomes;
        for (number, prepared) in settings.targets.iter().enumerate() {
            let outcomes = outcomes.get_mut(number).map(std::mem::take).unwrap_or_default();
            let own = own.get(&number);
            let order = own.map_or(&order, |own| &own.order);
            let (places, rules) = rules(outcomes, order, |pattern| {
                own.and_then(|own| own.origins.get(&pattern)).or_else(|| origins.get(pattern as usize))
            });
            let mut emitter = Emitter::new(prepared.target, renderer, sink, settings.details == Details::All);
            if let Err(error) = emitter.emit(prepared, rules) {
                failures.push(EmitFailure { target: prepared.target.name(), error });
            }
            let Emitter { rules: emitted, warnings, .. } = emitter;
            let source = prepared.target.name();
            let warnings = warnings.into_iter();
            diagnostics.extend(warnings.map(|diagnostic| SourceDiagnostic { source: source.to_owned(), diagnostic }));
            for (index, rules) in emitted.into_iter().flatten() {
                let Some(&pattern) = places.get(index) else { continue };
                note_rules(&mut reports, members.wanted(pattern, number, &left_out), source, &rules);
            }
        }
        let mut indicators: Vec<IndicatorReport> = reports.into_iter().map(|(_, report)| *report).collect();
        indicators.sort_by(|left, right| left.id.cmp(&right.id));
        Finished { summary, indicators, diagnostics, failures, subjects }
    }
}

/// One origin for each pattern, in the order of their numbers; empty where the records keep none.
fn origins(gathered: &mut Gathered, members: &Members) -> Vec<Arc<Origin>> {
    let Gathered { records, patterns, .. } = gathered;
    if records.iter().all(|record| record.origin().is_none()) {
        return Vec::new();
    }
    let mut take = |number: &u32| records[*number as usize].take_origin();
    (0..)
        .zip(patterns)
        .map(|(pattern, _)| {
            let all = members.of_pattern(pattern).iter().filter_map(&mut take);
            Arc::from(joined(all).unwrap_or_default())
        })
        .collect()
}

/// The patterns that have a rule somewhere, where their plans were kept.
fn subjects(
    mut plans: Vec<Option<Plan>>,
    outcomes: &[Vec<Outcome>],
    order: &[u32],
    origins: &[Arc<Origin>],
    own: &BTreeMap<usize, Own>,
) -> Vec<Subject> {
    let has_rules = |pattern: &&u32| {
        let outcomes = outcomes.iter().filter_map(|all| all.get(**pattern as usize));
        outcomes.into_iter().any(|outcome| matches!(outcome, Outcome::Rules(_)))
    };
    let apart = |pattern: u32| {
        let in_target = |(target, outcomes): (usize, &Vec<Outcome>)| {
            if matches!(outcomes.get(pattern as usize), Some(Outcome::Filtered)) {
                return Some((target, None));
            }
            Some((target, Some(Arc::clone(own.get(&target)?.origins.get(&pattern)?))))
        };
        outcomes.iter().enumerate().filter_map(in_target).collect()
    };
    let subject = |pattern: &u32| {
        let plan = plans.get_mut(*pattern as usize)?.take()?;
        Some(Subject { origin: Arc::clone(origins.get(*pattern as usize)?), plan, apart: apart(*pattern) })
    };
    order.iter().filter(has_rules).filter_map(subject).collect()
}

/// The rules of one target in order, and the pattern of each.
fn rules<'o>(
    mut outcomes: Vec<Outcome>,
    order: &[u32],
    origin: impl Fn(u32) -> Option<&'o Arc<Origin>>,
) -> (Vec<u32>, Vec<Rule>) {
    let nobody = Arc::new(Origin::default());
    let (mut places, mut rules) = (Vec::new(), Vec::new());
    for &pattern in order {
        if let Outcome::Rules(content) = std::mem::replace(&mut outcomes[pattern as usize], Outcome::Filtered) {
            let origin = origin(pattern).unwrap_or(&nobody);
            places.push(pattern);
            rules.push(Rule { origin: Arc::clone(origin), content });
        }
    }
    (places, rules)
}

/// Patterns by the ids of their origins, then by their keys.
fn sorted<'o>(
    mut patterns: Vec<u32>,
    keys: &[Key],
    origin: impl Fn(u32) -> Option<&'o Arc<Origin>> + Sync,
) -> Vec<u32> {
    patterns.par_sort_unstable_by(|&left, &right| {
        let key = |pattern: u32| (origin(pattern).map(|origin| &origin.id), keys[pattern as usize]);
        key(left).cmp(&key(right))
    });
    patterns
}

/// The reports of those records that have one, with the numbers of the records, which are in order. The records are of no
/// use any more.
fn reports(records: Vec<Record>) -> Vec<(u32, Box<IndicatorReport>)> {
    let reports = records.into_iter().map(|record| record.report());
    (0..).zip(reports).filter_map(|(number, report)| Some((number, report?))).collect()
}

fn note_rules(
    reports: &mut [(u32, Box<IndicatorReport>)],
    members: impl Iterator<Item = u32>,
    target: &str,
    rules: &[EmittedRule],
) {
    for member in members {
        let report = reports.binary_search_by_key(&member, |(number, _)| *number);
        let entry = report.ok().and_then(|at| reports[at].1.targets.get_mut(target));
        if let Some(entry) = entry {
            entry.rules.extend(rules.iter().map(|rule| rule.id.clone()));
        }
    }
}

/// The numbers of a run.
fn summarise(gathered: &Gathered, targets: impl Iterator<Item = &'static dyn Target>) -> Summary {
    let mut summary = Summary { indicators: gathered.records.len(), ..Summary::default() };
    let names: Vec<&'static str> = targets.map(|target| target.name()).collect();
    names.iter().for_each(|name| _ = summary.verdicts.insert(name, Default::default()));
    summary.next_valid = gathered.next_valid().map(|moment| moment.to_string());
    for (place, record) in (0..).zip(&gathered.records) {
        summary.valid += usize::from(record.status != Status::Invalid);
        summary.active += usize::from(record.status == Status::Active);
        summary.pending += usize::from(record.status == Status::Pending);
        summary.filtered += usize::from(record.status == Status::Filtered);
        summary.guarded += usize::from(record.guarded);
        summary.rendered += usize::from(count(place, record, gathered, &names, &mut summary.verdicts));
    }
    summary
}

/// Counts an indicator's verdicts; whether it has rules in any target.
fn count(
    place: u32,
    record: &Record,
    gathered: &Gathered,
    names: &[&'static str],
    verdicts: &mut BTreeMap<&'static str, Verdicts>,
) -> bool {
    let Some(group) = record.group else { return false };
    let mut has_rules = false;
    for (target, (name, outcome)) in names.iter().zip(gathered.outcomes_of(group)).enumerate() {
        let verdict = if gathered.left_out.holds(target, place) { Verdict::Filtered } else { outcome.verdict() };
        has_rules |= verdict.has_rules();
        verdicts.entry(name).or_default().count(verdict);
    }
    has_rules
}
