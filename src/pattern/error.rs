//! What a refused pattern comes back with.

use std::fmt;

use thiserror::Error;

use super::{Edit, Mistake, edit::Edited};
use crate::{
    diagnostic::{Code, Diagnostic},
    span::Span,
};

/// One mistake in a pattern, where it stands, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{mistake}")]
#[non_exhaustive]
pub struct ParseError {
    /// What is wrong.
    pub mistake: Mistake,
    /// The text to change; empty where something is missing.
    pub span: Span,
    /// What to do, as an instruction.
    pub help: Option<String>,
    /// Changes that mend it, in the order of the text; empty where only the author can know what was meant.
    pub edits: Vec<Edit>,
    /// What a lenient reader takes it for.
    pub(super) assumption: Option<Assumption>,
}

/// What a lenient reader assumes in place of a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assumption {
    /// The code of the warning.
    pub code: Code,
    /// The message of the warning.
    pub message: String,
}

impl ParseError {
    /// The code of the mistake.
    #[must_use]
    pub fn code(&self) -> Code {
        self.mistake.code()
    }

    /// The same as a diagnostic.
    #[must_use]
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic { help: self.help.clone(), ..self.mistake.diagnostic().at(self.span) }
    }
}

impl From<&ParseError> for Diagnostic {
    fn from(error: &ParseError) -> Self {
        error.to_diagnostic()
    }
}

/// All mistakes that were found in a pattern, in the order of the text; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseErrors {
    first: Box<ParseError>,
    others: Vec<ParseError>,
}

impl ParseErrors {
    /// A single mistake.
    pub(super) fn one(error: ParseError) -> Self {
        Self { first: Box::new(error), others: Vec::new() }
    }

    /// The mistakes of a list; `None` where it is empty.
    pub(super) fn new(mut errors: Vec<ParseError>) -> Option<Self> {
        errors.sort_by_key(|error| error.span);
        let mut errors = errors.into_iter();
        errors.next().map(|first| Self { first: Box::new(first), others: errors.collect() })
    }

    /// The first mistake in the text.
    #[must_use]
    pub fn first(&self) -> &ParseError {
        &self.first
    }

    /// The mistakes, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &ParseError> {
        std::iter::once(&*self.first).chain(&self.others)
    }

    /// The same as diagnostics.
    #[must_use]
    pub fn to_diagnostics(&self) -> Vec<Diagnostic> {
        self.iter().map(ParseError::to_diagnostic).collect()
    }

    /// `text` with the changes of all mistakes made; `None` where one of them has none. The result is not parsed: it
    /// can hold mistakes that the first ones hid.
    ///
    /// ```
    /// let text = "[domain-name:value = \"evil.example\"";
    /// let errors = stixc::pattern::parse(text).unwrap_err();
    /// assert_eq!(errors.mend(text).as_deref(), Some("[domain-name:value = 'evil.example']"));
    /// ```
    #[must_use]
    pub fn mend(&self, text: &str) -> Option<String> {
        if self.iter().any(|error| error.edits.is_empty()) {
            return None;
        }
        Some(Edited::new(text, self.edits()).text)
    }

    /// The edits of all mistakes.
    pub(super) fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.iter().flat_map(|error| &error.edits)
    }
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            let Span { start, end } = error.span;
            write!(formatter, "{separator}error[{}] at {start}..{end}: {error}", error.code())?;
            if let Some(help) = &error.help {
                write!(formatter, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}
