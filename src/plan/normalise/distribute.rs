//! Common parts: `(a AND b) OR (a AND c)` is `a AND (b OR c)`, and both are found from either.
//!
//! A condition is multiplied out into alternatives that are conjunctions. Of these the absorbed ones go, which leaves
//! the same ones whatever the condition looked like; alternatives that differ in the values of one test become one; and
//! what is common to several is taken out in front of them.

use std::collections::{BTreeMap, HashMap};

use super::{
    super::{Condition, Node, Operator, Test},
    EXPANSION, Notes, absorb,
    flatten::{all, any},
    gather::{self, Kin, joins_under_and, joins_under_or},
    narrow,
    never::{Never, Possible},
    order, types,
};

/// How many values may be copied to multiply out.
const VALUES: usize = 1_000_000;

/// How often alternatives are merged by each property. Each time leaves less to do; this often is never needed.
const PASSES: usize = 8;

/// Finds the common parts of a condition and takes them out.
pub(super) fn condition(node: Condition, notes: &mut Notes) -> Possible {
    if !is_nested(&node) {
        return Ok(node);
    }
    if is_wide(&node) {
        return Ok(wide(node, notes));
    }
    let before = node.clone();
    let after = order::condition(rebuilt(node, notes)?);
    notes.again |= after != before;
    Ok(after)
}

/// Whether AND and OR stand in one another.
fn is_nested(node: &Condition) -> bool {
    node.operands().iter().any(|operand| operand.as_test().is_none())
}

fn rebuilt(node: Condition, notes: &mut Notes) -> Possible {
    let alternatives = count(&node);
    if alternatives <= EXPANSION && alternatives.saturating_mul(weight(&node)) <= VALUES {
        let mut possible = Vec::new();
        let mut never = Never::new();
        for tests in product(&node) {
            match conjunction(tests) {
                Ok(cube) => possible.push(cube),
                Err(reasons) => never.extend(reasons),
            }
        }
        return if possible.is_empty() { Err(never) } else { Ok(joined(possible, notes)) };
    }
    Ok(match node.try_map_operands(|operand| condition(operand, notes))? {
        Condition::All(operands) => all(operands),
        Condition::Any(operands) => any(operands),
        test => test,
    })
}

/// Whether it is an OR over ANDs, which needs no multiplication, of more alternatives than are searched for all that
/// they have in common.
fn is_wide(node: &Condition) -> bool {
    let Condition::Any(operands) = node else { return false };
    operands.len() > EXPANSION && !operands.iter().any(is_nested)
}

/// Merges many alternatives, which are in order and of which none absorbs another.
fn wide(node: Condition, notes: &mut Notes) -> Condition {
    let Condition::Any(operands) = node else { return node };
    let before = operands.len();
    let cubes = merged(operands.into_iter().map(named).collect());
    let is_changed = cubes.len() < before;
    notes.again |= is_changed;
    let node = any(cubes.into_iter().map(|cube| all(cube.into_values())));
    if is_changed { order::condition(node) } else { node }
}

/// How many alternatives there are when all is multiplied out.
fn count(node: &Condition) -> usize {
    match node {
        Condition::Test(_) => 1,
        Condition::Any(operands) => operands.iter().map(count).fold(0, usize::saturating_add),
        Condition::All(operands) => operands.iter().map(count).fold(1, usize::saturating_mul),
    }
}

/// How many tests and values there are.
fn weight(node: &Condition) -> usize {
    node.tests().map(|test| test.values.len() + 1).sum()
}

/// The alternatives, each a conjunction of tests.
fn product(node: &Condition) -> Vec<Vec<Test>> {
    match node {
        Condition::Test(test) => vec![vec![test.clone()]],
        Condition::Any(operands) => operands.iter().flat_map(product).collect(),
        Condition::All(operands) => operands.iter().fold(vec![Vec::new()], |left, operand| {
            let right = product(operand);
            left.iter().flat_map(|one| right.iter().map(|more| [one.as_slice(), more].concat())).collect()
        }),
    }
}

/// A conjunction in normal form.
fn conjunction(tests: Vec<Test>) -> Possible {
    let mut operands: Vec<Condition> = tests.into_iter().map(Condition::Test).collect();
    types::imply(&mut operands);
    if let Some(contradiction) = narrow::object_types(&operands) {
        return Err(vec![contradiction]);
    }
    let operands = gather::gather(operands, joins_under_and);
    Ok(order::condition(narrow::conjunction(operands)?))
}

