//! `stixc fmt`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;

use crate::{
    convert::spell,
    diagnostic::{Diagnostic, Severity},
};

use super::{
    Global, display,
    exit::{Exit, Failure},
    inputs::{InputArguments, Tolerance},
};

/// Print patterns in the spelling of the standard, one a line.
///
/// Odd spellings are repaired, each with a warning. A pattern that can't be read is reported and left out, and the run
/// ends with code 1. For the patterns of a bundle see stixc check --fix.
#[derive(Debug, Args)]
pub(super) struct Fmt {
    /// A pattern; - for a pattern a line on standard input
    #[arg(value_name = "PATTERN", required_unless_present = "patterns")]
    pattern: Vec<String>,
    /// A text file with a pattern a line; blank lines and lines that begin with # are passed over
    #[arg(long, value_name = "FILE")]
    patterns: Vec<PathBuf>,
    /// Refuse odd spellings instead of repairing them with a warning
    #[arg(long)]
    strict: bool,
}

impl Fmt {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failure> {
        let (inputs, pattern): (Vec<String>, Vec<String>) = self.pattern.iter().cloned().partition(|one| one == "-");
        let patterns = inputs.into_iter().map(PathBuf::from).chain(self.patterns.iter().cloned()).collect();
        let feed = InputArguments { inputs: Vec::new(), pattern, patterns, tolerance: Tolerance::default() }.open()?;
        feed.faults.iter().for_each(display::source_diagnostic);
        let mut invalid = feed.faults.iter().any(|found| found.diagnostic.severity == Severity::Error);
        let mut out = io::BufWriter::new(io::stdout().lock());
        for bare in &feed.bare {
            let say = |found: &[Diagnostic]| {
                found.iter().for_each(|one| display::diagnostic(one, &bare.source, &bare.pattern));
            };
            match spell(&bare.pattern, self.strict) {
                Ok(spelling) => {
                    writeln!(out, "{}", spelling.text)?;
                    if !global.quiet {
                        say(&spelling.repairs);
                    }
                }
                Err(errors) => {
                    say(&errors);
                    invalid = true;
                }
            }
        }
        out.flush()?;
        Ok(if invalid { Exit::Findings } else { Exit::Done })
    }
}
