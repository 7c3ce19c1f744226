//! `stixc check`.

use std::{
    io::{self, Write},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use crate::{
    convert::{Prepared, in_file},
    report::{SourceDiagnostic, Status},
    source::Input,
    stix::{Batch, BundleReader, Indicator, PatternType, Tally},
    targets::Target,
};

use super::{
    Global,
    checked::{Checked, Gate},
    display,
    exit::{Exit, Failure},
    fail_on::{Asked, FailOn, Offered},
    fix,
    guards::GuardArguments,
    inputs::{InputArguments, OpenInputs},
    location::Location,
    progress::Progress,
    sarif, targets,
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
    /// Also try what becomes of each pattern in these targets, separated by commas: sigma, suricata, yara, blocklist
    #[arg(short, long, value_name = "TARGETS", value_delimiter = ',')]
    target: Vec<String>,
    /// End with code 1 where a finding is at this level or one above it in the list below, for one target or for all that have
    /// no level of their own; several separated by commas: refused,n/a,yara=never. Those after invalid are about targets (-t), and what is found is told
    #[arg(long, value_name = "[TARGET=]LEVEL", value_delimiter = ',', value_parser = Offered::Patterns, default_value = "invalid")]
    fail_on: Vec<Asked>,
    /// Refuse odd spellings instead of repairing them with a warning
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    guard: GuardArguments,
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
        let gate = self.gate()?;
        let feed = self.feed.open()?;
        let progress = Progress::new(&feed.inputs, if self.fix { 2 } else { 1 }, global.quiet);
        let fixed = if self.fix { Some(fix::fix(&feed.inputs, &progress)?) } else { None };
        let exit = self.check(feed, &progress, &gate, global);
        let Some(fixed) = fixed else { return exit };
        if !global.quiet {
            errln!("fixed {} patterns in {} files", fixed.patterns, fixed.files);
        }
        exit.map(|exit| fixed.exit.unwrap_or(exit))
    }

    /// What is asked of patterns.
    fn gate(&self) -> Result<Gate, Failure> {
        let targets = targets::chosen(&self.target)?;
        let names: Vec<&'static str> = targets.iter().map(|target| target.name()).collect();
        let fail_on = FailOn::new(&self.fail_on, &names)?;
        if let (Some(level), []) = (fail_on.needs_target(), names.as_slice()) {
            let message = format!("--fail-on {level}: no target is named, so that nothing can be {level}");
            return Err(Failure::usage(message, "name targets with -t"));
        }
        let guard = self.guard.guard()?;
        let prepare = |target: &&'static dyn Target| {
            Prepared::with_guard(*target, None, None, Arc::clone(&guard))
                .map_err(|error| Failure::usage(format!("mapping of {}: {error}", target.name()), ""))
        };
        Ok(Gate { targets: targets.iter().map(prepare).collect::<Result<_, _>>()?, fail_on, strict: self.strict })
    }

    fn check(&self, feed: OpenInputs, progress: &Progress, gate: &Gate, global: &Global) -> Result<Exit, Failure> {
        let mut faults: Vec<SourceDiagnostic> = Vec::new();
        let mut printer = Printer::new(self.format)?;
        let (mut invalid, mut found) = (0_usize, false);
        let mut count = 0_usize;
        let mut tally = Tally::default();
        let mut indicators = 0_usize;
        let mut see = |checked: Checked, printer: &mut Printer| {
            count += 1;
            invalid += usize::from(checked.status() == Status::Invalid);
            found |= checked.is_finding;
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
                        let checked: Vec<_> = round.par_iter().map(|batch| self.batch(batch, input, gate)).collect();
                        for Found { patterns, faults: found, tally: objects, indicators: count } in checked {
                            tally.merge(objects);
                            indicators += count;
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
            let checked = Checked::new(&bare.source, "", &bare.pattern, 0, gate);
            see(Checked { location: bare.location.clone(), ..checked }, &mut printer)?;
        }
        printer.finish()?;
        let is_useful = indicators > 0 || !feed.bare.is_empty();
        faults.splice(0..0, feed.faults);
        faults.iter().for_each(display::source_diagnostic);
        let exit = self.feed.tolerance.judge(&faults, &tally, is_useful)?;
        if !global.quiet {
            errln!("patterns {count} → valid {}", count - invalid);
        }
        // An object that can't be used is a finding; that of an input only a part could be read is more than that.
        let findings = found || (exit != Exit::Done && gate.fail_on.finds_invalid());
        let found = if findings { Exit::Findings } else { Exit::Done };
        Ok(if findings && !self.feed.tolerance.keep_going { found } else { exit.max(found) })
    }

    fn batch(&self, batch: &Batch, input: &Input, gate: &Gate) -> Found {
        let mut faults: Vec<_> = batch.faults.iter().map(|fault| in_file(input.name(), fault.clone())).collect();
        let mut patterns = Vec::new();
        let (mut tally, mut indicators) = (Tally::default(), 0);
        for object in batch.objects() {
            let object_type = object.object_type();
            tally.add(object_type.as_deref().unwrap_or_default());
            if object_type.as_deref() != Some("indicator") {
                faults.extend(object.check().err().map(|error| in_file(input.name(), object.fault(&error))));
                continue;
            }
            let read = Indicator::parse(object.raw);
            indicators += usize::from(read.is_ok());
            match read {
                Ok(indicator) if indicator.pattern_type == PatternType::Stix => {
                    let line = object.line();
                    let mut checked = Checked::new(input.name(), &indicator.id, &indicator.pattern, line, gate);
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
        Found { patterns, faults, tally, indicators }
    }
}

/// What was found in a batch.
struct Found {
    patterns: Vec<Checked>,
    faults: Vec<SourceDiagnostic>,
    tally: Tally,
    /// How many indicators it holds, of all languages.
    indicators: usize,
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
                    outln!("{text}");
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
