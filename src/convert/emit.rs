//! From groups to files: the end of a run.

use std::sync::Arc;

use rayon::slice::ParallelSliceMut;

use crate::{
    output::{EmitError, Sink},
    plan::{Plan, fidelity::Loss},
    render::Renderer,
    report::{IndicatorReport, SourceDiagnostic, Status, Summary, Verdict},
    span::Span,
    targets::{
        Target,
        contract::{HeldBack, Origin, Rule},
        record::EmittedRule,
    },
};

#[cfg(feature = "witness")]
use super::natives;
use super::{
    Converter, Details, Outcome,
    emitter::Emitter,
    gather::{Gathered, Record},
    origin::join,
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
        #[cfg(feature = "witness")]
        diagnostics.extend(natives::compile(&mut gathered, settings));
        let mut summary = summarise(&gathered, settings.targets.iter().map(|prepared| prepared.target));
        let members = Members::of(&gathered);
        let origins = origins(&mut gathered, &members);
        let mut reports = reports(gathered.records);
        let mut order: Vec<u32> = members.patterns().collect();
        let keys = std::mem::take(&mut gathered.patterns);
        order.par_sort_unstable_by(|&left, &right| {
            let key = |pattern: u32| (origins.get(pattern as usize).map(|origin| &origin.id), keys[pattern as usize]);
            key(left).cmp(&key(right))
        });
        drop(keys);
        let mut with_rules = with_rules(&gathered.outcomes, members.starts.len());
        let subjects = subjects(std::mem::take(&mut gathered.plans), &gathered.outcomes, &order, &origins);
        let mut failures = Vec::new();
        let mut outcomes = gathered.outcomes;
        for (number, prepared) in settings.targets.iter().enumerate() {
            let outcomes = outcomes.get_mut(number).map(std::mem::take).unwrap_or_default();
            let (places, rules) = rules(outcomes, &order, &origins);
            let mut emitter = Emitter::new(prepared.target, renderer, sink, settings.details == Details::All);
            if let Err(error) = emitter.emit(prepared, rules) {
                failures.push(EmitFailure { target: prepared.target.name(), error });
            }
            let Emitter { rules: emitted, warnings, held, .. } = emitter;
            let source = prepared.target.name();
            let warnings = warnings.into_iter();
            diagnostics.extend(warnings.map(|diagnostic| SourceDiagnostic { source: source.to_owned(), diagnostic }));
            for (index, rules) in emitted.into_iter().flatten() {
                let Some(&pattern) = places.get(index) else { continue };
                note_rules(&mut reports, members.of_pattern(pattern), source, &rules);
            }
            for held in held {
                let Some(&pattern) = places.get(held.index) else { continue };
                let members = members.of_pattern(pattern);
                note_held(&mut reports, members, source, &held);
                let before = Verdict::Rules(held.lowered);
                let verdicts = summary.verdicts.entry(source).or_default();
                members.iter().for_each(|_| verdicts.recount(before, verdict(&held)));
                let targets = &mut with_rules[pattern as usize];
                *targets = targets.saturating_sub(u8::from(held.written.is_none()));
                if *targets == 0 {
                    summary.rendered -= members.len();
                }
            }
        }
        let mut indicators: Vec<IndicatorReport> = reports.into_iter().map(|(_, report)| *report).collect();
        indicators.sort_by(|left, right| left.id.cmp(&right.id));
        Finished { summary, indicators, diagnostics, failures, subjects }
    }
}

/// Which records have which pattern: the records sorted by the number of their pattern, and where each pattern's begin.
struct Members {
    records: Vec<u32>,
    starts: Vec<u32>,
}

impl Members {
    /// The first indicator of a pattern is in front: the one created first, then the one with the smaller id.
    fn of(gathered: &Gathered) -> Self {
        let numbers = 0..u32::try_from(gathered.records.len()).unwrap_or(u32::MAX);
        let record = |number: u32| &gathered.records[number as usize];
        let mut records: Vec<u32> = numbers.filter(|&number| record(number).group.is_some()).collect();
        records.par_sort_unstable_by(|&left, &right| {
            let key = |number: u32| {
                let record = record(number);
                let id = record.origin().map(|origin| &origin.id);
                // Those without a date come last: they can't claim to be first.
                (record.group, record.created.is_none(), record.created, id)
            };
            key(left).cmp(&key(right))
        });
        let mut starts = vec![0; gathered.patterns.len() + 1];
        for &number in &records {
            if let Some(pattern) = record(number).group {
                starts[pattern.number() as usize + 1] += 1;
            }
        }
        for pattern in 1..starts.len() {
            starts[pattern] += starts[pattern - 1];
        }
        Self { records, starts }
    }

    fn of_pattern(&self, pattern: u32) -> &[u32] {
        let pattern = pattern as usize;
        &self.records[self.starts[pattern] as usize..self.starts[pattern + 1] as usize]
    }

