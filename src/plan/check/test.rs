//! A comparison, and what was found out about its property.

use super::literal;
use crate::{
    pattern::{Comparison, ComparisonOperator as Operator, LiteralValue, PathStepKind},
    plan::schema::{PropertyType, Resolved},
};

/// A comparison under check.
pub(super) struct Test<'t, 'a> {
    pub comparison: &'t Comparison<'a>,
    pub resolved: &'t Resolved,
    /// The type of the property, or of its elements.
    pub kind: PropertyType,
    /// Whether a value that is equal satisfies it, rather than one that differs.
    pub positive: bool,
}

impl<'t, 'a> Test<'t, 'a> {
    pub fn new(comparison: &'t Comparison<'a>, resolved: &'t Resolved) -> Self {
        let positive = (comparison.operator == Operator::NotEqual) == comparison.negated;
        Self { comparison, resolved, kind: element(resolved.kind), positive }
    }

    /// The property, as messages call it.
    pub fn name(&self) -> String {
        let mut keys = self.comparison.path.steps.iter().rev().filter_map(|step| match &step.kind {
            PathStepKind::Property(key) => Some(&**key),
            _ => None,
        });
        literal::name(keys.next().unwrap_or(self.comparison.path.object_type))
    }

    pub fn is_equality(&self) -> bool {
        matches!(self.comparison.operator, Operator::Equal | Operator::NotEqual | Operator::In)
    }
}

/// The type of what a literal is compared with: a list is read as one of its elements.
pub(super) fn element(kind: PropertyType) -> PropertyType {
    match kind {
        PropertyType::List(element) => *element,
        kind => kind,
    }
}

/// Literals of one family can be compared with the same properties.
pub(super) fn family(value: &LiteralValue<'_>) -> u8 {
    match value {
        LiteralValue::String(_) => 0,
        LiteralValue::Integer(_) | LiteralValue::BigInteger(_) | LiteralValue::Float { .. } => 1,
        LiteralValue::Boolean(_) => 2,
        LiteralValue::Timestamp(_) => 3,
        LiteralValue::Hex(_) | LiteralValue::Binary(_) => 4,
    }
}
