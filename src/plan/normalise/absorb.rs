//! `a OR (a AND b)` is `a`, and so is `a AND (a OR b)`.
//!
//! Each operand is a set of parts. Under OR an operand is absorbed by one whose parts it all has, for then it says more;
//! under AND likewise. To find such a pair an operand looks only at those that share its rarest part with it, so that a
//! list of a hundred thousand takes no longer than printing it.

use std::{collections::HashMap, mem::discriminant};

use super::{
    super::{Condition, Node, Test, Value},
    Notes,
    flatten::{all, any},
    gather::{Kin, joins_under_or},
    order,
};

/// How many pairs of parts are looked at, at most. Only operands made for the purpose need more; those of them that
/// are left are redundant, not wrong.
const PAIRS: usize = 4_000_000;

/// Removes what is absorbed from a condition whose operands are in order.
pub(super) fn condition(node: Condition, notes: &mut Notes) -> Condition {
    match node.map_operands(|operand| condition(operand, notes)) {
        Condition::All(operands) => all(absorbed(operands, true, notes)),
        Condition::Any(operands) => any(absorbed(operands, false, notes)),
        test => test,
    }
}

/// The operands that no other one absorbs; `under_and` says whether they are joined by AND.
pub(super) fn absorbed(operands: Vec<Condition>, under_and: bool, notes: &mut Notes) -> Vec<Condition> {
    if operands.iter().all(|operand| matches!(operand, Condition::Test(_))) {
        return operands;
    }
    let dead = find(&operands, under_and);
    notes.again |= dead.contains(&true);
    operands.into_iter().zip(dead).filter(|(_, dead)| !dead).map(|(operand, _)| operand).collect()
}

fn find(operands: &[Condition], under_and: bool) -> Vec<bool> {
    let index = Index::new(operands, under_and);
    let mut dead = vec![false; operands.len()];
    let mut left = PAIRS;
    for at in 0..operands.len() {
        if dead[at] {
            continue;
        }
        for other in index.candidates(at, under_and) {
            if left == 0 {
                return dead;
            }
            left = left.saturating_sub(index.sets[at].len() * index.sets[other].len());
            if other != at && !dead[other] && absorbs(index.sets[at], index.sets[other], under_and) {
                dead[other] = true;
            }
        }
    }
    dead
}

/// What a part is found by.
#[derive(PartialEq, Eq, Hash)]
enum Atom<'c> {
    /// A value of a test that holds for one of several.
    Value(Kin, &'c Value),
    Part(&'c Condition),
}

/// Which operand has which parts.
struct Index<'c> {
    /// The parts of each operand.
    sets: Vec<&'c [Condition]>,
    /// What each part is found by, by number.
    atoms: Vec<Vec<Vec<usize>>>,
    /// The operands that have an atom.
    holders: Vec<Vec<usize>>,
}

impl<'c> Index<'c> {
    fn new(operands: &'c [Condition], under_and: bool) -> Self {
        let mut numbers: HashMap<Atom<'_>, usize> = HashMap::new();
        let mut holders: Vec<Vec<usize>> = Vec::new();
        let mut atoms = Vec::with_capacity(operands.len());
        let sets: Vec<&[Condition]> = operands.iter().map(|operand| parts(operand, under_and)).collect();
        for (at, set) in sets.iter().enumerate() {
            let mut number = |atom| {
                let number = *numbers.entry(atom).or_insert(holders.len());
                if number == holders.len() {
                    holders.push(Vec::new());
                }
                if holders[number].last() != Some(&at) {
                    holders[number].push(at);
                }
                number
            };
            let of_part = |part: &'c Condition| match part {
                Condition::Test(test) if joins_under_or(test) => {
                    test.values.iter().map(|value| number(Atom::Value(Kin::new(test), value))).collect()
                }
                other => vec![number(Atom::Part(other))],
            };
            atoms.push(set.iter().map(of_part).collect());
        }
        Self { sets, atoms, holders }
    }

    /// The operands that may have all parts of one: those that have its rarest.
    fn candidates(&self, at: usize, under_and: bool) -> Vec<usize> {
        let lists = |part: &Vec<usize>| {
            let mut lists: Vec<&Vec<usize>> = part.iter().map(|atom| &self.holders[*atom]).collect();
            if under_and {
                // What is implied by a set has all of its values, so one of them is enough to find it.
                lists.sort_by_key(|list| list.len());
                lists.truncate(1);
            }
            lists
        };
        let length = |lists: &Vec<&Vec<usize>>| lists.iter().map(|list| list.len()).sum::<usize>();
        let rarest = self.atoms[at].iter().map(lists).min_by_key(length);
        let mut found: Vec<usize> = rarest.into_iter().flatten().flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn parts(operand: &Condition, under_and: bool) -> &[Condition] {
    match (operand, under_and) {
        (Condition::All(parts), false) | (Condition::Any(parts), true) => parts,
        _ => std::slice::from_ref(operand),
    }
}

fn absorbs(set: &[Condition], other: &[Condition], under_and: bool) -> bool {
    set.iter()
        .all(|part| other.iter().any(|one| if under_and { part_implies(part, one) } else { part_implies(one, part) }))
}

fn part_implies(one: &Condition, other: &Condition) -> bool {
    match (one, other) {
        (Condition::Test(one), Condition::Test(other)) => test_implies(one, other),
        (Condition::Test(_), _) | (_, Condition::Test(_)) => false,
        (one, other) => one == other,
    }
}

/// Whether `other` holds wherever `one` does: both are the same test, on values of which `other` has more, or under NOT
/// fewer.
pub(super) fn test_implies(one: &Test, other: &Test) -> bool {
    // The values are in order.
    let is_part = |few: &Test, many: &Test| {
        let has = |value| many.values.binary_search_by(|twin| order::compare(many, twin, value)).is_ok();
        few.values.len() <= many.values.len() && few.values.iter().all(has)
    };
    one.property == other.property
        && one.operator == other.operator
        && one.negated == other.negated
        && one.values.first().map(|value| discriminant(&value.kind))
            == other.values.first().map(|value| discriminant(&value.kind))
        && if one.negated { is_part(other, one) } else { is_part(one, other) }
}
