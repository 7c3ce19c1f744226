//! From groups to files: the end of a run.

use std::{io::Write, sync::Arc};

use serde_json::Value as Json;

use crate::{
    diagnostic::Diagnostic,
    output::Sink,
    render::Renderer,
    report::{IndicatorReport, SourceDiagnostic, Status, Summary, Verdict},
    target::{
        Target,
        contract::{Emission, EmitError, Origin, Rule},
    },
};

use super::{
    Converter, Outcome,
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
        let Self { settings, mut gathered, mut diagnostics } = self;
        let summary = summarise(&gathered, settings.targets.iter().map(|prepared| prepared.target));
        let members = members(&gathered);
        let origins = origins(&mut gathered, &members);
        let mut order: Vec<usize> = (0..gathered.groups.len()).filter(|&group| !members[group].is_empty()).collect();
        order.sort_by(|&left, &right| {
            let key = |group: usize| (origins[group].as_deref().map(|origin| &origin.id), gathered.groups[group].key);
            key(left).cmp(&key(right))
        });
        let mut failures = Vec::new();
        for (number, prepared) in settings.targets.iter().enumerate() {
            let (places, rules) = rules(&mut gathered, &order, &origins, number);
            let mut emitter = Emitter { target: prepared.target, renderer, sink, names: Vec::new(), said: Vec::new() };
            if let Err(error) = prepared.target.emit(rules, &mut emitter) {
                failures.push(EmitFailure { target: prepared.target.name(), error });
            }
            let Emitter { names, said, .. } = emitter;
            let source = prepared.target.name();
            diagnostics
                .extend(said.into_iter().map(|diagnostic| SourceDiagnostic { source: source.to_owned(), diagnostic }));
            for (index, ids) in names {
                let Some(&group) = places.get(index) else { continue };
                note_rules(&mut gathered, &members[group], source, &ids);
            }
        }
        let mut indicators: Vec<IndicatorReport> =
            gathered.records.into_iter().filter_map(|record| record.report).map(|report| *report).collect();
        indicators.sort_by(|left, right| left.id.cmp(&right.id));
        Finished { summary, indicators, diagnostics, failures }
    }
}

/// The records of each group, the first indicator in front: the one created first, then the one with the smaller id.
fn members(gathered: &Gathered) -> Vec<Vec<u32>> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); gathered.groups.len()];
    for (index, record) in gathered.records.iter().enumerate() {
        if let (Some(group), Ok(index)) = (record.group, u32::try_from(index)) {
            members[group as usize].push(index);
        }
    }
    for group in &mut members {
        group.sort_by(|&left, &right| {
            let key = |index: u32| {
                let record = &gathered.records[index as usize];
                // Those without a date come last: they can't claim to be first.
                (record.created.is_none(), record.created, record.origin.as_deref().map(|origin| &origin.id))
            };
            key(left).cmp(&key(right))
        });
    }
    members
}

/// One origin for each group, where its records have one.
fn origins(gathered: &mut Gathered, members: &[Vec<u32>]) -> Vec<Option<Arc<Origin>>> {
    let mut take = |index: u32| gathered.records[index as usize].origin.take();
    members
        .iter()
        .map(|members| {
            let (&first, others) = members.split_first()?;
            let mut origin = take(first)?;
            for &other in others {
                if let Some(other) = take(other) {
                    join(&mut origin, &other);
                }
            }
            Some(Arc::from(origin))
        })
        .collect()
}

/// The rules of one target in order, and the group of each.
fn rules(
    gathered: &mut Gathered,
    order: &[usize],
    origins: &[Option<Arc<Origin>>],
    target: usize,
) -> (Vec<usize>, Vec<Rule>) {
    let nobody = Arc::new(Origin::default());
    let (mut places, mut rules) = (Vec::new(), Vec::new());
    for &group in order {
        let outcome = std::mem::replace(&mut gathered.groups[group].outcomes[target], Outcome::Guarded);
        if let Outcome::Rules(content) = outcome {
            let origin = origins[group].clone().unwrap_or_else(|| Arc::clone(&nobody));
            places.push(group);
            rules.push(Rule { origin, content });
        }
    }
    (places, rules)
}

fn note_rules(gathered: &mut Gathered, members: &[u32], target: &str, ids: &[String]) {
    for &member in members {
        let report = gathered.records[member as usize].report.as_mut();
        if let Some(entry) = report.and_then(|report| report.targets.get_mut(target)) {
            entry.rules.extend_from_slice(ids);
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
    for (name, outcome) in names.iter().zip(&gathered.groups[group as usize].outcomes) {
        let verdict = outcome.verdict();
        rendered |= matches!(verdict, Verdict::Rules(_));
        verdicts.entry(name).or_default().count(verdict);
    }
    rendered
}

/// What one target writes to.
struct Emitter<'a> {
    target: &'static dyn Target,
    renderer: &'a Renderer,
    sink: &'a mut dyn Sink,
    names: Vec<(usize, Vec<String>)>,
    said: Vec<Diagnostic>,
}

impl Emission for Emitter<'_> {
    fn render(&self, template: &str, view: Json, out: &mut dyn Write) -> Result<(), EmitError> {
        self.renderer.render(self.target.name(), template, view, out)
    }

    fn file(
        &mut self,
        path: &str,
        content: &mut dyn FnMut(&mut dyn Write) -> Result<(), EmitError>,
    ) -> Result<(), EmitError> {
        self.sink.write(path, content)
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        self.sink.previous(path)
    }

    fn name(&mut self, index: usize, ids: Vec<String>) {
        self.names.push((index, ids));
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        self.said.push(diagnostic);
    }
}
