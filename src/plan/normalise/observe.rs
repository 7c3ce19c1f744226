//! Several observations: those that are equal are counted, those that say more than another are absorbed, and those that
//! differ in one pair of brackets become one.

use std::{cell::Cell, collections::HashMap};

use super::{
    super::{Condition, Node, Observation, Plan},
    EXPANSION, Notes,
    absorb::test_implies,
    flatten::{all_of, any, any_of, joined, repeated, then_of},
    order,
};
use crate::span::Span;

/// How many comparisons of parts absorption may take; what is left after them is redundant, not wrong.
const COMPARISONS: usize = 1_000_000;

/// The step.
pub(super) fn step(plan: Plan, notes: &mut Notes) -> Plan {
    if let Observation::Match(_) = plan.observation {
        return plan;
    }
    let before = plan.observation.clone();
    let observation = order::observation(observe(plan.observation));
    notes.again |= observation != before;
    Plan { observation }
}

fn observe(node: Observation) -> Observation {
    match node.map_operands(observe) {
        Observation::All(operands, span) => all(operands, span),
        Observation::Any(operands, span) => alternatives(operands, span),
        Observation::Then(operands, span) => chain(operands, span),
        Observation::Repeat { of, times, span } => repeated(*of, times, span),
        other => other,
    }
}

/// AND: `[a] AND [a]` is `[a] REPEATS 2 TIMES`.
fn all(operands: Vec<Observation>, span: Span) -> Observation {
    let operands = match all_of(operands, span) {
        Observation::All(operands, _) => operands,
        single => return single,
    };
    if let Some(products) = multiplied(&operands) {
        return alternatives(products.into_iter().map(|operands| all(operands, span)).collect(), span);
    }
    let mut counted: Vec<(Observation, u64)> = Vec::new();
    let mut places: HashMap<Observation, usize> = HashMap::new();
    for operand in operands {
        let (of, times) = match operand {
            Observation::Repeat { of, times, .. } => (*of, times),
            other => (other, 1),
        };
        let place = *places.entry(of.clone()).or_insert(counted.len());
        match counted.get_mut(place) {
            Some((_, sum)) => *sum = sum.saturating_add(times),
            None => counted.push((of, times)),
        }
    }
    all_of(counted.into_iter().map(|(of, times)| repeated(of, times, span)), span)
}

/// FOLLOWEDBY.
fn chain(operands: Vec<Observation>, span: Span) -> Observation {
    let flat = then_of(operands, span);
    match &flat {
        Observation::Then(operands, _) => match multiplied(operands) {
            Some(products) => {
                alternatives(products.into_iter().map(|operands| then_of(operands, span)).collect(), span)
            }
            None => flat,
        },
        _ => flat,
    }
}

/// AND or FOLLOWEDBY over OR, multiplied out; `None` where there is no OR, or too much to multiply.
///
/// Single observations under OR are in one pair of brackets already, so what is left here are seldom more than a few.
fn multiplied(operands: &[Observation]) -> Option<Vec<Vec<Observation>>> {
    let width = |operand: &Observation| match operand {
        Observation::Any(alternatives, _) => alternatives.len(),
        _ => 1,
    };
    let all = operands.iter().map(width).fold(1, usize::saturating_mul);
    if all > EXPANSION || !operands.iter().any(|operand| matches!(operand, Observation::Any(..))) {
        return None;
    }
    Some(operands.iter().fold(vec![Vec::new()], |left, operand| {
        let right = match operand {
            Observation::Any(alternatives, _) => alternatives.as_slice(),
            one => std::slice::from_ref(one),
        };
        left.iter()
            .flat_map(|one| right.iter().map(|more| [one.as_slice(), std::slice::from_ref(more)].concat()))
            .collect()
    }))
}

/// OR.
fn alternatives(operands: Vec<Observation>, span: Span) -> Observation {
    let flat = match any_of(operands, span) {
        Observation::Any(operands, _) => joined(operands, span),
        single => single,
    };
    let operands = match order::observation(flat) {
        Observation::Any(operands, _) => operands,
        single => return single,
    };
    if operands.len() > EXPANSION {
        return Observation::Any(operands, span);
    }
    any_of(merged(absorbed(operands), span), span)
}

/// The operands that no other one absorbs.
fn absorbed(operands: Vec<Observation>) -> Vec<Observation> {
    let comparison = Comparison { left: Cell::new(COMPARISONS) };
    let mut kept: Vec<Observation> = Vec::new();
    for operand in operands {
        if kept.iter().any(|general| comparison.is_part(general, &operand)) {
            continue;
        }
        kept.retain(|special| !comparison.is_part(&operand, special));
        kept.push(operand);
    }
    kept
}

struct Comparison {
    left: Cell<usize>,
}

