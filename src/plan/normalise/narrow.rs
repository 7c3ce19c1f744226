//! What several tests of one object say together: what another test says already is removed, and what can't be true
//! together is found.

use std::collections::HashMap;

use ipnet::IpNet;

use super::{
    super::{Condition, Operator, Test, Value, ValueKind},
    Notes, bounds, equal,
    flatten::all,
    never::{Contradiction, Never, Possible, alternatives, clash, tests},
    places,
};

/// How many values are held against how many tests, at most. What is not decided for lack of time stays as it is.
const PAIRS: usize = 1_000_000;

/// Narrows a condition and all in it.
pub(super) fn condition(node: Condition, notes: &mut Notes) -> Possible {
    match node {
        Condition::Test(test) if is_empty(&test) => Err(vec![Contradiction::of_nothing(&test)]),
        Condition::Test(test) => Ok(Condition::Test(test)),
        Condition::Any(operands) => {
            let operands: Vec<Possible> = operands.into_iter().map(|operand| condition(operand, notes)).collect();
            alternatives(operands, notes)
        }
        Condition::All(operands) => {
            let operands: Result<Vec<Condition>, Never> =
                operands.into_iter().map(|operand| condition(operand, notes)).collect();
            match all(operands?) {
                Condition::All(operands) => conjunction(operands),
                single => Ok(single),
            }
        }
    }
}

/// IN over nothing.
fn is_empty(test: &Test) -> bool {
    test.operator == Operator::Equal && !test.negated && test.values.is_empty()
}

/// Narrows the operands of one AND.
pub(super) fn conjunction(mut operands: Vec<Condition>) -> Possible {
    let mut never: Never = reference_types(&operands);
    never.extend(places::settle(&mut operands));
    let Some((groups, rest)) = grouped(&operands) else {
        return if never.is_empty() { Ok(all(operands)) } else { Err(never) };
    };
    let mut kept = Vec::new();
    for mut group in groups {
        group.sort_by_key(|test| test.span);
        match settle(group) {
            Ok(tests) => kept.extend(tests.into_iter().map(Condition::Test)),
            Err(contradiction) => never.push(contradiction),
        }
    }
    if never.is_empty() { Ok(all(kept.into_iter().chain(rest))) } else { Err(never) }
}

/// The tests by their properties, and the other operands; `None` where each test is about a property of its own.
fn grouped(operands: &[Condition]) -> Option<(Vec<Vec<Test>>, Vec<Condition>)> {
    let mut paths: Vec<&str> = tests(operands).map(|test| test.property.path.as_ref()).collect();
    paths.sort_unstable();
    if paths.windows(2).all(|pair| pair[0] != pair[1]) {
        return None;
    }
    let mut groups: Vec<Vec<Test>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut rest = Vec::new();
    for operand in operands {
        let Condition::Test(test) = operand else {
            rest.push(operand.clone());
            continue;
        };
        let place = *places.entry(test.property.path.as_ref()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(test.clone()),
            None => groups.push(vec![test.clone()]),
        }
    }
    Some((groups, rest))
}

/// No object is of two types. Where a pattern says so in so many words, the type check has refused it; what is left are
/// combinations of alternatives.
pub(super) fn object_types(operands: &[Condition]) -> Option<Contradiction> {
    let mut tests = tests(operands);
    let first = tests.next()?;
    let other = tests.find(|test| test.property.object_type() != first.property.object_type())?;
    Some(Contradiction {
        help: "give each type brackets of its own, and join them with AND",
        ..Contradiction::between(first, other)
    })
}

/// No reference points to an object of one type whose value is of another.
fn reference_types(operands: &[Condition]) -> Vec<Contradiction> {
    /// Each is held against all operands.
    const TYPES: usize = 64;
    let types: Vec<(&str, &Test)> = tests(operands)
        .filter(|test| test.operator == Operator::Equal)
        .filter_map(|test| Some((test.property.path.strip_suffix("_ref.type")?, test)))
        .take(TYPES)
        .collect();
    if types.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for test in tests(operands).filter(|test| !test.negated) {
        let Some(referent) = test.property.referent.as_deref() else { continue };
        let Some(prefix) = test.property.path.strip_suffix("_ref.value") else { continue };
        let excludes = |(path, other): &&(&str, &Test)| {
            let named =
                other.values.iter().any(|value| matches!(&value.kind, ValueKind::Text(kind) if kind == referent));
            *path == prefix && named == other.negated && test.property.is_single()
        };
        found.extend(types.iter().find(excludes).map(|(_, other)| Contradiction {
            help: "name the type that the value is of, or leave the type test away",
            ..clash(other, test)
        }));
    }
    found
}

