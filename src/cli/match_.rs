//! `stixc match`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde::Serialize;

use crate::{
    convert::in_file,
    diagnostic::{Diagnostic, Severity},
    evaluate::{Evaluator, Match as Matched, Observations, Reader},
    pattern::{Version, lenient},
    plan::check,
    report::SourceDiagnostic,
    source::{self, SourceError},
    stix::{BundleReader, Indicator, Object, PatternType, Tally},
};

use super::{
    Global, display,
    exit::{Exit, Failure},
    inputs::Tolerance,
};

/// Version of the JSON form.
const SCHEMA: &str = "stixc-match/1";

/// Hold patterns against observed data.
///
/// Prints the observed-data objects that satisfy the pattern, or each indicator of the bundle. Where one observation is
/// enough, all that satisfy it; else one set that does so together.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Match {
    /// A pattern, or a file, a folder or - for standard input with indicators
    #[arg(value_name = "PATTERN|BUNDLE")]
    what: String,
    /// The observed data: a file, a folder or - for standard input, with the objects that they refer to
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Refuse odd spellings instead of repairing them with a warning
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    tolerance: Tolerance,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  something matched
  1  nothing matched
  2  usage; or nothing matched, and for at least one pattern there is no answer
  3  an input that can't be read to its end
  4  something matched, but a part of the inputs can't be used, or for a pattern there is no answer
  5  no indicator";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// What came of one pattern.
#[derive(Debug, Serialize)]
struct Answer {
    /// The file, or `pattern`.
    source: String,
    /// The indicator; empty for a bare pattern.
    id: String,
    pattern: String,
    matched: bool,
    /// Whether each observation satisfies the pattern by itself, and not all of them together.
    each: bool,
    observations: Vec<Seen>,
    /// Repairs, and why there is no answer.
    diagnostics: Vec<Diagnostic>,
}

/// An observation that satisfied a pattern.
#[derive(Debug, Serialize)]
struct Seen {
    /// Its place in the data, counted from 0.
    index: usize,
    id: String,
    first_observed: String,
    last_observed: String,
    number_observed: u64,
}

impl Match {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        if self.what == "-" && self.data.as_os_str() == "-" {
            return Err(Failure::usage("standard input can't hold both", "give a file for one of them"));
        }
        let (data, whole) = self.observations()?;
        let (answers, read) = if is_pattern(&self.what) {
            (vec![self.answer("pattern", String::new(), self.what.clone(), &data)], Exit::Done)
        } else {
            self.bundle(&data)?
        };
        let mut output = Output::new(self.format, data.len())?;
        answers.into_iter().try_for_each(|answer| output.add(answer))?;
        Ok(output.finish(global)?.max(whole).max(read))
    }

    /// Reads the data, and says how the run may end that uses them.
    fn observations(&self) -> Result<(Observations, Exit), Failure> {
        let name = self.data.display().to_string();
        let found = source::inputs([&self.data]);
        let mut said: Vec<_> = found.errors.iter().map(|error| about(&name, error)).collect();
        let mut reader = Reader::default();
        for input in &found.inputs {
            match input.open() {
                Ok(open) => reader.read(input.name(), open),
                Err(error) => said.push(about(input.name(), &error)),
            }
        }
        let (data, faults) = reader.finish();
        said.extend(faults.into_iter().map(|(source, fault)| in_file(&source, fault)));
        said.iter().for_each(display::source_diagnostic);
        if data.is_empty() {
            return Err(Failure::new(Exit::NoInput, format!("{name}: no observed data that can be read")));
        }
        let exit = self.tolerance.judge(&said, &Tally::default(), true)?;
        Ok((data, exit))
    }

    /// Answers for each indicator with a STIX pattern, and says how the run may end.
    fn bundle(&self, data: &Observations) -> Result<(Vec<Answer>, Exit), Failure> {
        let found = source::inputs([&self.what]);
        let mut said: Vec<_> = found.errors.iter().map(|error| about(&self.what, error)).collect();
        let (mut answers, mut tally, mut indicators) = (Vec::new(), Tally::default(), 0_usize);
        for input in &found.inputs {
            let reader = match input.open() {
                Ok(reader) => reader,
                Err(error) => {
                    said.push(about(input.name(), &error));
                    continue;
                }
            };
            for batch in BundleReader::new(reader) {
                said.extend(batch.faults.iter().map(|fault| in_file(input.name(), fault.clone())));
                let objects: Vec<_> = batch.objects().collect();
                objects.iter().for_each(|object| tally.add(object.object_type().as_deref().unwrap_or_default()));
                let read: Vec<_> = objects.par_iter().map(|object| self.object(input.name(), object, data)).collect();
                for answer in read {
                    match answer {
                        Ok(answer) => {
                            indicators += usize::from(answer.is_some());
                            answers.extend(answer.flatten());
                        }
                        Err(fault) => said.push(fault),
                    }
                }
            }
        }
        said.iter().for_each(display::source_diagnostic);
        let exit = self.tolerance.judge(&said, &tally, indicators > 0)?;
        Ok((answers, exit))
    }

    /// Answers for an indicator; `None` for another object, and within for a pattern in another language.
    fn object(
        &self,
        source: &str,
        object: &Object<'_>,
        data: &Observations,
    ) -> Result<Option<Option<Answer>>, SourceDiagnostic> {
        if object.object_type().as_deref() != Some("indicator") {
            return object.check().map(|()| None).map_err(|error| in_file(source, object.fault(&error)));
        }
        let indicator = Indicator::parse(object.raw).map_err(|error| in_file(source, object.fault(&error)))?;
        if indicator.pattern_type != PatternType::Stix {
            return Ok(Some(None));
        }
        let answer = self.answer(source, indicator.id.into_owned(), indicator.pattern.into_owned(), data);
        Ok(Some(Some(answer)))
    }

    fn answer(&self, source: &str, id: String, pattern: String, data: &Observations) -> Answer {
        let (found, diagnostics) = evaluate(&pattern, self.strict, data);
        let (each, indices) = found.map_or((false, Vec::new()), |found| (found.each, found.observations));
        let seen = |index: usize| {
            let observation = data.get(index)?;
            Some(Seen {
                index,
                id: observation.id.clone(),
                first_observed: observation.first_observed.to_string(),
                last_observed: observation.last_observed.to_string(),
                number_observed: observation.number_observed,
            })
        };
        let observations: Vec<Seen> = indices.into_iter().filter_map(seen).collect();
        let source = source.to_owned();
        Answer { source, id, pattern, matched: !observations.is_empty(), each, observations, diagnostics }
    }
}

