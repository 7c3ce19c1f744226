//! What one target writes to: the files of a run, and the index of what is in them.

use std::io::{self, BufWriter, Seek, Write};

use serde::Serialize;
use serde_json::Value as Json;
use tempfile::SpooledTempFile;

use crate::{
    diagnostic::Diagnostic,
    output::{EmitError, INDEX, Sink},
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
        emitted
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
        }
        if self.is_recording {
            write_line(&mut self.records, record)?;
        }
        Ok(())
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
