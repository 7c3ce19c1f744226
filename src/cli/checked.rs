//! What `stixc check` finds about one pattern.

use serde::Serialize;

use crate::{
    convert::{Meaning, Prepared, compile, understand},
    diagnostic::{Diagnostic, Severity},
    report::{Status, Verdicts},
};

use super::{fail_on::FailOn, location::Location};

/// What is asked of each pattern.
pub(super) struct Gate {
    /// In which targets it is tried.
    pub targets: Vec<Prepared>,
    /// What is a finding.
    pub fail_on: FailOn,
    /// Whether odd spellings are errors.
    pub strict: bool,
}

impl Gate {
    /// What the targets say of a pattern that is a finding.
    fn findings(&self, meaning: &Meaning) -> (bool, Vec<Diagnostic>) {
        let (mut is_finding, mut said) = (false, Vec::new());
        let outcomes = compile(meaning, &self.targets).outcomes;
        for (prepared, outcome) in self.targets.iter().zip(&outcomes) {
            let (target, verdict) = (prepared.target.name(), outcome.verdict());
            let mut verdicts = Verdicts::default();
            verdicts.count(verdict);
            if !self.fail_on.finds_in(target, &verdicts) {
                continue;
            }
            is_finding = true;
            let losses = outcome.losses().iter();
            said.extend(losses.map(|loss| {
                let message = format!("{target}: {}: {}", verdict.name(), loss.message);
                Diagnostic::warning(loss.code, message).at(loss.span)
            }));
        }
        (is_finding, said)
    }
}

/// What was found about one pattern.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    /// The file, or `--pattern 1`.
    pub source: String,
    /// The indicator; empty for a bare pattern.
    pub id: String,
    /// The pattern.
    pub pattern: String,
    /// Its normal form; empty where it is not valid.
    pub canonical: String,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// Line of the object in its file, from 1; 0 for a bare pattern.
    #[serde(skip)]
    pub line: u64,
    /// Whether it is what the run is to fail on.
    #[serde(skip)]
    pub is_finding: bool,
    /// Where the pattern is written, for forms that tell it.
    #[serde(skip)]
    pub location: Option<Location>,
}

impl Checked {
    /// Reads the pattern and looks for what is wrong with it.
    pub fn new(source: &str, id: &str, pattern: &str, line: u64, gate: &Gate) -> Self {
        let (meaning, mut diagnostics) = understand(pattern, gate.strict);
        let (is_finding, said) = match &meaning {
            Some(meaning) => gate.findings(meaning),
            None => (gate.fail_on.finds_invalid(), Vec::new()),
        };
        diagnostics.extend(said);
        let canonical = meaning.map(|meaning| meaning.canonical).unwrap_or_default();
        Self {
            source: source.to_owned(),
            id: id.to_owned(),
            pattern: pattern.to_owned(),
            canonical,
            diagnostics,
            line,
            is_finding,
            location: None,
        }
    }

    /// Whether it is one.
    pub fn status(&self) -> Status {
        let wrong = self.diagnostics.iter().any(|found| found.severity == Severity::Error);
        if wrong { Status::Invalid } else { Status::Active }
    }
}
