//! `stixc check`.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use crate::{
    convert::in_file,
    diagnostic::Severity,
    report::SourceDiagnostic,
    source::Input,
    stix::{Batch, BundleReader, Indicator, PatternType},
};

use super::{
    Global,
    checked::Checked,
    display,
    exit::{Exit, FailOn, Failure},
    fix,
    inputs::{InputArguments, OpenInputs},
    location::Location,
    progress::Progress,
    sarif,
};

/// Version of the JSON form.
const SCHEMA: &str = "stixc-check/1";

/// Parse, type-check and lint patterns.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    feed: InputArguments,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// End with code 1 where a finding is at or above this level
    #[arg(long, value_name = "LEVEL", default_value = "invalid")]
    fail_on: FailOn,
    /// Refuse odd spellings instead of repairing them with a warning
    #[arg(long)]
    strict: bool,
    /// First rewrite the files: put the pattern that was meant in the place of each that needs a repair or can be mended
    #[arg(long, conflicts_with_all = ["strict", "pattern", "patterns"])]
    fix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with carets
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code review tools
    Sarif,
}

impl Check {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        if self.fix && self.feed.inputs.iter().any(|input| input.as_os_str() == "-") {
            return Err(fix::no_file("standard input"));
        }
        let feed = self.feed.open()?;
        let progress = Progress::new(&feed.inputs, if self.fix { 2 } else { 1 }, global.quiet);
        let fixed = if self.fix { Some(fix::fix(&feed.inputs, &progress)?) } else { None };
        let exit = self.check(feed, &progress, global);
        let Some(fixed) = fixed else { return exit };
        if !global.quiet {
            anstream::eprintln!("fixed {} patterns in {} files", fixed.patterns, fixed.files);
        }
        exit.map(|exit| fixed.exit.unwrap_or(exit))
    }

    fn check(&self, feed: OpenInputs, progress: &Progress, global: &Global) -> Result<Exit, Failure> {
        let mut faults: Vec<SourceDiagnostic> = Vec::new();
        let mut printer = Printer::new(self.format)?;
        let mut invalid = 0_usize;
        let mut count = 0_usize;
        let mut see = |checked: Checked, printer: &mut Printer| {
            count += 1;
            invalid += usize::from(self.fail_on.finds_status(checked.status()));
            printer.print(checked)
        };
        for input in &feed.inputs {
            match input.open() {
                Ok(reader) => {
                    let mut batches = BundleReader::new(progress.reading(input, reader));
                    loop {
                        let round: Vec<_> = batches.by_ref().take(rayon::current_num_threads() * 2).collect();
                        if round.is_empty() {
                            break;
                        }
                        let checked: Vec<_> = round.par_iter().map(|batch| self.batch(batch, input)).collect();
                        for (patterns, found) in checked {
                            faults.extend(found);
                            patterns.into_iter().try_for_each(|one| see(one, &mut printer))?;
                        }
                    }
                }
                Err(error) => {
                    faults.push(SourceDiagnostic { source: input.name().to_owned(), diagnostic: error.diagnostic() })
                }
            }
        }
        progress.finish();
        for bare in &feed.bare {
            let checked = Checked::new(&bare.source, "", &bare.pattern, 0, self.strict);
            see(Checked { location: bare.location.clone(), ..checked }, &mut printer)?;
        }
        printer.finish()?;
        self.conclude(global, feed, faults, count, invalid)
    }

    fn batch(&self, batch: &Batch, input: &Input) -> (Vec<Checked>, Vec<SourceDiagnostic>) {
        let mut faults: Vec<_> = batch.faults.iter().map(|fault| in_file(input.name(), fault.clone())).collect();
        let mut patterns = Vec::new();
        for object in batch.objects().filter(|object| object.object_type().as_deref() == Some("indicator")) {
            match Indicator::parse(object.raw) {
                Ok(indicator) if indicator.pattern_type == PatternType::Stix => {
                    let line = object.line();
                    let mut checked = Checked::new(input.name(), &indicator.id, &indicator.pattern, line, self.strict);
                    if self.format == Format::Sarif && !checked.diagnostics.is_empty() {
                        checked.location = object.pattern().map(|quoted| Location {
                            file: input.name().to_owned(),
                            start: quoted.position,
                            json: Some(quoted.json.to_owned()),
                        });
                    }
                    patterns.push(checked);
                }
                Ok(_) => {}
                Err(error) => faults.push(in_file(input.name(), object.fault(&error))),
            }
        }
        (patterns, faults)
    }

    fn conclude(
        &self,
        global: &Global,
        feed: OpenInputs,
        faults: Vec<SourceDiagnostic>,
        count: usize,
        invalid: usize,
    ) -> Result<Exit, Failure> {
        let faults: Vec<_> = feed.faults.into_iter().chain(faults).collect();
        faults.iter().for_each(display::source_diagnostic);
        let broken = faults.iter().any(|found| found.diagnostic.severity == Severity::Error);
        if count == 0 && broken {
            return Err(Failure::new(Exit::NoInput, "no readable input"));
        }
        if !global.quiet {
            anstream::eprintln!("patterns {count} → valid {}", count - invalid);
        }
        let findings = invalid > 0 || (broken && self.fail_on >= FailOn::Invalid);
        Ok(if findings { Exit::Findings } else { Exit::Done })
    }
}

/// Prints what was found, as it is found.
struct Printer {
    format: Format,
    out: io::BufWriter<io::StdoutLock<'static>>,
    printed: usize,
    /// SARIF is one object whose rules come before its results.
    kept: Vec<Checked>,
}

impl Printer {
    fn new(format: Format) -> io::Result<Self> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        if format == Format::Json {
            write!(out, "{{\"schema\":\"{SCHEMA}\",\"patterns\":[")?;
        }
        Ok(Self { format, out, printed: 0, kept: Vec::new() })
    }

    fn print(&mut self, checked: Checked) -> io::Result<()> {
        match self.format {
            Format::Text => {
                let name = if checked.id.is_empty() {
                    checked.source.clone()
                } else {
                    format!("{}:{} {}", checked.source, checked.line, checked.id)
                };
                for found in &checked.diagnostics {
                    let text = display::rendered(found, &name, &checked.pattern);
                    // Standard output is data; styles are stripped where it is no terminal.
                    anstream::println!("{text}");
                }
            }
            Format::Json => {
                self.out.write_all(if self.printed == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut self.out, &checked)?;
            }
            Format::Sarif => self.kept.extend((!checked.diagnostics.is_empty()).then_some(checked)),
        }
        self.printed += 1;
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        match self.format {
            Format::Text => {}
            Format::Json => self.out.write_all(b"\n]}\n")?,
            Format::Sarif => {
                serde_json::to_writer_pretty(&mut self.out, &sarif::log(&self.kept))?;
                self.out.write_all(b"\n")?;
            }
        }
        self.out.flush()
    }
}
