//! `stixc diff`.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use crate::trace::{Diff, Output, ReadError};

use super::{
    diff_markdown,
    diff_words::{others, sign, summary, why},
    display,
    exit::{Exit, Failure},
};

/// Compare two folders of outputs: which rules and entries are new, gone or changed, and why.
///
/// Rules are told apart by what stays the same for ever: the UUID in Sigma, the sid in Suricata, the name in YARA; an entry
/// of a list is itself. The reasons come from provenance/ beside the outputs, which stixc build keeps with provenance = true
/// in stixc.toml, and stixc convert with --provenance; where one of the folders has none, the reason is unknown.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct DiffCommand {
    /// The outputs as they were
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The outputs as they are
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

const EXIT_CODES: &str = "\
Reasons:
  new, returned    the indicator is new, or in force again
  edited           the indicator was edited
  expired, pending, revoked, withdrawn
                   the indicator has ended, was taken back, is in no feed any more
  guarded, refused, filtered, invalid
                   the indicator is there, but no rule may, can or shall be made of it
  regrouped        another indicator has come or gone, and prefixes that touch were put together otherwise
  context          the indicator is the same, and another object says something else about it: the identity
                   that made it, a marking, what it indicates
  settings         the indicator and what others say about it are the same: the configuration, a mapping, a template or stixc is not
  unknown          one of the folders has no provenance/

Exit codes:
  0  no difference
  1  there are differences
  2  usage, or outputs of another version of stixc
  3  a folder can't be read";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line a rule
    Text,
    /// JSON
    Json,
    /// For a pull request: at most 65,536 characters
    Markdown,
}

impl DiffCommand {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let diff = Diff::new(&read(&self.old)?, &read(&self.new)?);
        let mut out = BufWriter::new(io::stdout().lock());
        match self.format {
            Format::Text => text(&mut out, &diff)?,
            Format::Json => {
                serde_json::to_writer_pretty(&mut out, &diff).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Format::Markdown => out.write_all(diff_markdown::page(&diff).as_bytes())?,
        }
        out.flush()?;
        Ok(if diff.is_empty() { Exit::Done } else { Exit::Findings })
    }
}

/// Reads a folder of outputs.
pub(super) fn read(folder: &Path) -> Result<Output, Failure> {
    Output::read(folder).map_err(|error| {
        let (exit, help) = match error {
            ReadError::Foreign(_) => {
                (Exit::NoInput, "name the folder that -o of stixc convert, or output in stixc.toml, names")
            }
            ReadError::OtherVersion(_) | ReadError::Incomplete(_) | ReadError::Changed(_) => {
                (Exit::Usage, "write it anew with stixc build or stixc convert")
            }
            _ => (Exit::NoInput, ""),
        };
        Failure { exit, message: error.to_string(), help: help.to_owned() }
    })
}

fn text(out: &mut impl Write, diff: &Diff) -> io::Result<()> {
    if diff.is_empty() {
        return writeln!(out, "no difference");
    }
    for (target, counts) in &diff.counts {
        writeln!(out, "{target}: {}", summary(*counts))?;
        for change in diff.changes.iter().filter(|change| &change.label.target == target) {
            let title =
                if change.label.title.is_empty() { String::new() } else { format!(" \"{}\"", change.label.title) };
            writeln!(out, "{} {}", sign(change.sort), display::visible(&format!("{}{title}", change.label)))?;
            for line in change.causes.iter().map(|cause| why(cause, display::visible)).chain(others(change)) {
                writeln!(out, "    {line}")?;
            }
        }
    }
    Ok(())
}