    /// The patterns that some record has. Those of versions that were replaced have none.
    fn patterns(&self) -> impl Iterator<Item = u32> {
        (0..).zip(self.starts.windows(2)).filter(|(_, bounds)| bounds[0] < bounds[1]).map(|(pattern, _)| pattern)
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
            let mut all = members.of_pattern(pattern).iter().filter_map(&mut take);
            let mut origin = all.next().unwrap_or_default();
            all.for_each(|other| join(&mut origin, &other));
            Arc::from(origin)
        })
        .collect()
}

/// The patterns that have a rule somewhere, where their plans were kept.
fn subjects(
    mut plans: Vec<Option<Plan>>,
    outcomes: &[Vec<Outcome>],
    order: &[u32],
    origins: &[Arc<Origin>],
) -> Vec<Subject> {
    let has_rules = |pattern: &&u32| {
        let outcomes = outcomes.iter().filter_map(|all| all.get(**pattern as usize));
        outcomes.into_iter().any(|outcome| matches!(outcome, Outcome::Rules(_)))
    };
    let subject = |pattern: &u32| {
        let plan = plans.get_mut(*pattern as usize)?.take()?;
        Some(Subject { origin: Arc::clone(origins.get(*pattern as usize)?), plan })
    };
    order.iter().filter(has_rules).filter_map(subject).collect()
}

/// The rules of one target in order, and the pattern of each.
fn rules(mut outcomes: Vec<Outcome>, order: &[u32], origins: &[Arc<Origin>]) -> (Vec<u32>, Vec<Rule>) {
    let nobody = Arc::new(Origin::default());
    let (mut places, mut rules) = (Vec::new(), Vec::new());
    for &pattern in order {
        if let Outcome::Rules(content) =
            std::mem::replace(&mut outcomes[pattern as usize], Outcome::Guarded(Vec::new()))
        {
            let origin = origins.get(pattern as usize).unwrap_or(&nobody);
            places.push(pattern);
            rules.push(Rule { origin: Arc::clone(origin), content });
        }
    }
    (places, rules)
}

/// The reports of those records that have one, with the numbers of the records, which are in order. The records are of no
/// use any more.
fn reports(records: Vec<Record>) -> Vec<(u32, Box<IndicatorReport>)> {
    let reports = records.into_iter().map(|record| record.report());
    (0..).zip(reports).filter_map(|(number, report)| Some((number, report?))).collect()
}

fn note_rules(reports: &mut [(u32, Box<IndicatorReport>)], members: &[u32], target: &str, rules: &[EmittedRule]) {
    for member in members {
        let report = reports.binary_search_by_key(member, |(number, _)| *number);
        let entry = report.ok().and_then(|at| reports[at].1.targets.get_mut(target));
        if let Some(entry) = entry {
            entry.rules.extend(rules.iter().map(|rule| rule.id.clone()));
        }
    }
}

/// Of each pattern, in how many targets it has rules.
fn with_rules(outcomes: &[Vec<Outcome>], patterns: usize) -> Vec<u8> {
    let mut counts = vec![0_u8; patterns];
    for outcomes in outcomes {
        for (count, outcome) in counts.iter_mut().zip(outcomes) {
            *count = count.saturating_add(u8::from(matches!(outcome, Outcome::Rules(_))));
        }
    }
    counts
}

fn verdict(held: &HeldBack) -> Verdict {
    held.written.map_or(Verdict::Guarded, Verdict::Rules)
}

fn note_held(reports: &mut [(u32, Box<IndicatorReport>)], members: &[u32], target: &str, held: &HeldBack) {
    for member in members {
        let report = reports.binary_search_by_key(member, |(number, _)| *number);
        let Ok(report) = report.map(|at| &mut reports[at].1) else { continue };
        // It is about all of the pattern.
        let span = Span::new(0, report.pattern.len());
        if let Some(entry) = report.targets.get_mut(target) {
            entry.verdict = verdict(held);
            entry.losses.push(Loss { span, ..held.loss.clone() });
        }
    }
}

fn summarise(gathered: &Gathered, targets: impl Iterator<Item = &'static dyn Target>) -> Summary {
    let mut summary = Summary { indicators: gathered.records.len(), ..Summary::default() };
    let names: Vec<&'static str> = targets.map(|target| target.name()).collect();
    names.iter().for_each(|name| _ = summary.verdicts.insert(name, Default::default()));
    for record in &gathered.records {
        summary.valid += usize::from(record.status != Status::Invalid);
        summary.active += usize::from(record.status == Status::Active);
        summary.guarded += usize::from(record.guarded);
        summary.rendered += usize::from(count(record, gathered, &names, &mut summary.verdicts));
    }
    summary
}

/// Counts an indicator's verdicts; whether it has a rule anywhere.
fn count(
    record: &Record,
    gathered: &Gathered,
    names: &[&'static str],
    verdicts: &mut std::collections::BTreeMap<&'static str, crate::report::Verdicts>,
) -> bool {
    let Some(group) = record.group else { return false };
    let mut rendered = false;
    for (name, outcome) in names.iter().zip(gathered.outcomes_of(group)) {
        let verdict = outcome.verdict();
        rendered |= verdict.has_rules();
        verdicts.entry(name).or_default().count(verdict);
    }
    rendered
}
