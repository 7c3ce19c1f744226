//! The plan: what a pattern means, free of spelling and of any target.
//!
//! A [`Plan`] is a tree of observations over trees of conditions over tests. Two of any of these are equal if they mean the
//! same in the same words, wherever in a pattern they stand. [`lower`](lower::lower) makes it from the
//! syntax tree, [`normalise`](normalise::normalise) brings it into a form in which equal meanings look equal, and
//! [`adapt`](adapt::adapt) cuts it down to what a target can hold, with a [`Loss`](fidelity::Loss) for each cut.

pub mod adapt;
pub mod canonical;
pub mod check;
mod equality;
mod evaluable;
pub mod fidelity;
mod like;
pub mod lower;
pub mod normalise;
mod property;
mod regex;
mod registry;
mod resolve;
pub mod schema;
mod tree;
pub mod value;

pub use like::{LikePart, LikePattern};
pub use property::{End, Property};
pub use regex::Regex;
pub use registry::Hive;
pub use resolve::ResolvedPaths;
pub(crate) use tree::Node;
pub use value::{DomainName, Hash, HashAlgorithm, UrlParts, Value, ValueKind, is_mac, serial_number, serial_octets};

use crate::{pattern::ComparisonOperator, span::Span};
use schema::{PropertyType, Text};

/// What a pattern asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The tree of observations.
    pub observation: Observation,
}

/// A tree of observations. AND, OR and FOLLOWEDBY are flat: 100,000 alternatives are one node.
#[derive(Debug, Clone)]
pub enum Observation {
    /// One observation, one object of which satisfies the condition.
    Match(Condition),
    /// Each operand, by different observations.
    All(Vec<Observation>, Span),
    /// One operand.
    Any(Vec<Observation>, Span),
    /// Each operand, none before the one in front of it.
    Then(Vec<Observation>, Span),
    /// All that satisfies the operand lies within so many seconds.
    Within {
        /// The operand.
        of: Box<Observation>,
        /// Seconds.
        seconds: f64,
        /// Where the qualifier stands.
        span: Span,
    },
    /// The operand, so many times, by different observations.
    Repeat {
        /// The operand.
        of: Box<Observation>,
        /// How often.
        times: u64,
        /// Where the qualifier stands.
        span: Span,
    },
    /// The operand, between two instants.
    During {
        /// The operand.
        of: Box<Observation>,
        /// First instant inside, RFC 3339.
        start: String,
        /// First instant outside, RFC 3339.
        stop: String,
        /// Where the qualifier stands.
        span: Span,
    },
}

/// What one object has to satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Each operand.
    All(Vec<Condition>),
    /// One operand.
    Any(Vec<Condition>),
    /// A single test.
    Test(Test),
}

/// One property against a set of values: true when the operator holds for one of them.
#[derive(Debug, Clone)]
pub struct Test {
    /// Which property.
    pub property: Property,
    /// How it is compared.
    pub operator: Operator,
    /// With what; more than one where the pattern said IN, or an OR of equal tests. Empty for [`Operator::Exists`].
    pub values: Vec<Value>,
    /// Whether none of the values may hold. The property must exist all the same, except under `NOT EXISTS`.
    pub negated: bool,
    /// The comparison in the pattern's text (the first and last one, where several were gathered).
    pub span: Span,
}

impl Test {
    /// The values that it names by themselves, one of which has to be there; none where it compares otherwise or is negated.
    #[must_use]
    pub fn named(&self) -> &[Value] {
        let is_named = !self.negated && matches!(self.operator, Operator::Equal | Operator::IsSubset);
        if is_named { &self.values } else { &[] }
    }

    /// Whether it is NOT EXISTS, the one test that nothing has to be there for.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        self.operator == Operator::Exists && self.negated
    }

    /// Whether equality ignores letter case and the values keep theirs: names of registry keys and values, which the
    /// system shows as they were written. In the canonical text they are in lower case.
    #[must_use]
    pub fn folds_case(&self) -> bool {
        self.operator == Operator::Equal
            && matches!(self.property.kind, PropertyType::String(Text::RegistryKey | Text::RegistryValueName))
    }
}

/// Operators of the plan. `!=` is a negated `Equal`, IN an `Equal` with several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// One of the values.
    Equal,
    /// Below the value.
    Less,
    /// At most the value.
    LessOrEqual,
    /// Above the value.
    Greater,
    /// At least the value.
    GreaterOrEqual,
    /// Like one of the values: `%` any text, `_` one character.
    Like,
    /// Matched somewhere by one of the regular expressions.
    Matches,
    /// Inside one of the prefixes.
    IsSubset,
    /// Around one of the addresses or prefixes.
    IsSuperset,
    /// Present.
    Exists,
}

impl From<Operator> for ComparisonOperator {
    fn from(operator: Operator) -> Self {
        match operator {
            Operator::Equal => Self::Equal,
            Operator::Less => Self::Less,
            Operator::LessOrEqual => Self::LessOrEqual,
            Operator::Greater => Self::Greater,
            Operator::GreaterOrEqual => Self::GreaterOrEqual,
            Operator::Like => Self::Like,
            Operator::Matches => Self::Matches,
            Operator::IsSubset => Self::IsSubset,
            Operator::IsSuperset => Self::IsSuperset,
            Operator::Exists => Self::Exists,
        }
    }
}
