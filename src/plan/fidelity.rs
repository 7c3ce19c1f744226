//! Whether a rule means what its pattern means.

use std::{fmt, ops::BitOr};

use serde::{Serialize, Serializer};

use crate::{diagnostic::Code, span::Span};

/// Two bits: a rule may match more than its pattern, and it may miss some of what its pattern matches.
///
/// The laws: dropping an operand of AND gives [`BROADER`](Fidelity::BROADER), of OR [`NARROWER`](Fidelity::NARROWER);
/// negation [swaps](Fidelity::negated) the two; several losses join by `|`.
///
/// ```
/// use stixc::plan::fidelity::Fidelity;
/// assert_eq!(Fidelity::BROADER | Fidelity::EXACT, Fidelity::BROADER);
/// assert_eq!((Fidelity::BROADER | Fidelity::NARROWER).to_string(), "approximate");
/// assert_eq!(Fidelity::BROADER.negated(), Fidelity::NARROWER);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Fidelity {
    /// May match what the pattern does not.
    pub more: bool,
    /// May miss what the pattern matches.
    pub fewer: bool,
}

impl Fidelity {
    /// Neither.
    pub const EXACT: Self = Self { more: false, fewer: false };
    /// May match more.
    pub const BROADER: Self = Self { more: true, fewer: false };
    /// May miss some.
    pub const NARROWER: Self = Self { more: false, fewer: true };
    /// Both.
    pub const APPROXIMATE: Self = Self { more: true, fewer: true };

    /// The fidelity of the negation of what has this fidelity.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { more: self.fewer, fewer: self.more }
    }

    /// Whether everything this one loses is allowed by `limit`.
    #[must_use]
    pub fn within(self, limit: Self) -> bool {
        (!self.more || limit.more) && (!self.fewer || limit.fewer)
    }

    /// `exact`, `broader`, `narrower` or `approximate`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match (self.more, self.fewer) {
            (false, false) => "exact",
            (true, false) => "broader",
            (false, true) => "narrower",
            (true, true) => "approximate",
        }
    }
}

impl BitOr for Fidelity {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { more: self.more || other.more, fewer: self.fewer || other.fewer }
    }
}

impl fmt::Display for Fidelity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Fidelity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One thing that a rule does not say as its pattern does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Loss {
    /// Which kind of loss.
    pub code: Code,
    /// What it does to the rule. For a refusal: what it would have done.
    pub effect: Fidelity,
    /// One sentence for the user, in lower case and without a full stop.
    pub message: String,
    /// The part of the pattern that it is about.
    pub span: Span,
}
