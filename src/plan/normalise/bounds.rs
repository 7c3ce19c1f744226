//! `<`, `<=`, `>` and `>=`: of several bounds the tightest counts under AND, the loosest under OR.

use std::{cmp::Ordering, collections::HashMap};

use super::{
    super::{Condition, Operator, Property, Test, ValueKind},
    decide::{Class, whole},
    equal,
    never::Contradiction,
};
use crate::stix::Timestamp;

/// Classes of values that have an order in which each two can be compared.
const ORDERED: [Class; 2] = [Class::Number, Class::Instant];

/// Settles the bounds of one property under AND, and what else they decide.
pub(super) fn settle(mut tests: Vec<Test>) -> Result<Vec<Test>, Contradiction> {
    for class in ORDERED {
        tests = of_class(tests, class)?;
    }
    Ok(tests)
}

fn of_class(tests: Vec<Test>, class: Class) -> Result<Vec<Test>, Contradiction> {
    let is_bound = |test: &Test| Side::from_test(test).is_some() && Class::from_test(test) == Some(class);
    if !tests.iter().any(is_bound) {
        return Ok(tests);
    }
    let (bounds, mut others): (Vec<Test>, Vec<Test>) = tests.clone().into_iter().partition(is_bound);
    let mut kept: HashMap<Side, Test> = HashMap::new();
    for test in bounds {
        let Some(side) = Side::from_test(&test) else { continue };
        let tightest = match kept.remove(&side) {
            None => test,
            Some(earlier) => match reach(&test, &earlier, side) {
                // What can't be compared stays as it is.
                None => return Ok(tests),
                Some(order) if replaces(&test, &earlier, order, Ordering::Less) => test,
                Some(_) => earlier,
            },
        };
        kept.insert(side, tightest);
    }
    let (lower, upper) = (kept.remove(&Side::Lower), kept.remove(&Side::Upper));
    if let (Some(lower), Some(upper)) = (&lower, &upper) {
        match compare(lower, upper) {
            None => return Ok(tests),
            Some(Ordering::Less) => {}
            Some(Ordering::Equal) if !is_strict(lower) && !is_strict(upper) => {
                let span = lower.span.to(upper.span);
                others.push(Test { operator: Operator::Equal, span, ..lower.clone() });
                return equal::settle(others);
            }
            Some(_) if lower.span <= upper.span => return Err(Contradiction::between(lower, upper)),
            Some(_) => return Err(Contradiction::between(upper, lower)),
        }
    }
    let mut bounds: Vec<Test> = [lower, upper].into_iter().flatten().collect();
    others.retain_mut(|test| exceptions(test, class, &mut bounds));
    others.extend(bounds);
    Ok(others)
}

/// Takes from `x != 5` what the bounds exclude anyway; whether anything is left.
fn exceptions(test: &mut Test, class: Class, bounds: &mut [Test]) -> bool {
    if !test.negated || test.operator != Operator::Equal || Class::from_test(test) != Some(class) {
        return true;
    }
    test.values.retain(|value| {
        for bound in bounds.iter_mut() {
            let Some(own) = bound.values.first().and_then(|limit| order(&value.kind, &limit.kind)) else { continue };
            let outside = if Side::from_test(bound) == Some(Side::Lower) { Ordering::Less } else { Ordering::Greater };
            if own == Ordering::Equal {
                bound.operator = strict(bound.operator);
            }
            if own == Ordering::Equal || own == outside {
                return false;
            }
        }
        true
    });
    !test.values.is_empty()
}

/// Of bounds on one side of one property, an OR needs the loosest only.
pub(super) fn loosest(operands: Vec<Condition>) -> Vec<Condition> {
    let mut places: HashMap<(Property, Side, Option<Class>), usize> = HashMap::new();
    let mut kept: Vec<Condition> = Vec::with_capacity(operands.len());
    for operand in operands {
        if let Condition::Test(test) = &operand
            && let Some(side) = Side::from_test(test)
            && ORDERED.iter().any(|class| Class::from_test(test) == Some(*class))
        {
            let place = *places.entry((test.property.clone(), side, Class::from_test(test))).or_insert(kept.len());
            if let Some(Condition::Test(earlier)) = kept.get(place)
                && let Some(order) = reach(test, earlier, side)
            {
                if replaces(test, earlier, order, Ordering::Greater) {
                    kept[place] = operand;
                }
                continue;
            }
        }
        kept.push(operand);
    }
    kept
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Lower,
    Upper,
}

impl Side {
    fn from_test(test: &Test) -> Option<Self> {
        match test.operator {
            _ if test.negated || test.values.len() != 1 => None,
            Operator::Greater | Operator::GreaterOrEqual => Some(Self::Lower),
            Operator::Less | Operator::LessOrEqual => Some(Self::Upper),
            _ => None,
        }
    }
}

fn is_strict(test: &Test) -> bool {
    matches!(test.operator, Operator::Greater | Operator::Less)
}

fn strict(operator: Operator) -> Operator {
    match operator {
        Operator::GreaterOrEqual => Operator::Greater,
        Operator::LessOrEqual => Operator::Less,
        other => other,
    }
}

/// Which of two bounds on one side lets more through.
fn reach(one: &Test, other: &Test, side: Side) -> Option<Ordering> {
    let order = compare(one, other)?;
    let order = if side == Side::Lower { order.reverse() } else { order };
    Some(order.then(is_strict(other).cmp(&is_strict(one))))
}

/// Whether `one` takes the place of `other`: if it reaches as far as is wanted, or just as far and its value comes first,
/// so that the same one stays whatever the order was.
fn replaces(one: &Test, other: &Test, reach: Ordering, wanted: Ordering) -> bool {
    reach == wanted || (reach == Ordering::Equal && comes_first(one, other))
}

fn comes_first(one: &Test, other: &Test) -> bool {
    one.values.iter().zip(&other.values).any(|(one, other)| one.kind.order(&other.kind).is_lt())
}

fn compare(one: &Test, other: &Test) -> Option<Ordering> {
    order(&one.values.first()?.kind, &other.values.first()?.kind)
}

/// The order of two values, as the evaluator has it; `None` where it can't be told without rounding.
fn order(one: &ValueKind, other: &ValueKind) -> Option<Ordering> {
    /// 2^53: up to here each integer is a float.
    const EXACT: u64 = 1 << 53;
    let mixed = |integer: i64, float: f64| match whole(float) {
        Some(number) => Some(integer.cmp(&number)),
        None if integer.unsigned_abs() <= EXACT => (integer as f64).partial_cmp(&float),
        None => None,
    };
    match (one, other) {
        (ValueKind::Integer(one), ValueKind::Integer(other)) => Some(one.cmp(other)),
        (ValueKind::Float(one), ValueKind::Float(other)) => one.partial_cmp(other),
        (ValueKind::Integer(one), ValueKind::Float(other)) => mixed(*one, *other),
        (ValueKind::Float(one), ValueKind::Integer(other)) => mixed(*other, *one).map(Ordering::reverse),
        (ValueKind::Timestamp(one), ValueKind::Timestamp(other)) => {
            Some(one.parse::<Timestamp>().ok()?.cmp(&other.parse().ok()?))
        }
        _ => None,
    }
}
