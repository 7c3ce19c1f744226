//! Type tests on references that a value implies are removed, and the others noted where they can be.

use std::{borrow::Cow, collections::BTreeSet};

use super::super::{Condition, Node, Operator, Test, Value, ValueKind};
use super::flatten::all;

/// Removes the implied type tests of a condition.
pub(super) fn condition(node: Condition) -> Condition {
    match node.map_operands(condition) {
        Condition::All(mut operands) => {
            imply(&mut operands);
            forget(&mut operands);
            all(operands)
        }
        other => other,
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
        // What only a part of an operand could tell, the type test has to.
        let tells = |operand: &Condition| matches!(operand, Condition::Test(test) if takes_note(test, &prefix));
        if operands.iter().any(tells) {
            operands.remove(index);
            operands.iter_mut().for_each(|operand| note(operand, &prefix, &kind));
        } else {
            index += 1;
        }
    }
}

/// Takes away the notes of types that the value of another operand shows: with the type test still there, it would have
/// been removed for that value's sake, and nothing noted.
fn forget(operands: &mut [Condition]) {
    let all: BTreeSet<(String, String)> = operands.iter().flat_map(noted).collect();
    for (prefix, kind) in all {
        let showing: Vec<usize> =
            (0..operands.len()).filter(|&index| shows(&operands[index], &prefix, &kind)).take(2).collect();
        for (index, operand) in operands.iter_mut().enumerate() {
            if showing.iter().any(|other| *other != index) {
                let tests = operand.tests_mut().filter(|test| is_noted(test) && is_of(test, &prefix, &kind));
                tests.for_each(|test| test.property.referent = None);
            }
        }
    }
}

/// Notes the type at each test in the operand that takes it.
fn note(operand: &mut Condition, prefix: &str, kind: &str) {
    let tests = operand.tests_mut().filter(|test| takes_note(test, prefix));
    tests.for_each(|test| test.property.referent = Some(Cow::Owned(kind.to_owned())));
}

/// The references and types that are noted in an operand.
fn noted(operand: &Condition) -> impl Iterator<Item = (String, String)> {
    operand.tests().filter(|test| is_noted(test)).filter_map(|test| {
        let prefix = test.property.path.strip_suffix(".value")?;
        Some((prefix.to_owned(), test.property.referent.as_ref()?.to_string()))
    })
}

/// Whether the type of the test was noted: its value does not show it.
fn is_noted(test: &Test) -> bool {
    test.property.referent.is_some() && test.values.iter().any(|value| value.kind.is_plain_text())
}

/// Whether the test is about the value of what `prefix` refers to.
fn is_at(test: &Test, prefix: &str) -> bool {
    test.property.path.strip_prefix(prefix) == Some(".value")
}

/// Whether the type can be noted at a test, and is told when the test is printed.
fn takes_note(test: &Test, prefix: &str) -> bool {
    test.property.referent.is_none()
        && is_at(test, prefix)
        && !prefix.ends_with(']')
        && test.operator != Operator::Exists
        && test.values.iter().any(|value| value.kind.is_plain_text())
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
    demands(operand, &|test| !test.negated && is_of(test, prefix, kind))
}

/// The same, by values alone.
fn shows(operand: &Condition, prefix: &str, kind: &str) -> bool {
    demands(operand, &|test| !test.negated && is_of(test, prefix, kind) && !is_noted(test))
}

fn is_of(test: &Test, prefix: &str, kind: &str) -> bool {
    test.property.referent.as_deref() == Some(kind) && is_at(test, prefix)
}

/// Whether `operand` holds only where a test of this kind does.
fn demands(operand: &Condition, of_the_kind: &impl Fn(&Test) -> bool) -> bool {
    match operand {
        Condition::Test(test) => of_the_kind(test),
        Condition::All(operands) => operands.iter().any(|operand| demands(operand, of_the_kind)),
        Condition::Any(operands) => operands.iter().all(|operand| demands(operand, of_the_kind)),
    }
}
