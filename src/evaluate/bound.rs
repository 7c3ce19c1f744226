//! How early an expression can be done: a lower bound, worked out for all moments at once.
//!
//! The bound of a node at moment `t` is the earliest moment at which the last of its observations can have begun, if
//! each of them ends at `t` or later. It is exact for the times, and leaves out that observations have to be different
//! ones (but for those of one set), so what it rules out is ruled out. It never falls as `t` grows, and costs for each
//! node time that grows with the number of moments.

use std::collections::BinaryHeap;

use super::{
    node::{Bound, Demand, Node, NodeKind},
    timeline::{NEVER, Set, Timeline},
};

/// The bound of a node of this kind.
pub(super) fn bound(kind: &NodeKind, sets: &[Set], time: &Timeline) -> Bound {
    let each = |nodes: &[Node]| nodes.iter().map(|node| node.bound.0.clone()).collect::<Vec<_>>();
    Bound(match kind {
        NodeKind::Bag(demands) => merged(demands.iter().map(|demand| of_demand(*demand, sets, time)), u32::max, time),
        NodeKind::All(nodes) => merged(each(nodes).into_iter(), u32::max, time),
        NodeKind::Any(nodes) => merged(each(nodes).into_iter(), u32::min, time),
        NodeKind::Then(nodes) => of_sequence(nodes, time),
        NodeKind::Within(span, node) => of_within(*span, node, time),
        NodeKind::Times(_, node) => node.bound.0.clone(),
    })
}

fn of_sequence(nodes: &[Node], time: &Timeline) -> Vec<u32> {
    let at = |low: u32| sequence(nodes, low).unwrap_or(NEVER);
    let mut bound: Vec<u32> = (0..time.len()).map(|low| at(u32::try_from(low).unwrap_or(NEVER))).collect();
    never_falling(&mut bound);
    bound
}

/// The first moment from which the node can be done in time is the best one to begin with.
fn of_within(span: i128, node: &Node, time: &Timeline) -> Vec<u32> {
    let mut bound = vec![NEVER; time.len()];
    let mut next = NEVER;
    for low in (0..time.len()).rev() {
        let done = node.bound.0[low];
        if done != NEVER && time.are_within(u32::try_from(low).unwrap_or(NEVER), done, span) {
            next = done;
        }
        bound[low] = next;
    }
    bound
}

/// The bound of one node after the other, if all end at `low` or later; `None` where it can't be.
pub(super) fn sequence(nodes: &[Node], low: u32) -> Option<u32> {
    let mut done = low;
    let mut latest = 0;
    for node in nodes {
        match node.bound.from(done) {
            NEVER => return None,
            next => {
                latest = latest.max(next);
                done = done.max(next);
            }
        }
    }
    Some(latest)
}

fn never_falling(bound: &mut [u32]) {
    let mut least = NEVER;
    for one in bound.iter_mut().rev() {
        least = least.min(*one);
        *one = least;
    }
}

fn merged(each: impl Iterator<Item = Vec<u32>>, choose: fn(u32, u32) -> u32, time: &Timeline) -> Vec<u32> {
    each.reduce(|mut one, other| {
        one.iter_mut().zip(other).for_each(|(one, other)| *one = choose(*one, other));
        one
    })
    .unwrap_or_else(|| vec![NEVER; time.len()])
}

/// Exact for one set: of those that end at the moment or later, the beginning of the `times`-th.
fn of_demand(demand: Demand, sets: &[Set], time: &Timeline) -> Vec<u32> {
    let mut members = sets[demand.set].order.clone();
    members.sort_unstable_by_key(|one| time.last[*one as usize]);
    // The earliest to begin that together are enough; the latest of them is on top.
    let mut earliest: BinaryHeap<(u32, u64)> = BinaryHeap::new();
    let mut enough: u128 = 0;
    let mut bound = vec![NEVER; time.len()];
    for low in (0..time.len()).rev() {
        while let Some(one) = members.last().map(|one| *one as usize).filter(|one| time.last[*one] as usize == low) {
            members.pop();
            earliest.push((time.first[one], time.number[one]));
            enough += u128::from(time.number[one]);
        }
        let needed = u128::from(demand.times);
        while let Some((_, number)) = earliest.peek().filter(|(_, number)| enough - u128::from(*number) >= needed) {
            enough -= u128::from(*number);
            earliest.pop();
        }
        if enough >= needed {
            bound[low] = earliest.peek().map_or(NEVER, |(first, _)| *first);
        }
    }
    bound
}
