//! YARA 4, or yara-x: all files are scanned at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use crate::{
    targets::{
        program::{EngineError, run, run_well},
        proof::{Engine, EngineRun},
    },
    witness::index::PatternCases,
};

const RULES: &str = "stixc.yar";

/// YARA, in one of its two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scanner {
    /// YARA 4.
    Yara,
    /// yara-x.
    YaraX,
}

impl Scanner {
    fn program(self) -> &'static str {
        match self {
            Self::Yara => "yara",
            Self::YaraX => "yr",
        }
    }

    /// YARA 4, or yara-x where only that is installed, with its version.
    pub(super) fn installed() -> Result<(Self, String), EngineError> {
        match Self::Yara.version() {
            Err(EngineError::Missing(_)) => match Self::YaraX.version() {
                Err(EngineError::Missing(_)) => {
                    Err(EngineError::Missing("neither yara nor yr is installed".to_owned()))
                }
                version => Ok((Self::YaraX, version?)),
            },
            version => Ok((Self::Yara, version?)),
        }
    }

    /// What scans a file or a folder with rules.
    pub(super) fn command(self, rules: &Path, place: &Path) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Self::Yara => command.args(["--recursive", "--no-follow-symlinks"]),
            Self::YaraX => command.arg("scan"),
        };
        command.arg(rules).arg(place);
        command
    }

    /// What compiles a file of rules and runs none of them: a condition may take longer than anybody waits. It leaves the
    /// compiled rules in the folder that it runs in.
    pub(super) fn compiler(self, rules: &Path) -> Command {
        match self {
            Self::Yara => {
                let mut command = Command::new("yarac");
                command.arg(rules).arg("compiled");
                command
            }
            Self::YaraX => {
                let mut command = Command::new(self.program());
                command.arg("compile").arg(rules);
                command
            }
        }
    }

    fn version(self) -> Result<String, EngineError> {
        let output = run(Command::new(self.program()).arg("--version"))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(if self == Self::Yara { format!("YARA {version}") } else { version })
    }

    /// The rules that match each file in `folder`, by the file's path below it. `rules` is a path from there, or a whole
    /// one.
    ///
    /// # Errors
    /// Rules that don't compile, or no such program.
    pub fn scan(self, rules: &Path, folder: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, EngineError> {
        let output = run_well(self.command(rules, Path::new(".")).current_dir(folder))?;
        let mut matches: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (rule, path) in String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.split_once(' ')) {
            matches.entry(path.trim_start_matches("./").to_owned()).or_default().insert(rule.to_owned());
        }
        Ok(matches)
    }
}

/// YARA 4, or yara-x where only that is installed.
pub struct Yara;

impl Engine for Yara {
    type Shown = String;

    fn needs(&self) -> &'static str {
        "YARA 4, or yara-x"
    }

    fn run(&self, folder: &Path, patterns: &[PatternCases<String>]) -> Result<EngineRun, EngineError> {
        let (scanner, engine) = Scanner::installed()?;
        let matches = scanner.scan(Path::new(RULES), folder)?;
        let heard = |path: &String| matches.get(path).cloned().unwrap_or_default();
        let fired = |pattern: &PatternCases<String>| pattern.cases.iter().map(|case| heard(&case.shown)).collect();
        let fired = patterns.iter().map(fired).collect();
        Ok(EngineRun { engine, fired, ..EngineRun::default() })
    }
}
