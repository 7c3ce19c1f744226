//! YARA 4 and yara-x: does a file of rules compile, and which files does it match?

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use super::{Outcome, python, run, scratch};

/// Compiles the rules with YARA 4. A warning is a refusal.
#[track_caller]
pub fn check(rules: &Path) -> Outcome {
    let folder = scratch();
    let mut outcome = run(Command::new("yarac").arg("--fail-on-warnings").arg(rules).arg(folder.path().join("rules")));
    outcome.accepted &= !outcome.errors.contains("warning");
    outcome
}

/// The names of the rules that match a file, by YARA 4. Fails the test if they don't compile.
#[track_caller]
pub fn matches(rules: &Path, scanned: &Path) -> BTreeSet<String> {
    let outcome = run(Command::new("yara").arg("--fail-on-warnings").arg(rules).arg(scanned));
    outcome.assert_accepted();
    outcome.output.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// What yara-x says of a file of rules.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// The messages of the compiler.
    pub errors: Vec<Message>,
    /// The same, that don't stop it.
    pub warnings: Vec<Message>,
    /// For each scanned file the names of the rules that match it; empty when there are errors.
    pub matches: BTreeMap<PathBuf, BTreeSet<String>>,
}

/// One message of yara-x's compiler.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// `E009`, or the name of a warning.
    pub code: String,
    /// What it says, with the lines it is about.
    pub text: String,
}

/// Compiles the rules with yara-x and scans these files.
#[track_caller]
pub fn yarax(rules: &Path, scanned: &[&Path]) -> Report {
    let outcome = run(python("yarax.py").arg(rules).args(scanned));
    outcome.assert_accepted();
    serde_json::from_str(&outcome.output).expect("the report of tests/engines/yarax.py")
}