/// Settles the tests of one property, which are in the order of the pattern.
fn settle(tests: Vec<Test>) -> Result<Vec<Test>, Contradiction> {
    if tests.len() == 1 {
        return Ok(tests);
    }
    let tests = existence(tests)?;
    if tests.len() < 2 || !tests[0].property.is_single() {
        return Ok(tests);
    }
    let tests = equal::settle(tests)?;
    let tests = bounds::settle(tests)?;
    let tests = prefixes(tests)?;
    opposites(&tests)?;
    Ok(tests)
}

/// Every other test says EXISTS already, and contradicts NOT EXISTS.
fn existence(tests: Vec<Test>) -> Result<Vec<Test>, Contradiction> {
    if let Some(absence) = tests.iter().find(|test| test.is_absence()) {
        return match tests.iter().find(|test| !test.is_absence()) {
            Some(other) => Err(clash(other, absence)),
            None => Ok(vec![absence.clone()]),
        };
    }
    let (mut presence, others): (Vec<Test>, Vec<Test>) =
        tests.into_iter().partition(|test| test.operator == Operator::Exists);
    presence.truncate(1);
    Ok(if others.is_empty() { presence } else { others })
}

/// Prefixes lie in one another or have nothing in common.
fn prefixes(tests: Vec<Test>) -> Result<Vec<Test>, Contradiction> {
    let all: usize = tests.iter().map(|test| test.values.len()).sum();
    if all.saturating_mul(all) > PAIRS {
        return Ok(tests);
    }
    let is_inside = |test: &Test| test.operator == Operator::IsSubset && !test.negated && nets(test).is_some();
    let (inside, mut others): (Vec<Test>, Vec<Test>) = tests.into_iter().partition(is_inside);
    let mut inside = inside.into_iter();
    let Some(mut known) = inside.next() else { return Ok(others) };
    for test in inside {
        let values: Vec<Value> =
            known.values.iter().flat_map(|one| test.values.iter().filter_map(|other| narrower(one, other))).collect();
        if values.is_empty() {
            return Err(clash(&known, &test));
        }
        known = Test { values, span: known.span.to(test.span), ..known };
    }
    let mut contradiction = None;
    others.retain(|test| {
        let (Some(outer), true) = (nets(test), test.operator == Operator::IsSubset && test.negated) else {
            return true;
        };
        let mut left = known.values.clone();
        left.retain(|value| !net(value).is_some_and(|own| outer.iter().any(|outer| contains(outer, &own))));
        if left.is_empty() {
            contradiction = contradiction.take().or(Some(clash(&known, test)));
        }
        known.values = left;
        let touches = |value: &Value| net(value).is_some_and(|own| outer.iter().any(|one| contains(&own, one)));
        known.values.iter().any(touches)
    });
    if let Some(contradiction) = contradiction {
        return Err(contradiction);
    }
    others.push(known);
    Ok(others)
}

fn net(value: &Value) -> Option<IpNet> {
    match &value.kind {
        ValueKind::Address(net) => Some(*net),
        _ => None,
    }
}

fn nets(test: &Test) -> Option<Vec<IpNet>> {
    test.values.iter().map(net).collect()
}

fn contains(outer: &IpNet, inner: &IpNet) -> bool {
    outer.addr().is_ipv4() == inner.addr().is_ipv4() && outer.contains(inner)
}

fn narrower(one: &Value, other: &Value) -> Option<Value> {
    let (first, second) = (net(one)?, net(other)?);
    if contains(&first, &second) { Some(other.clone()) } else { contains(&second, &first).then(|| one.clone()) }
}

/// A test and the same test under NOT.
fn opposites(tests: &[Test]) -> Result<(), Contradiction> {
    let key =
        |test: &Test| (test.operator, test.property.referent.clone(), test.values.first().map(ToString::to_string));
    let single = |test: &&Test| test.values.len() == 1;
    let positive: HashMap<_, &Test> =
        tests.iter().filter(single).filter(|test| !test.negated).map(|test| (key(test), test)).collect();
    for negated in tests.iter().filter(single).filter(|test| test.negated) {
        if let Some(test) = positive.get(&key(negated)) {
            return Err(clash(test, negated));
        }
    }
    Ok(())
}
