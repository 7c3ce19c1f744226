//! Tests of one property become one test on a set.

use std::collections::{HashMap, HashSet};

use super::{
    super::{Condition, Node, Operator, Property, Test, Value, ValueKind},
    bounds,
    flatten::one_or,
};

/// Gathers the tests of a condition and of all in it.
pub(super) fn condition(node: Condition) -> Condition {
    match node.map_operands(condition) {
        Condition::All(operands) => one_or(gather(operands, joins_under_and), Condition::All),
        Condition::Any(operands) => {
            one_or(complement(bounds::loosest(gather(operands, joins_under_or))), Condition::Any)
        }
        test => test,
    }
}

/// Whether an AND of two such tests is one test on the values of both. Of `x[*]` one element may differ from one value
/// and another from the other.
pub(super) fn joins_under_and(test: &Test) -> bool {
    test.negated && test.operator == Operator::Equal && test.property.is_single()
}

/// Whether an OR of two such tests is one test on the values of both.
pub(super) fn joins_under_or(test: &Test) -> bool {
    !test.negated && matches!(test.operator, Operator::Equal | Operator::IsSubset) && !test.values.is_empty()
}

/// What tests have in common that differ in their values only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Kin {
    property: Property,
    operator: Operator,
    kind: Option<Kind>,
}

/// The kind of the values. It has an order, so that nothing depends on that of a map.
type Kind = u8;

impl Kin {
    pub(super) fn new(test: &Test) -> Self {
        let kind = test.values.first().map(|value| kind(&value.kind));
        Self { property: test.property.clone(), operator: test.operator, kind }
    }

    pub(super) fn has(&self, test: &Test) -> bool {
        self.property == test.property
            && self.operator == test.operator
            && self.kind == test.values.first().map(|value| kind(&value.kind))
    }
}

fn kind(kind: &ValueKind) -> Kind {
    match kind {
        ValueKind::Text(_) | ValueKind::Like(_) | ValueKind::Regex(_) => 0,
        ValueKind::Address(_) => 1,
        ValueKind::Domain(_) => 2,
        ValueKind::Url(_) => 3,
        ValueKind::Hash(_) => 4,
        ValueKind::Integer(_) => 5,
        ValueKind::Float(_) => 6,
        ValueKind::Boolean(_) => 7,
        ValueKind::Timestamp(_) => 8,
        ValueKind::Bytes(_) => 9,
    }
}

/// Joins the tests that `joins` allows and that differ in their values only.
pub(super) fn gather(operands: Vec<Condition>, joins: impl Fn(&Test) -> bool) -> Vec<Condition> {
    let joinable = |operand: &&Condition| matches!(operand, Condition::Test(test) if joins(test));
    if operands.iter().filter(joinable).take(2).count() < 2 {
        return operands;
    }
    let mut gathered: Vec<Condition> = Vec::new();
    let mut places: HashMap<Kin, usize> = HashMap::new();
    for operand in operands {
        let Condition::Test(test) = operand else {
            gathered.push(operand);
            continue;
        };
        if !joins(&test) {
            gathered.push(Condition::Test(test));
            continue;
        }
        let place = *places.entry(Kin::new(&test)).or_insert(gathered.len());
        match gathered.get_mut(place) {
            Some(Condition::Test(twin)) => add(twin, test),
            _ => gathered.push(Condition::Test(test)),
        }
    }
    gathered
}

/// Adds the values of a test to those of its kin.
pub(super) fn add(twin: &mut Test, test: Test) {
    twin.span = twin.span.to(test.span);
    twin.values.extend(test.values);
}

/// `x = 1 OR x != 1` holds for each value that is there. Of an order this is not true: some values have none.
fn complement(mut operands: Vec<Condition>) -> Vec<Condition> {
    // The negated tests, by one of their values, which a test that covers them has as well.
    let mut excluded: HashMap<(&Property, Operator, &ValueKind), Vec<usize>> = HashMap::new();
    for (at, operand) in operands.iter().enumerate() {
        if let Condition::Test(test) = operand
            && test.negated
            // EXISTS has no place for the type of what a reference points to.
            && test.property.referent.is_none()
            && let Some(first) = test.values.first()
        {
            excluded.entry((&test.property, test.operator, &first.kind)).or_default().push(at);
        }
    }
    if excluded.is_empty() {
        return operands;
    }
    let mut covered: HashSet<usize> = HashSet::new();
    let mut certain = Vec::new();
    for (at, operand) in operands.iter().enumerate() {
        let Some(test) = operand.as_test().filter(|test| !test.negated) else { continue };
        let own: HashSet<&Value> = test.values.iter().collect();
        let others = own.iter().filter_map(|value| excluded.get(&(&test.property, test.operator, &value.kind)));
        let is_covered = |other: &&usize| {
            operands[**other].as_test().is_some_and(|negated| negated.values.iter().all(|value| own.contains(value)))
        };
        if let Some(&other) = others.flatten().filter(is_covered).min() {
            certain.push((at, Test { operator: Operator::Exists, values: Vec::new(), ..test.clone() }));
            covered.insert(other);
        }
    }
    for (at, exists) in certain {
        operands[at] = Condition::Test(exists);
    }
    let mut at = 0;
    operands.retain(|_| {
        at += 1;
        !covered.contains(&(at - 1))
    });
    operands
}
