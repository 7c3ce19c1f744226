//! Errors of the evaluator and of the data it reads.

use crate::{
    diagnostic::{Code, coded},
    span::Span,
};

/// An observed-data object that can't be used.
pub const BAD_OBSERVATION: Code = Code("S070");
/// A reference to an object that the data don't hold.
pub const DANGLING: Code = Code("S071");
/// A pattern that no data can be held against.
pub const NOT_EVALUABLE: Code = Code("S072");

coded! {
    /// Why there is no answer.
    #[derive(Debug, Clone, PartialEq)]
    #[non_exhaustive]
    pub enum EvaluateError {
        /// `WITHIN 0 SECONDS`: nothing happens in no time.
        NOT_EVALUABLE, EmptyWithin { /** Where it stands. */ span: Span },
            error("WITHIN needs more than 0 seconds"), at(span);
        /// `REPEATS 0 TIMES`: that is no observation.
        NOT_EVALUABLE, EmptyRepeats { /** Where it stands. */ span: Span },
            error("REPEATS needs at least 1 time"), at(span);
        /// A timestamp that the calendar doesn't have.
        NOT_EVALUABLE, BadTimestamp { /** The text between the quotes. */ text: String, /** Where it stands. */ span: Span },
            error("{text} does not exist"), at(span);
        /// A set of literals of several types; integers and floats are one type.
        NOT_EVALUABLE, MixedSet { /** Where it stands. */ span: Span },
            error("the literals of IN are of different types"), at(span);
        /// ISSUBSET or ISSUPERSET with what is neither an address nor a prefix.
        NOT_EVALUABLE, BadNetwork { /** The text of the literal. */ text: String, /** Where it stands. */ span: Span },
            error("`{text}` is no IPv4 or IPv6 address or prefix"), at(span);
        /// A regular expression that does not compile.
        NOT_EVALUABLE, BadRegex { /** Why not. */ message: String, /** Where it stands. */ span: Span },
            error("the regular expression does not compile: {message}"), at(span);
        /// A regular expression needs too many steps on one value; it backtracks.
        REGEX_GAVE_UP = "S074", RegexLimit { /** The engine's words. */ message: String, /** Where it stands. */ span: Span },
            error("the regular expression needs too many steps on a value: {message}"), at(span);
        /// The search for different observations took more steps than allowed; whether there is a match is not known.
        BUDGET_EXCEEDED = "S073", Budget { /** How many steps were allowed. */ limit: u64 },
            error("gave up after {limit} steps: observations compete for the same places in too many ways");
    }
}