impl Comparison {
    /// Takes the cost of a comparison; whether there is any left.
    fn may_go_on(&self, cost: usize) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(cost));
        left > 0
    }

    /// Whether all observations that satisfy `special` have some among them that satisfy `general`.
    fn is_part(&self, general: &Observation, special: &Observation) -> bool {
        if !self.may_go_on(1) {
            return false;
        }
        let inside = match special {
            Observation::Match(special) => {
                return matches!(general, Observation::Match(general) if self.implies(special, general));
            }
            Observation::All(operands, _) => {
                matches!(general, Observation::All(parts, _) if self.are_among(parts, operands))
                    || operands.iter().any(|operand| self.is_part(general, operand))
            }
            Observation::Then(operands, _) => {
                (match general {
                    Observation::Then(parts, _) => self.are_in_order(parts, operands),
                    Observation::All(parts, _) => self.are_among(parts, operands),
                    _ => false,
                }) || operands.iter().any(|operand| self.is_part(general, operand))
            }
            Observation::Any(operands, _) => operands.iter().all(|operand| self.is_part(general, operand)),
            Observation::Within { of, .. } | Observation::Repeat { of, .. } | Observation::During { of, .. } => {
                self.is_part(general, of)
            }
        };
        inside || self.is_same(general, special)
    }

    /// Equal, or one repeated less often.
    fn is_same(&self, general: &Observation, special: &Observation) -> bool {
        match (general, special) {
            (
                Observation::Repeat { of: general, times: fewer, .. },
                Observation::Repeat { of: special, times: more, .. },
            ) => fewer <= more && self.is_part(general, special),
            _ => general == special,
        }
    }

    /// Whether each part is in an operand of its own. The first one that fits is taken.
    fn are_among(&self, parts: &[Observation], operands: &[Observation]) -> bool {
        let mut open: Vec<&Observation> = operands.iter().collect();
        parts.len() <= open.len()
            && parts.iter().all(|part| {
                let at = open.iter().position(|operand| self.is_part(part, operand));
                at.map(|at| open.remove(at)).is_some()
            })
    }

    /// The same, in order.
    fn are_in_order(&self, parts: &[Observation], operands: &[Observation]) -> bool {
        let mut operands = operands.iter();
        parts.iter().all(|part| operands.any(|operand| self.is_part(part, operand)))
    }

    fn implies(&self, special: &Condition, general: &Condition) -> bool {
        let cost = |condition: &Condition| match condition {
            Condition::Test(test) => test.values.len(),
            _ => 1,
        };
        if !self.may_go_on(cost(special) + cost(general)) {
            return false;
        }
        match (special, general) {
            (Condition::Any(operands), _) => operands.iter().all(|operand| self.implies(operand, general)),
            (_, Condition::All(operands)) => operands.iter().all(|operand| self.implies(special, operand)),
            (Condition::Test(special), Condition::Test(general)) => test_implies(special, general),
            (Condition::All(operands), Condition::Any(others)) => {
                operands.iter().any(|operand| self.implies(operand, general))
                    || others.iter().any(|other| self.implies(special, other))
            }
            (Condition::All(operands), Condition::Test(_)) => {
                operands.iter().any(|operand| self.implies(operand, general))
            }
            (Condition::Test(_), Condition::Any(others)) => others.iter().any(|other| self.implies(special, other)),
        }
    }
}

/// How many parts of operands may be copied to find those that differ in one only.
const PARTS: usize = 100_000;

/// Makes one of alternatives that differ in one pair of brackets only.
fn merged(mut operands: Vec<Observation>, span: Span) -> Vec<Observation> {
    let width = |operand: &Observation| match operand {
        Observation::All(parts, _) | Observation::Then(parts, _) => parts.len(),
        _ => 0,
    };
    if operands.iter().map(|operand| width(operand).pow(2)).sum::<usize>() > PARTS {
        return operands;
    }
    while let Some((at, part, twins)) = mergeable(&operands) {
        let mut conditions = Vec::new();
        for (twin, place) in &twins {
            conditions.extend(single(&operands[*twin], *place).cloned());
        }
        let (mut parts, combine): (_, fn(Vec<Observation>, Span) -> Observation) = match operands[at].clone() {
            Observation::All(parts, _) => (parts, all_of),
            Observation::Then(parts, _) => (parts, then_of),
            _ => return operands,
        };
        parts[part] = order::observation(Observation::Match(any(conditions)));
        let whole = combine(parts, span);
        let mut at = 0;
        operands.retain(|_| {
            at += 1;
            !twins.iter().any(|(twin, _)| *twin == at - 1)
        });
        operands.push(order::observation(whole));
        operands.sort_by_cached_key(ToString::to_string);
    }
    operands
}

/// An operand, one of its parts, and all operands that differ from it in this part only, with the places where they do.
type Twins = (usize, usize, Vec<(usize, usize)>);

/// All of an operand but one part: whether it is a chain, the place of the part in it, and the others.
type Rest<'o> = (bool, usize, Vec<&'o Observation>);

fn mergeable(operands: &[Observation]) -> Option<Twins> {
    let mut rests: HashMap<Rest<'_>, Vec<(usize, usize)>> = HashMap::new();
    let mut keys = Vec::new();
    for (at, operand) in operands.iter().enumerate() {
        let (parts, is_chain) = match operand {
            Observation::All(parts, _) => (parts, false),
            Observation::Then(parts, _) => (parts, true),
            _ => continue,
        };
        for place in 0..parts.len() {
            if single(operand, place).is_some() {
                let mut rest: Vec<&Observation> = parts.iter().collect();
                rest.remove(place);
                let key = (is_chain, if is_chain { place } else { 0 }, rest);
                let twins = rests.entry(key.clone()).or_default();
                // `[a] AND [a]` is REPEATS, so no operand is here twice with one key.
                twins.push((at, place));
                keys.push(key);
            }
        }
    }
    let key = keys.into_iter().find(|key| rests.get(key).is_some_and(|twins| twins.len() > 1))?;
    let twins = rests.remove(&key)?;
    let (at, part) = *twins.first()?;
    Some((at, part, twins))
}

fn single(operand: &Observation, place: usize) -> Option<&Condition> {
    let (Observation::All(parts, _) | Observation::Then(parts, _)) = operand else { return None };
    match parts.get(place) {
        Some(Observation::Match(condition)) => Some(condition),
        _ => None,
    }
}
