//! What all engines have in common: they are programs, or missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    process::{Command, Output},
};

/// What an engine made of all showings.
pub(super) struct Answer {
    /// Its name and version.
    pub(super) engine: String,
    /// For each pattern and each of its showings, the ids of the rules that fired.
    pub(super) fired: Vec<Vec<BTreeSet<String>>>,
    /// Rules that never fire by themselves, and why: this version skips them, or they serve other rules.
    pub(super) quiet: BTreeMap<String, Quiet>,
    /// What is wrong with the files as a whole.
    pub(super) refused: Vec<String>,
}

/// Why a rule never fires by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// This version of the engine skips it.
    Skipped,
    /// It is a part of other rules, which fire.
    Serves,
}

/// Why there is no answer.
pub(super) enum Trouble {
    /// The engine is not installed here.
    Missing(String),
    /// The engine refused the rules, or fell over.
    Failed(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs a program to its end; missing if there is none of its name.
pub(super) fn run(command: &mut Command) -> Result<Output, Trouble> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) => Ok(output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Trouble::Missing(format!("{name} is not installed")))
        }
        Err(error) => Err(Trouble::Failed(format!("{name}: {error}"))),
    }
}

/// The same, for a program that must end well.
pub(super) fn run_well(command: &mut Command) -> Result<Output, Trouble> {
    let output = run(command)?;
    if output.status.success() { Ok(output) } else { Err(Trouble::Failed(said(&output))) }
}

/// The last lines that a program said.
pub(super) fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join(" / ")
}