/// An OR of conjunctions.
fn joined(cubes: Vec<Condition>, notes: &mut Notes) -> Condition {
    let cubes = match order::condition(any(cubes)) {
        Condition::Any(cubes) => absorb::absorbed(cubes, false, notes),
        single => vec![single],
    };
    factored(merged(cubes.into_iter().map(named).collect()))
}

fn named(cube: Condition) -> Cube {
    parts(cube).into_iter().map(|part| (part.to_string(), part)).collect()
}

fn parts(cube: Condition) -> Vec<Condition> {
    match cube {
        Condition::All(parts) => parts,
        single => vec![single],
    }
}

/// A conjunction, its parts by their texts.
type Cube = BTreeMap<String, Condition>;

/// Makes one of alternatives that differ in the values of one test only.
fn merged(cubes: Vec<Cube>) -> Vec<Cube> {
    let mut holders: BTreeMap<Kin, Vec<usize>> = BTreeMap::new();
    for (at, cube) in cubes.iter().enumerate() {
        for test in cube.values().filter_map(joinable) {
            holders.entry(Kin::new(test)).or_default().push(at);
        }
    }
    holders.retain(|_, cubes| cubes.len() > 1);
    let mut cubes: Vec<Option<Cube>> = cubes.into_iter().map(Some).collect();
    for _ in 0..PASSES {
        let changes = holders.iter().filter(|(kin, places)| merge_by(&mut cubes, kin, places)).count();
        if changes == 0 {
            break;
        }
    }
    cubes.into_iter().flatten().collect()
}

/// Merges those of the alternatives at `places` that differ in the values of their test of `kin` only; whether there are
/// any.
fn merge_by(cubes: &mut [Option<Cube>], kin: &Kin, places: &[usize]) -> bool {
    let mut changed = false;
    let mut firsts: HashMap<Vec<String>, usize> = HashMap::new();
    // What differs is taken out while others may add to it.
    let mut open: Vec<(usize, Test)> = Vec::new();
    for &place in places {
        let Some(cube) = &mut cubes[place] else { continue };
        let mut tests = cube.iter().filter(|(_, part)| joinable(part).is_some_and(|test| kin.has(test)));
        // Of a property with `[*]` there may be several, each about an element of its own.
        let (Some((text, _)), None) = (tests.next(), tests.next()) else { continue };
        let text = text.clone();
        let Some(Condition::Test(test)) = cube.remove(&text) else { continue };
        let first = *firsts.entry(cube.keys().cloned().collect()).or_insert(open.len());
        match open.get_mut(first) {
            Some((_, twin)) => {
                gather::add(twin, test);
                cubes[place] = None;
                changed = true;
            }
            None => open.push((place, test)),
        }
    }
    for (place, test) in open {
        let test = order::condition(Condition::Test(test));
        cubes[place].get_or_insert_default().insert(test.to_string(), test);
    }
    changed
}

fn joinable(part: &Condition) -> Option<&Test> {
    part.as_test().filter(|test| joins_under_or(test) && test.operator == Operator::Equal)
}

/// Takes the most frequent part out in front of the alternatives that have it, until none is left in two of them.
fn factored(mut cubes: Vec<Cube>) -> Condition {
    while let Some(part) = most_frequent(&cubes) {
        let (with, mut without): (Vec<Cube>, Vec<Cube>) = cubes.into_iter().partition(|cube| cube.contains_key(&part));
        let mut common = Cube::new();
        let mut rests = Vec::with_capacity(with.len());
        for mut cube in with {
            common.extend(cube.remove_entry(&part));
            rests.push(cube);
        }
        // An alternative that is nothing but the common part holds for all of them.
        if !rests.iter().any(Cube::is_empty) {
            common.extend(parts(order::condition(factored(rests))).into_iter().map(|part| (part.to_string(), part)));
        }
        without.push(common);
        cubes = without;
    }
    any(cubes.into_iter().map(|cube| all(cube.into_values())))
}

/// The part that most alternatives have, of several the first by its text; `None` where no two have one in common.
fn most_frequent(cubes: &[Cube]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    cubes.iter().flat_map(Cube::keys).for_each(|part| *counts.entry(part).or_default() += 1);
    let most = counts.values().copied().max().filter(|most| *most > 1)?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(part, _)| part.to_owned())
}
