//! YARA 4, or yara-x: all files are scanned at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use crate::{
    targets::{
        program::{EngineError, run, said},
        proof::{Engine, EngineRun},
    },
    witness::index::PatternCases,
};

const RULES: &str = "stixc.yar";

/// YARA 4, or yara-x where only that is installed.
pub struct Yara;

impl Engine for Yara {
    type Shown = String;

    fn run(&self, folder: &Path, patterns: &[PatternCases<String>]) -> Result<EngineRun, EngineError> {
        let (engine, mut command) = match run(Command::new("yara").arg("--version")) {
            Ok(version) => {
                let mut command = Command::new("yara");
                command.args(["--recursive", "--no-follow-symlinks"]);
                (format!("YARA {}", String::from_utf8_lossy(&version.stdout).trim()), command)
            }
            Err(EngineError::Missing(_)) => {
                let missing = |trouble| match trouble {
                    EngineError::Missing(_) => EngineError::Missing("neither yara nor yr is installed".to_owned()),
                    other => other,
                };
                let version = run(Command::new("yr").arg("--version")).map_err(missing)?;
                let mut command = Command::new("yr");
                command.arg("scan");
                (String::from_utf8_lossy(&version.stdout).trim().to_owned(), command)
            }
            Err(trouble) => return Err(trouble),
        };
        let output = run(command.arg(RULES).arg(".").current_dir(folder))?;
        if !output.status.success() {
            return Err(EngineError::Failed(said(&output)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut matches: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (rule, path) in text.lines().filter_map(|line| line.split_once(' ')) {
            matches.entry(path.trim_start_matches("./")).or_default().insert(rule.to_owned());
        }
        let heard = |path: &String| matches.get(path.as_str()).cloned().unwrap_or_default();
        let fired = |pattern: &PatternCases<String>| pattern.cases.iter().map(|case| heard(&case.shown)).collect();
        let fired = patterns.iter().map(fired).collect();
        Ok(EngineRun { engine, fired, quiet: BTreeMap::new(), refused: Vec::new() })
    }
}
