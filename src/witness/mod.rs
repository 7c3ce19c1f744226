//! Witnesses: observations that satisfy a plan, and observations that nearly do.
//!
//! A [`Witness`] is a small world in which something was seen. Each carries the answer of the [evaluator](crate::evaluate)
//! on whether the pattern matches it, so that a rule can be held against it: what the rule's engine says of the same
//! world, put into a log event, a packet capture or a file, must agree with the rule's verdict ([`check_verdict`]). Nothing here
//! knows a target: how an observation looks to its engine lies in the target's own folder.

pub mod capture;
pub mod check_verdict;
pub mod files;
pub mod index;
pub mod known_files;
mod object;
mod oracle;
pub mod solve;
mod test_pattern;
pub mod urls;

use serde_json::{Map, Value as Json};

pub use object::Object;
pub use oracle::{Oracle, moment};
pub use test_pattern::TestPattern;

use crate::span::Span;

/// The objects of an observation, by the keys that their references use, as in the observed data of STIX 2.0.
pub type Objects = Map<String, Json>;

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// What. The object under `"0"` is the one that the pattern asks about; the others are what it refers to.
    pub objects: Objects,
}

/// Observations, and whether the pattern matches them.
#[derive(Debug, Clone, PartialEq)]
pub struct Witness {
    /// What it was made for.
    pub aim: Aim,
    /// The observations, the earliest first.
    pub sightings: Vec<Sighting>,
    /// Whether the pattern matches, as the evaluator has it.
    pub matches: bool,
}

/// What a witness was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// To satisfy an alternative of the plan.
    Match {
        /// Number of the alternative, from 0.
        alternative: usize,
    },
    /// To satisfy all of an alternative but one part.
    NearMiss {
        /// Number of the alternative, from 0.
        alternative: usize,
        /// The part of the pattern that is not satisfied.
        span: Span,
        /// What was changed, in a few words: `one more byte`, `a parent domain`.
        change: &'static str,
    },
}

/// A part of a plan for which no observation could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The part.
    pub span: Span,
    /// Why, in one sentence, lower case, without a full stop.
    pub reason: String,
}
