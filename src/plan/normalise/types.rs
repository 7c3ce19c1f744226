//! Type tests on references that a value implies are removed, and the others noted where they can be.

use std::borrow::Cow;

use super::super::{Condition, Operator, Test, Value, ValueKind};
use super::flatten::all;

/// Removes the implied type tests of a condition.
pub(super) fn condition(node: Condition) -> Condition {
    match node {
        Condition::All(operands) => {
            let mut operands: Vec<Condition> = operands.into_iter().map(condition).collect();
            imply(&mut operands);
            all(operands)
        }
        Condition::Any(operands) => Condition::Any(operands.into_iter().map(condition).collect()),
        test => test,
    }
}

/// How many type tests of one AND are looked at; each is held against all its operands.
const TYPES: usize = 64;

/// Removes `x_ref.type = 'ipv4-addr'` where another operand says the same by its value, and notes the type at operands
/// that don't say it themselves.
pub(super) fn imply(operands: &mut Vec<Condition>) {
    if operands.iter().filter(|operand| type_test(operand).is_some()).count() > TYPES {
        return;
    }
    let mut index = 0;
    while index < operands.len() {
        let Some((prefix, kind)) = type_test(&operands[index]) else {
            index += 1;
            continue;
        };
        let mut others = operands.iter().enumerate().filter(|(other, _)| *other != index);
        if others.any(|(_, operand)| implies(operand, &prefix, &kind)) {
            operands.remove(index);
            continue;
        }
        let mut noted = false;
        for (other, operand) in operands.iter_mut().enumerate() {
            if let Condition::Test(test) = operand
                && other != index
                && takes_note(test, &prefix)
            {
                test.property.referent = Some(Cow::Owned(kind.clone()));
                noted = true;
            }
        }
        if noted {
            operands.remove(index);
        } else {
            index += 1;
        }
    }
}

/// Whether the type can be noted at a test, and is told when the test is printed.
fn takes_note(test: &Test, prefix: &str) -> bool {
    test.property.referent.is_none()
        && test.property.path.strip_prefix(prefix) == Some(".value")
        && !prefix.ends_with(']')
        && test.operator != Operator::Exists
        && test.values.iter().any(|value| matches!(value.kind, ValueKind::Text(_)))
}

/// The reference and the type, where the operand is a plain type test on a reference.
fn type_test(operand: &Condition) -> Option<(String, String)> {
    let Condition::Test(test) = operand else { return None };
    let prefix = test.property.path.strip_suffix(".type")?;
    match test.values.as_slice() {
        [Value { kind: ValueKind::Text(kind), .. }] if test.operator == Operator::Equal && !test.negated => {
            Some((prefix.to_owned(), kind.clone()))
        }
        _ => None,
    }
}

/// Whether `operand` can hold only where the reference `prefix` points to an object of type `kind`.
fn implies(operand: &Condition, prefix: &str, kind: &str) -> bool {
    match operand {
        Condition::Test(test) => {
            !test.negated
                && test.property.referent.as_deref() == Some(kind)
                && test.property.path.strip_prefix(prefix) == Some(".value")
        }
        Condition::All(operands) => operands.iter().any(|operand| implies(operand, prefix, kind)),
        Condition::Any(operands) => operands.iter().all(|operand| implies(operand, prefix, kind)),
    }
}
