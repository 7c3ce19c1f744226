//! What one target writes to: the files of a run, and the index of what is in them.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Seek, Write},
};

use serde::Serialize;
use serde_json::Value as Json;
use tempfile::SpooledTempFile;

use crate::{
    diagnostic::Diagnostic,
    output::{Amounts, EmitError, INDEX, Sink},
    render::Renderer,
    targets::{
        Target,
        contract::{Emission, Rule},
        record::{self, EmittedRule, Head, Record},
    },
};

use super::Prepared;

/// The most bytes of an index that are kept in memory.
const SPOOL: usize = 1 << 20;

/// What one target writes to.
pub(super) struct Emitter<'a> {
    target: &'static dyn Target,
    renderer: &'a Renderer,
    sink: &'a mut dyn Sink,
    /// The lines of the index so far; it may have a million.
    records: BufWriter<SpooledTempFile>,
    /// Whether the file that is spoken of is written.
    is_recording: bool,
    has_files: bool,
    /// The file that is spoken of.
    path: String,
    /// What each file holds.
    amounts: BTreeMap<String, Amounts>,
    /// What was written for each rule, by its number; `None` where nobody will read it.
    pub(super) rules: Option<Vec<(usize, Vec<EmittedRule>)>>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(
        target: &'static dyn Target,
        renderer: &'a Renderer,
        sink: &'a mut dyn Sink,
        wants_rules: bool,
    ) -> Self {
        Self {
            target,
            renderer,
            sink,
            records: BufWriter::new(SpooledTempFile::new(SPOOL)),
            is_recording: false,
            has_files: false,
            path: String::new(),
            amounts: BTreeMap::new(),
            rules: wants_rules.then(Vec::new),
            warnings: Vec::new(),
        }
    }

    /// Writes the files of a target, and its index behind them.
    ///
    /// # Errors
    /// Those of the backend, a failing disk.
    pub(super) fn emit(&mut self, prepared: &Prepared, rules: Vec<Rule>) -> Result<(), EmitError> {
        let emitted = prepared.backend.emit(rules, self);
        // Files that were written stand beside earlier ones, of which the index would say what is no longer so.
        if emitted.is_ok() || self.has_files {
            self.write_index(emitted.is_ok())?;
        }
        self.amounts.iter().for_each(|(path, amounts)| self.sink.holds(path, amounts));
        emitted
    }

    /// Counts what a record tells of, in the file that is spoken of.
    fn count(&mut self, record: &Record) {
        let (kind, count) = match record {
            Record::File(_) => return,
            Record::Rule(rule) if rule.list.is_empty() => ("rule", 1),
            Record::Rule(entry) => (entry.list.as_str(), 1),
            Record::Entries(entries) => (entries.list.as_str(), entries.count as u128),
        };
        if !self.amounts.contains_key(&self.path) {
            self.amounts.insert(self.path.clone(), Amounts::new());
        }
        let Some(amounts) = self.amounts.get_mut(&self.path) else { return };
        match amounts.get_mut(kind) {
            Some(counted) => *counted += count,
            None => _ = amounts.insert(kind.to_owned(), count),
        }
    }

    fn write_index(&mut self, complete: bool) -> Result<(), EmitError> {
        self.records.flush()?;
        let records = self.records.get_mut();
        self.sink.write(&format!("{}/{}", self.target.name(), INDEX), &mut |out| {
            write_line(&mut *out, &Head { schema: record::SCHEMA.to_owned(), complete })?;
            records.rewind()?;
            io::copy(records, out)?;
            Ok(())
        })
    }
}

fn write_line(mut out: impl Write, value: &impl Serialize) -> Result<(), EmitError> {
    serde_json::to_writer(&mut out, value).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
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
        self.sink.write(path, content)?;
        self.has_files = true;
        Ok(())
    }

    fn previous(&mut self, path: &str) -> Result<Option<String>, EmitError> {
        self.sink.previous(path)
    }

    fn record(&mut self, record: &Record) -> Result<(), EmitError> {
        if let Record::File(path) = record {
            self.is_recording = self.sink.takes(path);
            self.path.clone_from(path);
        }
        if self.is_recording {
            self.count(record);
            write_line(&mut self.records, record)?;
        }
        Ok(())
    }

    fn covers(&mut self, kind: &str, amount: u128) {
        if let Some(counted) = self.amounts.get_mut(&self.path).and_then(|amounts| amounts.get_mut(kind)) {
            *counted = amount;
        }
    }

    fn record_rules(&mut self, index: usize, rules: Vec<EmittedRule>) {
        if let Some(all) = &mut self.rules {
            all.push((index, rules));
        }
    }

    fn warn(&mut self, diagnostic: Diagnostic) {
        self.warnings.push(diagnostic);
    }
}
