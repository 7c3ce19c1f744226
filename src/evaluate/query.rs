//! A pattern's observation expressions, ready to be held against data (STIX 2.1, sections 9.2 to 9.4).

use std::collections::HashMap;

use super::{comparison::Condition, error::EvaluateError, literal};
use crate::{
    pattern::{ComparisonExpression, ObservationExpression, ObservationKind, ObservationOperator, QualifierKind},
    span::Span,
    stix::Timestamp,
};

/// An observation expression; conditions are named by their places in a list.
#[derive(Debug, Clone)]
pub(crate) enum Query {
    Single(usize),
    All(Vec<Query>),
    Any(Vec<Query>),
    Then(Vec<Query>),
    /// Nanoseconds.
    Within(i128, Box<Query>),
    Times(u64, Box<Query>),
    During(Interval, Box<Query>),
}

/// START and STOP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    /// The first moment inside.
    start: Timestamp,
    /// The first moment outside.
    stop: Timestamp,
}

impl Interval {
    /// Whether something seen from `first` to `last` may have been seen inside.
    pub(super) fn overlaps(self, first: Timestamp, last: Timestamp) -> bool {
        self.start < self.stop && first < self.stop && last >= self.start
    }
}

/// The conditions of a pattern. The same text is one condition, however often it stands there.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// By the text as it is printed: the source of a pattern that was repaired or changed may say something else.
    places: HashMap<String, usize>,
    pub(super) all: Vec<Condition>,
}

impl Conditions {
    fn place(&mut self, comparison: &ComparisonExpression<'_>) -> Result<usize, EvaluateError> {
        let text = comparison.to_string();
        if let Some(place) = self.places.get(&text) {
            return Ok(*place);
        }
        self.all.push(Condition::from_expression(comparison)?);
        self.places.insert(text, self.all.len() - 1);
        Ok(self.all.len() - 1)
    }
}

impl Query {
    /// Puts the conditions of `expression` into `conditions`.
    ///
    /// # Errors
    /// If a literal or a qualifier has no meaning.
    pub(super) fn new(
        expression: &ObservationExpression<'_>,
        conditions: &mut Conditions,
    ) -> Result<Self, EvaluateError> {
        match &expression.kind {
            ObservationKind::Single(comparison) => conditions.place(comparison).map(Self::Single),
            ObservationKind::Combined { operator, operands } => {
                let operands =
                    operands.iter().map(|operand| Self::new(operand, conditions)).collect::<Result<_, _>>()?;
                Ok(match operator {
                    ObservationOperator::And => Self::All(operands),
                    ObservationOperator::Or => Self::Any(operands),
                    ObservationOperator::FollowedBy => Self::Then(operands),
                })
            }
            ObservationKind::Qualified { expression, qualifier } => {
                Self::new(expression, conditions)?.qualified(&qualifier.kind, qualifier.span)
            }
        }
    }

    /// Whether one observation is enough, which satisfies the conditions that `holds` names.
    pub(super) fn is_satisfied_by_one(
        &self,
        holds: &mut impl FnMut(usize) -> Result<bool, EvaluateError>,
    ) -> Result<bool, EvaluateError> {
        match self {
            Self::Single(condition) => holds(*condition),
            Self::Any(operands) => {
                for operand in operands {
                    if operand.is_satisfied_by_one(holds)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Within(_, inner) | Self::Times(1, inner) | Self::During(_, inner) => inner.is_satisfied_by_one(holds),
            Self::All(_) | Self::Then(_) | Self::Times(..) => Ok(false),
        }
    }
}

impl Query {
    /// The query within the limits of a qualifier.
    ///
    /// # Errors
    /// If the qualifier has no meaning.
    pub(crate) fn qualified(self, kind: &QualifierKind, span: Span) -> Result<Self, EvaluateError> {
        let inner = Box::new(self);
        match kind {
            QualifierKind::Within { seconds } if *seconds > 0.0 => Ok(Self::Within(nanoseconds(*seconds), inner)),
            QualifierKind::Within { .. } => Err(EvaluateError::EmptyWithin { span }),
            QualifierKind::Repeats { times: 0 } => Err(EvaluateError::EmptyRepeats { span }),
            QualifierKind::Repeats { times } => Ok(Self::Times(*times, inner)),
            QualifierKind::StartStop { start, stop } => {
                let interval = Interval { start: border(start, span)?, stop: border(stop, span)? };
                Ok(Self::During(interval, inner))
            }
        }
    }
}

/// Whole nanoseconds; more than all of time saturates.
fn nanoseconds(seconds: f64) -> i128 {
    // A cast of a float saturates; half of that leaves room for sums.
    ((seconds * 1e9).round() as i128).min(i128::MAX / 2)
}

fn border(text: &str, span: Span) -> Result<Timestamp, EvaluateError> {
    literal::instant(text).ok_or_else(|| EvaluateError::BadTimestamp { text: text.to_owned(), span })
}
