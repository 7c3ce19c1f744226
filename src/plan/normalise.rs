//! The normal form of a plan: what means the same looks the same.
//!
//! The steps, from the leaves up: type tests that a value implies are removed; nested AND and OR are flattened; ORs of
//! equal tests become one test on a set; operands and values are put in canonical order and repetitions removed.

use std::borrow::Cow;

use super::{Condition, Observation, Operator, Plan, Test, Value, ValueKind};

/// Brings a plan into normal form.
#[must_use]
pub fn normalise(plan: Plan) -> Plan {
    Plan { observation: observation(plan.observation) }
}

fn observation(node: Observation) -> Observation {
    match node {
        Observation::Match(inner) => Observation::Match(condition(inner)),
        Observation::All(operands, span) => {
            let mut flat = Vec::with_capacity(operands.len());
            for operand in operands {
                match observation(operand) {
                    Observation::All(inner, _) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            // `[a] AND [a]` asks for two observations: equal operands stay.
            flat.sort_by_cached_key(ToString::to_string);
            Observation::All(flat, span)
        }
        Observation::Any(operands, span) => {
            let mut flat = Vec::with_capacity(operands.len());
            for operand in operands {
                match observation(operand) {
                    Observation::Any(inner, _) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            let mut keyed: Vec<(String, Observation)> =
                flat.into_iter().map(|operand| (operand.to_string(), operand)).collect();
            keyed.sort_by(|left, right| left.0.cmp(&right.0));
            keyed.dedup_by(|left, right| left.0 == right.0);
            let mut operands: Vec<Observation> = keyed.into_iter().map(|(_, operand)| operand).collect();
            if operands.len() == 1 { operands.swap_remove(0) } else { Observation::Any(operands, span) }
        }
        Observation::Then(operands, span) => {
            let mut flat = Vec::with_capacity(operands.len());
            for operand in operands {
                match observation(operand) {
                    Observation::Then(inner, _) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            Observation::Then(flat, span)
        }
        Observation::Within { of, seconds, span } => {
            Observation::Within { of: Box::new(observation(*of)), seconds, span }
        }
        Observation::Repeat { of, times, span } => Observation::Repeat { of: Box::new(observation(*of)), times, span },
        Observation::During { of, start, stop, span } => {
            Observation::During { of: Box::new(observation(*of)), start, stop, span }
        }
    }
}

fn condition(node: Condition) -> Condition {
    match node {
        Condition::Test(test) => Condition::Test(sorted(test)),
        Condition::All(operands) => {
            let mut flat = Vec::with_capacity(operands.len());
            for operand in operands {
                match condition(operand) {
                    Condition::All(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            imply_types(&mut flat);
            let gathered = gather(flat, |test| {
                test.negated && test.operator == Operator::Equal && !test.property.path.contains("[*]")
            });
            ordered(gathered, Condition::All)
        }
        Condition::Any(operands) => {
            let mut flat = Vec::with_capacity(operands.len());
            for operand in operands {
                match condition(operand) {
                    Condition::Any(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            let gathered =
                gather(flat, |test| !test.negated && matches!(test.operator, Operator::Equal | Operator::IsSubset));
            ordered(gathered, Condition::Any)
        }
    }
}

/// Canonical order, without repetitions; a single operand stands for itself.
fn ordered(operands: Vec<Condition>, combine: fn(Vec<Condition>) -> Condition) -> Condition {
    let mut keyed: Vec<(String, Condition)> =
        operands.into_iter().map(|operand| (operand.to_string(), operand)).collect();
    keyed.sort_by(|left, right| left.0.cmp(&right.0));
    keyed.dedup_by(|left, right| left.0 == right.0);
    let mut operands: Vec<Condition> = keyed.into_iter().map(|(_, operand)| operand).collect();
    if operands.len() == 1 { operands.swap_remove(0) } else { combine(operands) }
}

/// Joins the tests that `joins` allows and that differ in their values only.
fn gather(operands: Vec<Condition>, joins: impl Fn(&Test) -> bool) -> Vec<Condition> {
    let mut tests: Vec<Test> = Vec::new();
    let mut rest = Vec::with_capacity(operands.len().min(16));
    for operand in operands {
        let Condition::Test(test) = operand else {
            rest.push(operand);
            continue;
        };
        // Hundreds of thousands of alternatives share a handful of properties, so a look along the list is cheap.
        let twin = tests.iter_mut().find(|twin| joins(&test) && joins(twin) && alike(twin, &test));
        match twin {
            Some(twin) => {
                twin.span = twin.span.to(test.span);
                twin.values.extend(test.values);
            }
            None => tests.push(test),
        }
    }
    rest.extend(tests.into_iter().map(|test| Condition::Test(sorted(test))));
    rest
}

fn alike(left: &Test, right: &Test) -> bool {
    let kind = |test: &Test| test.values.first().map(|value| std::mem::discriminant(&value.kind));
    left.property == right.property && left.operator == right.operator && kind(left) == kind(right)
}

/// Puts the values in canonical order; an address under ISSUBSET with a full-length prefix is the address itself.
fn sorted(mut test: Test) -> Test {
    if test.values.len() > 1 {
        test.values.sort_by(|left, right| left.kind.order(&right.kind));
        test.values.dedup_by(|left, right| left.kind == right.kind);
    }
    let single =
        |value: &Value| matches!(&value.kind, ValueKind::Address(net) if net.prefix_len() == net.max_prefix_len());
    if test.operator == Operator::IsSubset && !test.values.is_empty() && test.values.iter().all(single) {
        test.operator = Operator::Equal;
    }
    test
}

/// Removes `x_ref.type = 'ipv4-addr'` where another operand says the same by its value, and notes the type at operands
/// that don't say it themselves.
fn imply_types(operands: &mut Vec<Condition>) {
    let mut index = 0;
    while index < operands.len() {
        let Some((prefix, kind)) = type_test(&operands[index]) else {
            index += 1;
            continue;
        };
        let others = operands.iter().enumerate().filter(|(other, _)| *other != index);
        if others.into_iter().any(|(_, operand)| implies(operand, &prefix, &kind)) {
            operands.remove(index);
            continue;
        }
        let mut noted = false;
        for (other, operand) in operands.iter_mut().enumerate() {
            if let Condition::Test(test) = operand
                && other != index
                && test.property.referent.is_none()
                && test.property.path.strip_prefix(prefix.as_str()) == Some(".value")
                && !prefix.ends_with(']')
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
