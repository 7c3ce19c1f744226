//! Coded messages: what every stage says about its input.
//!
//! A code's letter names the stage: `P` syntax, `T` types, `W` lenient readings, `S` sources, `L` losses,
//! `G` guards, `R` rendering and engines. Each code is explained, with an example, in `templates/codes/`;
//! [`explain`] reads that catalogue.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// A code such as `P001`. Declared once, as a constant, by the stage that reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Suspicious: read, but perhaps not as meant.
    Warning,
    /// Wrong: what it concerns was left out.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One message about one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What kind of message this is.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// One line, without the position, in lower case and without a full stop.
    pub message: String,
    /// The bytes of the pattern (or of the file, for `S` codes) that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What to do about it, as an instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without position and help; add them with [`Diagnostic::at`] and [`Diagnostic::help`].
    #[must_use]
    pub fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), span: None, help: None }
    }

    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note.
    #[must_use]
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    /// The same, about `span`.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same, with an instruction.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]: {}", self.severity, self.code, self.message)
    }
}

/// What the catalogue says about one code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The rule in a few words.
    pub title: String,
    /// A paragraph: what it means, why it matters, what to do.
    pub text: String,
    /// A pattern or an input that shows it.
    pub example: String,
}

/// The explanation of `code` (`"P001"`), if there is such a code.
///
/// ```
/// assert!(stixc::diagnostic::explain("P001").is_some());
/// assert!(stixc::diagnostic::explain("X999").is_none());
/// ```
#[must_use]
pub fn explain(code: &str) -> Option<&'static Explanation> {
    catalogue().get(code)
}

/// All explained codes, in order.
#[must_use]
pub fn catalogue() -> &'static BTreeMap<String, Explanation> {
    static CATALOGUE: LazyLock<BTreeMap<String, Explanation>> = LazyLock::new(|| {
        [
            include_str!("../templates/codes/p.toml"),
            include_str!("../templates/codes/t.toml"),
            include_str!("../templates/codes/w.toml"),
            include_str!("../templates/codes/s.toml"),
            include_str!("../templates/codes/l.toml"),
            include_str!("../templates/codes/g.toml"),
            include_str!("../templates/codes/r.toml"),
        ]
        .into_iter()
        // The catalogue is part of the program and a test parses each file: a bad one can't be shipped.
        .filter_map(|text| toml::from_str::<BTreeMap<String, Explanation>>(text).ok())
        .flatten()
        .collect()
    });
    &CATALOGUE
}
