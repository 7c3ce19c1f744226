//! Operands and values in canonical order, without repetitions.

use std::cmp::Ordering;

use super::{
    super::{Condition, Node, Observation, Test, Value, ValueKind},
    flatten::one_or,
};

/// Orders an observation and all in it. FOLLOWEDBY keeps its order, and AND its repetitions, for they mean something.
pub(super) fn observation(node: Observation) -> Observation {
    match node.map_operands(observation) {
        Observation::Match(inner) => Observation::Match(condition(inner)),
        Observation::All(mut operands, span) => {
            operands.sort_by_cached_key(ToString::to_string);
            Observation::All(operands, span)
        }
        Observation::Any(operands, span) => one_or(distinct(operands), |operands| Observation::Any(operands, span)),
        other => other,
    }
}

/// Orders a condition and all in it.
pub(super) fn condition(node: Condition) -> Condition {
    match node.map_operands(condition) {
        Condition::Test(mut test) => {
            values(&mut test);
            Condition::Test(test)
        }
        Condition::All(operands) => one_or(distinct(operands), Condition::All),
        Condition::Any(operands) => one_or(distinct(operands), Condition::Any),
    }
}

fn distinct<T: ToString>(operands: Vec<T>) -> Vec<T> {
    let mut keyed: Vec<(String, T)> = operands.into_iter().map(|operand| (operand.to_string(), operand)).collect();
    keyed.sort_by(|left, right| left.0.cmp(&right.0));
    keyed.dedup_by(|left, right| left.0 == right.0);
    keyed.into_iter().map(|(_, operand)| operand).collect()
}

fn values(test: &mut Test) {
    if test.values.len() < 2 {
        return;
    }
    let mut values = std::mem::take(&mut test.values);
    // Of several spellings of one value the same one stays, whatever came first.
    values.sort_by(|left, right| compare(test, left, right).then_with(|| left.kind.order(&right.kind)));
    values.dedup_by(|left, right| compare(test, left, right).is_eq());
    test.values = values;
}

/// The order of two values of a test.
pub(super) fn compare(test: &Test, left: &Value, right: &Value) -> Ordering {
    match (&left.kind, &right.kind) {
        (ValueKind::Text(left), ValueKind::Text(right)) if test.folds_case() => {
            let lower = |text: &str| text.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<u8>>();
            lower(left).cmp(&lower(right))
        }
        (left, right) => left.order(right),
    }
}
