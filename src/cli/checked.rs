//! What `stixc check` finds about one pattern.

use serde::Serialize;

use crate::{
    convert::understand,
    diagnostic::{Diagnostic, Severity},
    report::Status,
};

use super::location::Location;

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
    /// Where the pattern is written, for forms that tell it.
    #[serde(skip)]
    pub location: Option<Location>,
}

impl Checked {
    /// Reads the pattern and looks for what is wrong with it.
    pub fn new(source: &str, id: &str, pattern: &str, line: u64, strict: bool) -> Self {
        let (meaning, diagnostics) = understand(pattern, strict);
        let canonical = meaning.map(|meaning| meaning.canonical).unwrap_or_default();
        Self {
            source: source.to_owned(),
            id: id.to_owned(),
            pattern: pattern.to_owned(),
            canonical,
            diagnostics,
            line,
            location: None,
        }
    }

    /// Whether it is one.
    pub fn status(&self) -> Status {
        let wrong = self.diagnostics.iter().any(|found| found.severity == Severity::Error);
        if wrong { Status::Invalid } else { Status::Active }
    }
}
