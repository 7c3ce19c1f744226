//! Witnesses of the rules of a run: the rules once more, about known files where they ask for hashes, with all that shows
//! what they do.

use std::{collections::BTreeMap, sync::Arc};

use rayon::prelude::*;

use crate::{
    output::{Content, EmitError, Memory, Sink, is_bookkeeping},
    render::Renderer,
    targets::{
        contract::{Content as Body, Rule},
        proof::{Exported, File, Tested},
        record::EmittedRule,
    },
    witness::{
        TestPattern,
        index::{self, Index, TestedRule},
        solve::Bounds,
    },
};

use super::{Finished, Prepared, Settings, Subject, compile::guarded, emitter::Emitter};

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
    ) -> Result<Index, EmitError> {
        let new = |subject: &Subject| Arc::new(TestPattern::new(&subject.plan, Bounds::default()));
        let patterns: Vec<Arc<TestPattern>> = self.subjects.par_iter().map(new).collect();
        let mut targets = BTreeMap::new();
        for (number, prepared) in settings.targets.iter().enumerate() {
            let name = prepared.target.name();
            let both = self.subjects.par_iter().zip(&patterns);
            let patterns: Vec<Option<Arc<TestPattern>>> =
                both.map(|(subject, pattern)| without_guarded(subject, pattern, prepared)).collect();
            let (rules, mut tested) = tested(number, prepared, &self.subjects, &patterns);
            let (written, emitted) = emit(prepared, rules, renderer, before)?;
            for (index, rules) in emitted {
                if let Some(one) = tested.get_mut(index) {
                    one.rules = rules.into_iter().map(TestedRule::from).collect();
                }
            }
            let Some(Exported { patterns, files }) = prepared.backend.export(tested, &written) else { continue };
            for File { path, bytes } in files {
                sink.write(&format!("{name}/{path}"), &mut |out| Ok(out.write_all(&bytes)?))?;
            }
            targets.insert(name.to_owned(), patterns);
        }
        let index = Index { schema: index::SCHEMA.to_owned(), targets };
        sink.write(index::FILE, &mut |out| {
            serde_json::to_writer_pretty(&mut *out, &index).map_err(std::io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        })?;
        Ok(index)
    }
}

/// The witnesses of what the guard leaves of a subject for a target; `None` where that is nothing.
fn without_guarded(subject: &Subject, pattern: &Arc<TestPattern>, prepared: &Prepared) -> Option<Arc<TestPattern>> {
    match guarded(&subject.plan, &prepared.policy) {
        Some(guarded) if guarded.is_cut() => Some(Arc::new(TestPattern::new(&guarded.plan?, Bounds::default()))),
        _ => Some(Arc::clone(pattern)),
    }
}

/// The patterns that have rules in a target, and these rules.
fn tested<'p>(
    number: usize,
    prepared: &Prepared,
    subjects: &'p [Subject],
    patterns: &'p [Option<Arc<TestPattern>>],
) -> (Vec<Rule>, Vec<Tested<'p>>) {
    let rule = |(subject, pattern): (&'p Subject, &'p Option<Arc<TestPattern>>)| {
        let (origin, pattern) = (subject.origin_in(number)?, pattern.as_deref()?);
        let lowered = prepared.backend.lower(&pattern.known.plan).ok()?;
        let tested = Tested { origin, verdict: lowered.fidelity.into(), rules: Vec::new(), pattern };
        Some((Rule { origin: Arc::clone(origin), content: Body::Compiled(lowered) }, tested))
    };
    subjects.iter().zip(patterns).filter_map(rule).unzip()
}

/// The files of the rules, by their paths below the target's folder, and the rules of each pattern.
type Emitted = (Vec<File>, Vec<(usize, Vec<EmittedRule>)>);

fn emit(
    prepared: &Prepared,
    rules: Vec<Rule>,
    renderer: &Renderer,
    before: &mut dyn Sink,
) -> Result<Emitted, EmitError> {
    let mut memory = Overlay { memory: Memory::default(), before };
    let mut emitter = Emitter::new(prepared.target, renderer, &mut memory, true);
    emitter.emit(prepared, rules)?;
    let rules = emitter.rules.take().unwrap_or_default();
    let below = format!("{}/", prepared.target.name());
    let files = memory.memory.files.into_iter();
    let written = files.filter_map(|(path, bytes)| Some(File { path: path.strip_prefix(&below)?.to_owned(), bytes }));
    Ok((written.collect(), rules))
}

/// Files in memory that lie over those of the run.
struct Overlay<'l> {
    memory: Memory,
    before: &'l mut dyn Sink,
}

impl Sink for Overlay<'_> {
    fn write(&mut self, path: &str, content: Content<'_>) -> Result<(), EmitError> {
        if self.takes(path) { self.memory.write(path, content) } else { Ok(()) }
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        self.before.previous(path)
    }

    /// What is shown of rules lies in an index of its own.
    fn takes(&self, path: &str) -> bool {
        !is_bookkeeping(path)
    }
}
