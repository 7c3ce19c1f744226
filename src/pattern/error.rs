//! Why a pattern is refused.

use std::fmt;

use thiserror::Error;

use crate::{
    diagnostic::{Code, Diagnostic},
    span::Span,
};

/// A token that the grammar doesn't allow where it stands.
pub const UNEXPECTED: Code = Code("P001");

/// One mistake in a pattern.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{mistake}")]
#[non_exhaustive]
pub struct ParseError {
    /// What is wrong.
    pub mistake: Mistake,
    /// Where: the text to change, or the empty place where something is missing.
    pub span: Span,
}

impl ParseError {
    /// The code of the mistake.
    #[must_use]
    pub fn code(&self) -> Code {
        UNEXPECTED
    }

    /// The same as a diagnostic.
    #[must_use]
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.code(), self.to_string()).at(self.span)
    }
}

/// The kinds of mistakes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mistake {
    /// Something stands where the grammar doesn't allow it.
    #[error("unexpected text")]
    Unexpected,
}

/// All mistakes that were found in a pattern, in the order of the text; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct ParseErrors(Vec<ParseError>);

impl ParseErrors {
    /// A list with one error.
    pub(super) fn one(error: ParseError) -> Self {
        Self(vec![error])
    }

    /// The mistakes, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, ParseError> {
        self.0.iter()
    }

    /// The same as diagnostics.
    #[must_use]
    pub fn to_diagnostics(&self) -> Vec<Diagnostic> {
        self.iter().map(ParseError::to_diagnostic).collect()
    }
}

impl<'a> IntoIterator for &'a ParseErrors {
    type Item = &'a ParseError;
    type IntoIter = std::slice::Iter<'a, ParseError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{}..{}: {error}", error.span.start, error.span.end)?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}
