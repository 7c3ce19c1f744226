//! The inputs that `convert`, `check` and others share.

use std::{env, path::PathBuf, time::SystemTime};

use clap::Args;

use crate::{
    convert::{in_file, read_context, spell},
    diagnostic::{Code, Severity},
    evaluate::BAD_OBSERVATION,
    report::SourceDiagnostic,
    source::{self, Input, PatternLines},
    stix::{BundleReader, Collector, Context, Position, Tally, Timestamp, codes},
};

use super::{
    display,
    exit::{Exit, Failure},
    location::Location,
    progress::Progress,
};

/// Where indicators come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct InputArguments {
    /// A file, a folder (all *.json and *.stix2 below it) or - for standard input: a bundle, an array, one object, or an
    /// object a line
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// A pattern; may be given several times
    #[arg(long, value_name = "PATTERN")]
    pub pattern: Vec<String>,
    /// A text file with a pattern a line; blank lines and lines that begin with # are passed over
    #[arg(long, value_name = "FILE")]
    pub patterns: Vec<PathBuf>,
    #[command(flatten)]
    pub tolerance: Tolerance,
}

/// What is asked of inputs.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Tolerance {
    /// Use what can be read of inputs that can't be read to their end, and end with 4
    #[arg(long)]
    pub keep_going: bool,
    /// Go on though there is no indicator in the inputs
    #[arg(long)]
    pub allow_empty: bool,
}

impl Tolerance {
    /// How a run may go on that has read its inputs: what was `said` of them, what they hold, and whether anything of it is
    /// of use.
    pub(crate) fn judge<'a>(
        &self,
        said: impl IntoIterator<Item = &'a SourceDiagnostic>,
        tally: &Tally,
        is_useful: bool,
    ) -> Result<Exit, Failure> {
        let errors = said.into_iter().filter(|found| found.diagnostic.severity == Severity::Error);
        let (one, other): (Vec<_>, Vec<_>) = errors.partition(|found| costs_one_object(found.diagnostic.code));
        if !other.is_empty() && !self.keep_going {
            let help = "nothing was written; --keep-going uses what can be read of it".to_owned();
            let message = "an input can't be read to its end".to_owned();
            return Err(Failure { exit: Exit::NoInput, message, help });
        }
        let faulty = !(one.is_empty() && other.is_empty());
        if faulty && tally.objects() == 0 && !is_useful {
            return Err(Failure::new(Exit::NoInput, "no readable input"));
        }
        if !is_useful && !self.allow_empty {
            let unusable = if faulty { " that can be used" } else { "" };
            let message = format!("no indicator{unusable} among {tally}");
            let help = "nothing was written; if there is to be none, say so with --allow-empty".to_owned();
            return Err(Failure { exit: Exit::Safety, message, help });
        }
        Ok(if faulty { Exit::Feed } else { Exit::Done })
    }
}

/// A pattern without an indicator around it.
pub(crate) struct BarePattern {
    /// Where it comes from: `--pattern 1`, `list.txt:7`.
    pub source: String,
    /// Its text.
    pub pattern: String,
    /// Where it is written, where that is a file.
    pub location: Option<Location>,
}

/// What the arguments lead to.
pub(crate) struct OpenInputs {
    pub inputs: Vec<Input>,
    pub bare: Vec<BarePattern>,
    /// Inputs that can't be read, lines that are no text.
    pub faults: Vec<SourceDiagnostic>,
}

impl InputArguments {
    /// Makes sure that the patterns on the command line are some: a mistake there is one of usage.
    pub(crate) fn check_patterns(&self, strict: bool) -> Result<(), Failure> {
        let mut wrong = 0;
        for (number, pattern) in self.pattern.iter().enumerate() {
            if let Err(errors) = spell(pattern, strict) {
                let source = format!("--pattern {}", number + 1);
                errors.iter().for_each(|error| display::diagnostic(error, &source, pattern));
                wrong += 1;
            }
        }
        match wrong {
            0 => Ok(()),
            1 => Err(Failure::usage("a pattern can't be read", "see stixc explain PATTERN")),
            count => Err(Failure::usage(format!("{count} patterns can't be read"), "see stixc explain PATTERN")),
        }
    }

