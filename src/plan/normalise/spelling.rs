//! One test has one spelling: negation stands at tests that can't do without it, and equal values look equal.

use super::super::{Node, Observation, Operator, Test, ValueKind};
use crate::stix::Timestamp;

/// Respells an observation's qualifiers and tests.
pub(super) fn observation(mut node: Observation) -> Observation {
    if let Observation::During { start, stop, .. } = &mut node {
        shorten(start);
        shorten(stop);
    }
    if let Observation::Match(condition) = &mut node {
        condition.tests_mut().for_each(test);
    }
    node.map_operands(observation)
}

fn test(test: &mut Test) {
    for value in &mut test.values {
        match &mut value.kind {
            ValueKind::Timestamp(text) => shorten(text),
            // Both zeros are equal.
            ValueKind::Float(number) => *number += 0.0,
            _ => {}
        }
    }
    match test.operator {
        // Values without an order satisfy neither `<` nor NOT `<`, so the opposite says the same.
        operator if test.negated && opposite(operator).is_some() => {
            test.operator = opposite(operator).unwrap_or(operator);
            test.negated = false;
        }
        // Each value that is there is outside of an empty set.
        Operator::Equal if test.negated && test.values.is_empty() => {
            test.operator = Operator::Exists;
            test.negated = false;
        }
        // The only address in a prefix of full length is the address itself.
        Operator::IsSubset if !test.values.is_empty() && test.values.iter().all(|value| is_single(&value.kind)) => {
            test.operator = Operator::Equal;
        }
        _ => {}
    }
}

fn opposite(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::Less => Operator::GreaterOrEqual,
        Operator::LessOrEqual => Operator::Greater,
        Operator::Greater => Operator::LessOrEqual,
        Operator::GreaterOrEqual => Operator::Less,
        _ => return None,
    })
}

fn is_single(kind: &ValueKind) -> bool {
    matches!(kind, ValueKind::Address(net) if net.prefix_len() == net.max_prefix_len())
}

/// The shortest text of the same instant. A date that does not exist stays as it is.
fn shorten(timestamp: &mut String) {
    if let Ok(instant) = timestamp.parse::<Timestamp>() {
        *timestamp = instant.to_string();
    }
}
