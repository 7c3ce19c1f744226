//! What keeps a pattern from being evaluated, and data from being read.

use crate::diagnostic::{Code, Diagnostic};
use crate::span::Span;

/// An observed-data object that can't be used.
pub const BAD_OBSERVATION: Code = Code("S070");
/// A reference to an object that the data don't hold.
pub const DANGLING: Code = Code("S071");
/// A pattern that no data can be held against.
pub const NOT_EVALUABLE: Code = Code("S072");
/// The search for observations was given up.
pub const BUDGET_EXCEEDED: Code = Code("S073");
/// A regular expression took too long on a value.
pub const REGEX_GAVE_UP: Code = Code("S074");

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// `WITHIN 0 SECONDS`: nothing happens in no time.
    #[error("WITHIN needs more than 0 seconds")]
    EmptyWithin(Span),
    /// `REPEATS 0 TIMES`: that is no observation.
    #[error("REPEATS needs at least 1 time")]
    EmptyRepeats(Span),
    /// A timestamp that the calendar doesn't have.
    #[error("{text} does not exist")]
    BadTimestamp {
        /// The text between the quotes.
        text: String,
        /// Where it stands.
        span: Span,
    },
    /// A set of literals of several types; integers and floats are one type.
    #[error("the literals of IN are of different types")]
    MixedSet(Span),
    /// ISSUBSET or ISSUPERSET with what is neither an address nor a prefix.
    #[error("`{text}` is no IPv4 or IPv6 address or prefix")]
    BadNetwork {
        /// The text of the literal.
        text: String,
        /// Where it stands.
        span: Span,
    },
    /// A regular expression that does not compile.
    #[error("the regular expression does not compile: {message}")]
    BadRegex {
        /// Why not.
        message: String,
        /// Where it stands.
        span: Span,
    },
    /// A regular expression needed too many steps on one value; it backtracks.
    #[error("the regular expression needs too many steps on a value: {message}")]
    RegexLimit {
        /// The engine's words.
        message: String,
        /// Where the expression stands.
        span: Span,
    },
    /// The search for different observations took more steps than allowed; whether there is a match is not known.
    #[error("gave up after {limit} steps: observations compete for the same places in too many ways")]
    Budget {
        /// How many steps were allowed.
        limit: u64,
    },
}

impl EvaluateError {
    /// The code of this kind.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Budget { .. } => BUDGET_EXCEEDED,
            Self::RegexLimit { .. } => REGEX_GAVE_UP,
            _ => NOT_EVALUABLE,
        }
    }

    /// The part of the pattern that it is about.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::EmptyWithin(span) | Self::EmptyRepeats(span) | Self::MixedSet(span) => Some(*span),
            Self::BadTimestamp { span, .. }
            | Self::BadNetwork { span, .. }
            | Self::BadRegex { span, .. }
            | Self::RegexLimit { span, .. } => Some(*span),
            Self::Budget { .. } => None,
        }
    }

    /// The same as a diagnostic.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code(), self.to_string());
        match self.span() {
            Some(span) => diagnostic.at(span),
            None => diagnostic,
        }
    }
}
