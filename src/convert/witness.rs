//! Witnesses of the rules of a run: the rules once more, about known files where they ask for hashes, with all that shows
//! what they do.

use std::{collections::BTreeMap, sync::Arc};

use rayon::prelude::*;

use crate::{
    output::{Content, EmitError, Memory, Sink},
    plan::Plan,
    render::Renderer,
    targets::contract::{Content as Body, Origin, Rule},
    witness::{
        solve::Bounds,
        stage::{self, Part, Written, index},
    },
};

use super::{Finished, Prepared, Settings, emit::Emitter};

/// A pattern of which a run has rules.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where it comes from.
    pub origin: Arc<Origin>,
    /// What it means, without what is guarded.
    pub plan: Plan,
}

impl Finished {
    /// Writes the witnesses of all rules of the run to `sink`, a folder for each target, with an index of all of them.
    ///
    /// `before` is where the rules of the run went: the rules here have the same numbers.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn write_witnesses(
        &self,
        settings: &Settings,
        renderer: &Renderer,
        before: &mut dyn Sink,
        sink: &mut dyn Sink,
    ) -> Result<index::Index, EmitError> {
        let parts: Vec<Part> =
            self.subjects.par_iter().map(|subject| Part::new(&subject.plan, Bounds::default())).collect();
        let mut targets = BTreeMap::new();
        for prepared in &settings.targets {
            let name = prepared.target.name();
            let Some(mut stage) = stage::of_target(name) else { continue };
            let (rules, mut subjects) = subjects(prepared, &self.subjects, &parts, &mut *stage);
            let (written, names) = emit(prepared, rules, renderer, before)?;
            for (index, ids) in names {
                if let Some(subject) = subjects.get_mut(index) {
                    subject.rules = ids;
                }
            }
            for Written { path, bytes } in stage.files(&mut subjects, &written) {
                sink.write(&format!("{name}/{path}"), &mut |out| Ok(out.write_all(&bytes)?))?;
            }
            targets.insert(name.to_owned(), subjects);
        }
        let index = index::Index { schema: index::SCHEMA.to_owned(), targets };
        sink.write(index::FILE, &mut |out| {
            serde_json::to_writer_pretty(&mut *out, &index).map_err(std::io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        })?;
        Ok(index)
    }
}

/// The patterns that have rules in a target, shown in its world.
fn subjects(
    prepared: &Prepared,
    all: &[Subject],
    parts: &[Part],
    stage: &mut dyn stage::Stage,
) -> (Vec<Rule>, Vec<index::Subject>) {
    let (mut rules, mut subjects) = (Vec::new(), Vec::new());
    for (subject, part) in all.iter().zip(parts) {
        let Ok(lowered) = prepared.backend.lower(&part.known.plan) else { continue };
        subjects.push(index::Subject {
            id: subject.origin.id.clone(),
            pattern: part.known.plan.to_string(),
            verdict: lowered.fidelity.into(),
            rules: Vec::new(),
            complete: part.witnesses.complete,
            notes: part.notes(),
            showings: stage::show(stage, part),
        });
        rules.push(Rule { origin: Arc::clone(&subject.origin), content: Body::Compiled(lowered) });
    }
    (rules, subjects)
}

/// The files of the rules, by their paths below the target's folder, and the ids of the rules of each pattern.
type Emitted = (Vec<Written>, Vec<(usize, Vec<String>)>);

fn emit(
    prepared: &Prepared,
    rules: Vec<Rule>,
    renderer: &Renderer,
    before: &mut dyn Sink,
) -> Result<Emitted, EmitError> {
    let mut memory = Beside { memory: Memory::default(), before };
    let mut emitter =
        Emitter { target: prepared.target, renderer, sink: &mut memory, names: Some(Vec::new()), said: Vec::new() };
    prepared.backend.emit(rules, &mut emitter)?;
    let names = emitter.names.take().unwrap_or_default();
    let below = format!("{}/", prepared.target.name());
    let files = memory.memory.files.into_iter();
    let written =
        files.filter_map(|(path, bytes)| Some(Written { path: path.strip_prefix(&below)?.to_owned(), bytes }));
    Ok((written.collect(), names))
}

/// Files in memory, beside those of the run.
struct Beside<'l> {
    memory: Memory,
    before: &'l mut dyn Sink,
}

impl Sink for Beside<'_> {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        self.memory.write(path, content)
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        self.before.previous(path)
    }
}