    /// Finds all inputs; an error where there are none, or none of them can be read.
    pub(crate) fn open(&self) -> Result<OpenInputs, Failure> {
        if self.inputs.is_empty() && self.pattern.is_empty() && self.patterns.is_empty() {
            return Err(Failure::usage(
                "nothing to read",
                "name a file, a folder, - for standard input, or give --pattern '[…]'",
            ));
        }
        let found = source::inputs(&self.inputs);
        let mut feed = OpenInputs { inputs: found.inputs, bare: Vec::new(), faults: Vec::new() };
        let mut errors = found.errors;
        for (number, pattern) in self.pattern.iter().enumerate() {
            feed.bare.push(BarePattern {
                source: format!("--pattern {}", number + 1),
                pattern: pattern.clone(),
                location: None,
            });
        }
        let lists = source::inputs(&self.patterns);
        errors.extend(lists.errors);
        for list in lists.inputs {
            match list.open() {
                Ok(reader) => feed.read_patterns(list.name(), reader),
                Err(error) => errors.push(error),
            }
        }
        feed.faults.extend(
            errors.iter().map(|error| SourceDiagnostic { source: "input".to_owned(), diagnostic: error.diagnostic() }),
        );
        if feed.inputs.is_empty() && feed.bare.is_empty() {
            feed.faults.iter().for_each(display::source_diagnostic);
            return Err(Failure::new(Exit::NoInput, "no readable input"));
        }
        Ok(feed)
    }
}

/// Whether an error with this code is about one object, and not about the text of an input.
fn costs_one_object(code: Code) -> bool {
    code == BAD_OBSERVATION || codes::costs_one_object(code)
}

impl OpenInputs {
    fn read_patterns(&mut self, name: &str, reader: impl std::io::Read) {
        for line in PatternLines::new(reader) {
            match line {
                Ok(line) => {
                    let start = Position { offset: line.offset, line: line.line, column: line.column };
                    let location = Some(Location { file: name.to_owned(), start, json: None });
                    self.bare.push(BarePattern {
                        source: format!("{name}:{}", line.line),
                        pattern: line.pattern,
                        location,
                    });
                }
                Err(fault) => self.faults.push(in_file(name, fault)),
            }
        }
    }

    /// What the objects that are no indicators say about them: a first pass over all files. Those that can't be read
    /// are among the faults afterwards.
    pub(crate) fn context(&mut self, progress: &Progress) -> Context {
        let mut collector = Collector::default();
        for input in &self.inputs {
            // What can't be opened is reported by the pass that reads the indicators.
            let Ok(reader) = input.open() else { continue };
            let faults = read_context(&mut collector, input.name(), BundleReader::new(progress.reading(input, reader)));
            self.faults.extend(faults);
        }
        collector.finish()
    }
}

/// The moment that decides on expiry: `--now`, else SOURCE_DATE_EPOCH, else the clock.
pub(crate) fn now(argument: Option<&str>) -> Result<Timestamp, Failure> {
    if let Some(text) = argument {
        return text.parse().map_err(|_| {
            Failure::usage(format!("--now {text}: not an RFC 3339 instant"), "write it as 2024-01-31T12:00:00Z")
        });
    }
    let seconds = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.parse::<i64>().map_err(|_| {
            Failure::usage(format!("SOURCE_DATE_EPOCH={text}: not a number of seconds"), "unset it, or use --now")
        })?,
        Err(_) => SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
    };
    Timestamp::from_unix_seconds(seconds)
        .map_err(|_| Failure::usage(format!("{seconds} seconds are beyond all dates"), "use --now"))
}
