//! YARA 4 and yara-x: does a file of rules compile, and which files does it match?

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;
use stixc::targets::yara::engine::Scanner;

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
    pub errors: Vec<serde_json::Value>,
    /// The same, that don't stop it.
    pub warnings: Vec<serde_json::Value>,
    /// For each scanned file the names of the rules that match it; empty when there are errors.
    pub matches: BTreeMap<PathBuf, BTreeSet<String>>,
}

/// Compiles the rules with yara-x and scans these files.
#[track_caller]
pub fn yarax(rules: &Path, scanned: &[&Path]) -> Report {
    let outcome = run(python("tests/engines/yarax.py").arg(rules).args(scanned));
    outcome.assert_accepted();
    serde_json::from_str(&outcome.output).expect("the report of tests/engines/yarax.py")
}

/// For each file in a folder, by its name, the rules that match it, by YARA 4 in one start. Fails the test if the rules
/// don't compile.
#[track_caller]
pub fn matches_in(rules: &Path, folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    Scanner::Yara.scan(rules, folder).unwrap_or_else(|error| panic!("refused: {error:?}"))
}

/// The same by yara-x.
#[track_caller]
pub fn yarax_matches_in(rules: &Path, folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let report = yarax(rules, &[folder]);
    assert!(report.errors.is_empty(), "{report:?}");
    report.matches.into_iter().map(|(file, rules)| (name(&file), rules)).collect()
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
