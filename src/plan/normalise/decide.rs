//! Deciding a test for a value that is known, by the evaluator itself.

use std::{borrow::Cow, collections::HashSet};

use super::super::{Operator, Property, Test, Value, ValueKind};
use crate::evaluate::{self, Evaluator, Map};

/// Values of one class are compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Text,
    Number,
    Boolean,
    Instant,
    Bytes,
}

impl Class {
    pub(super) fn from_test(test: &Test) -> Option<Self> {
        Some(match test.values.first()?.kind {
            ValueKind::Text(_)
            | ValueKind::Like(_)
            | ValueKind::Regex(_)
            | ValueKind::Address(_)
            | ValueKind::Domain(_)
            | ValueKind::Url(_)
            | ValueKind::Hash(_) => Self::Text,
            ValueKind::Integer(_) | ValueKind::Float(_) => Self::Number,
            ValueKind::Boolean(_) => Self::Boolean,
            ValueKind::Timestamp(_) => Self::Instant,
            ValueKind::Bytes(_) => Self::Bytes,
        })
    }
}

/// Whether a property that is equal to a value of one test shows whether it is equal to one of the other.
pub(super) fn are_comparable(one: &Test, other: &Test) -> bool {
    // A text can be an instant too, and bytes can be a text. All others differ.
    let is_text = |class| matches!(class, Some(Class::Text | Class::Instant | Class::Bytes));
    let (one, other) = (Class::from_test(one), Class::from_test(other));
    one == other || !(is_text(one) && is_text(other))
}

/// The one value for all those that a property is equal to where it is equal to this one.
pub(super) fn identity<'v>(test: &Test, kind: &'v ValueKind) -> Cow<'v, ValueKind> {
    match kind {
        ValueKind::Float(number) => {
            whole(*number).map_or(Cow::Borrowed(kind), |one| Cow::Owned(ValueKind::Integer(one)))
        }
        ValueKind::Text(text) if test.folds_case() => Cow::Owned(ValueKind::Text(text.to_ascii_lowercase())),
        _ => Cow::Borrowed(kind),
    }
}

/// The integer that a float is equal to, where both have room for it.
pub(super) fn whole(number: f64) -> Option<i64> {
    /// 2^53: up to here each integer is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // Within the range, and without a fraction: the cast is exact.
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// Of the values that `known` allows, those that satisfy `test`, a test of the same property; `None` where one can't be
/// decided.
pub(super) fn satisfying(known: &Test, test: &Test) -> Option<Vec<Value>> {
    if test.operator == Operator::Equal {
        if !are_comparable(known, test) {
            return None;
        }
        let excluded: HashSet<Cow<'_, ValueKind>> =
            test.values.iter().map(|value| identity(test, &value.kind)).collect();
        let left = known.values.iter().filter(|value| !excluded.contains(&identity(known, &value.kind)));
        return Some(left.cloned().collect());
    }
    if Class::from_test(known) != Class::from_test(test) || !is_read_alike(known, test) {
        return None;
    }
    let evaluator = evaluator(test)?;
    let mut left = Vec::new();
    for value in &known.values {
        if holds(&evaluator, datum(&value.kind)?)? {
            left.push(value.clone());
        }
    }
    Some(left)
}

/// Whether the values of both tests are read in the same way: the text of a DNS name, a hash or a registry key was
/// folded where it is compared for equality, and nowhere else.
fn is_read_alike(known: &Test, test: &Test) -> bool {
    let is_address = |value: &Value| matches!(value.kind, ValueKind::Address(_));
    let is_folded = known.folds_case() || known.property.ignores_case();
    !is_folded || known.values.iter().chain(&test.values).all(is_address)
}

/// The test by itself, of a property of an object that is made for it.
fn evaluator(test: &Test) -> Option<Evaluator> {
    let property = Property::new("x:v", test.property.kind);
    Test { property, ..test.clone() }.evaluator().ok()
}

/// What an object holds that is equal to a value; `None` where it may be written in several ways.
fn datum(kind: &ValueKind) -> Option<evaluate::Value> {
    Some(match kind {
        ValueKind::Domain(_) | ValueKind::Hash(_) => return None,
        ValueKind::Integer(number) => evaluate::Value::Integer((*number).into()),
        ValueKind::Float(number) => evaluate::Value::Float(*number),
        ValueKind::Boolean(truth) => evaluate::Value::Boolean(*truth),
        ValueKind::Timestamp(text) => evaluate::Value::Text(text.as_str().into()),
        ValueKind::Bytes(bytes) => evaluate::Value::Bytes(bytes.as_slice().into()),
        text => evaluate::Value::Text(text.as_text()?.into()),
    })
}

fn holds(evaluator: &Evaluator, value: evaluate::Value) -> Option<bool> {
    let text = |text: &str| evaluate::Value::Text(text.into());
    let object: Map = [("type".into(), text("x")), ("v".into(), value)].into_iter().collect();
    let objects: Map = [("0".into(), evaluate::Value::Map(object))].into_iter().collect();
    evaluator.matches_objects(&objects).ok()
}