fn about(source: &str, error: &SourceError) -> SourceDiagnostic {
    SourceDiagnostic { source: source.to_owned(), diagnostic: error.diagnostic() }
}

/// Whether the argument is a pattern: none begins like the name of a file, unless there is such a file.
fn is_pattern(what: &str) -> bool {
    what.trim_start().starts_with(['[', '(']) && !Path::new(what).exists()
}

fn evaluate(text: &str, strict: bool, data: &Observations) -> (Option<Matched>, Vec<Diagnostic>) {
    let reading = match lenient::read(text, Version::Auto, strict) {
        Ok(reading) => reading,
        Err(errors) => return (None, errors.to_diagnostics()),
    };
    let (mut pattern, mut diagnostics) = (reading.pattern, reading.repairs);
    if !strict {
        diagnostics.extend(check::repair(&mut pattern));
    }
    if diagnostics.iter().any(|repair| repair.severity == Severity::Error) {
        return (None, diagnostics);
    }
    match Evaluator::new(&pattern).and_then(|evaluator| evaluator.matches(data)) {
        Ok(found) => (found, diagnostics),
        Err(error) => {
            diagnostics.push(error.diagnostic());
            (None, diagnostics)
        }
    }
}

/// Prints answers as they come.
struct Output {
    format: Format,
    out: io::BufWriter<io::StdoutLock<'static>>,
    data: usize,
    patterns: usize,
    matched: usize,
    unanswered: usize,
}

impl Output {
    fn new(format: Format, data: usize) -> io::Result<Self> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        if format == Format::Json {
            write!(out, "{{\"schema\":\"{SCHEMA}\",\"observations\":{data},\"patterns\":[")?;
        }
        Ok(Self { format, out, data, patterns: 0, matched: 0, unanswered: 0 })
    }

    fn add(&mut self, answer: Answer) -> io::Result<()> {
        let name = if answer.id.is_empty() { &answer.source } else { &answer.id };
        for found in &answer.diagnostics {
            display::diagnostic(found, name, &answer.pattern);
        }
        match self.format {
            Format::Text if answer.matched => self.text(&answer)?,
            Format::Text => {}
            Format::Json => {
                self.out.write_all(if self.patterns == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut self.out, &answer)?;
            }
        }
        self.patterns += 1;
        self.matched += usize::from(answer.matched);
        let has_error = answer.diagnostics.iter().any(|found| found.severity == Severity::Error);
        self.unanswered += usize::from(has_error);
        Ok(())
    }

    fn text(&mut self, answer: &Answer) -> io::Result<()> {
        if !answer.id.is_empty() {
            writeln!(self.out, "{}", display::visible(&answer.id))?;
        }
        let indent = if answer.id.is_empty() { "" } else { "  " };
        for seen in &answer.observations {
            let number = seen.index + 1;
            let id = if seen.id.is_empty() { format!("observation {number}") } else { display::visible(&seen.id) };
            write!(self.out, "{indent}{id} {}", seen.first_observed)?;
            if seen.last_observed != seen.first_observed {
                write!(self.out, " to {}", seen.last_observed)?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn finish(mut self, global: &Global) -> Result<Exit, Failure> {
        if self.format == Format::Json {
            self.out.write_all(b"\n]}\n")?;
        }
        self.out.flush()?;
        if !global.quiet {
            let Self { data, patterns, matched, unanswered, .. } = self;
            errln!("observations {data}, patterns {patterns} → matched {matched}, no answer {unanswered}");
        }
        Ok(match (self.matched, self.unanswered) {
            (0, 0) => Exit::Findings,
            (0, _) => Exit::Usage,
            (_, 0) => Exit::Done,
            _ => Exit::Feed,
        })
    }
}
