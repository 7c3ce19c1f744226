//! A pattern over one set of data: each `[…]` replaced by the observations that satisfy it, and simplified.

use std::collections::HashMap;

use super::{
    bound::bound,
    data::Observations,
    node::{Demand, Node, NodeKind},
    query::{Interval, Query},
    timeline::{Set, Timeline},
};

/// The observations that satisfy each condition, and what is made of them.
pub(super) struct Builder<'a> {
    data: &'a Observations,
    time: &'a Timeline,
    /// For each condition, the observations that satisfy it, in order.
    satisfied: &'a [Vec<u32>],
    capacity: u64,
    pub(super) sets: Vec<Set>,
    known: HashMap<Vec<u32>, usize>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(data: &'a Observations, time: &'a Timeline, satisfied: &'a [Vec<u32>]) -> Self {
        let capacity = time.number.iter().fold(0_u64, |sum, number| sum.saturating_add(*number));
        Self { data, time, satisfied, capacity, sets: Vec::new(), known: HashMap::new() }
    }

    /// The node of `query`, seen in all of `intervals`; `None` where it can't be found.
    pub(super) fn node(&mut self, query: &Query, intervals: &mut Vec<Interval>) -> Option<Node> {
        match query {
            Query::Single(condition) => {
                let members = self.inside(*condition, intervals);
                self.single(members)
            }
            Query::All(operands) => {
                let nodes = operands.iter().map(|operand| self.node(operand, intervals)).collect::<Option<Vec<_>>>()?;
                self.all(nodes)
            }
            Query::Any(operands) => self.any(operands, intervals),
            Query::Then(operands) => {
                let nodes = operands.iter().map(|operand| self.node(operand, intervals)).collect::<Option<Vec<_>>>()?;
                self.finished(NodeKind::Then(nodes))
            }
            Query::Within(span, inner) => {
                let inner = self.node(inner, intervals)?;
                match &inner.kind {
                    // One observation is always within any time.
                    NodeKind::Bag(demands) if matches!(demands[..], [Demand { times: 1, .. }]) => Some(inner),
                    _ => self.finished(NodeKind::Within(*span, Box::new(inner))),
                }
            }
            Query::Times(times, inner) => {
                let inner = self.node(inner, intervals)?;
                self.times(*times, inner)
            }
            Query::During(interval, inner) => {
                intervals.push(*interval);
                let node = self.node(inner, intervals);
                intervals.pop();
                node
            }
        }
    }

    /// The observations that satisfy a condition and overlap all intervals.
    fn inside(&self, condition: usize, intervals: &[Interval]) -> Vec<u32> {
        let overlaps = |one: &&u32| {
            let observation = &self.data.all[**one as usize];
            let (first, last) = (observation.first_observed, observation.last_observed);
            intervals.iter().all(|interval| interval.overlaps(first, last))
        };
        self.satisfied[condition].iter().filter(overlaps).copied().collect()
    }

    /// Whether a node is one observation of a set.
    fn is_single(node: &Node) -> Option<usize> {
        match &node.kind {
            NodeKind::Bag(demands) => match demands[..] {
                [Demand { set, times: 1 }] => Some(set),
                _ => None,
            },
            _ => None,
        }
    }

    fn single(&mut self, members: Vec<u32>) -> Option<Node> {
        if members.is_empty() {
            return None;
        }
        let set = match self.known.get(&members) {
            Some(set) => *set,
            None => {
                self.known.insert(members.clone(), self.sets.len());
                self.sets.push(Set::new(members, self.time));
                self.sets.len() - 1
            }
        };
        self.finished(NodeKind::Bag(vec![Demand { set, times: 1 }]))
    }

    /// AND: bags are put into one.
    fn all(&mut self, nodes: Vec<Node>) -> Option<Node> {
        let mut bag: Vec<Demand> = Vec::new();
        let mut rest = Vec::new();
        let mut flat: Vec<Node> = Vec::new();
        for node in nodes {
            match node.kind {
                NodeKind::All(inner) => flat.extend(inner),
                _ => flat.push(node),
            }
        }
        for node in flat {
            match node.kind {
                NodeKind::Bag(demands) => {
                    for demand in demands {
                        match bag.iter_mut().find(|other| other.set == demand.set) {
                            Some(other) => other.times = other.times.saturating_add(demand.times),
                            None => bag.push(demand),
                        }
                    }
                }
                _ => rest.push(node),
            }
        }
        if rest.is_empty() {
            return self.bag(bag);
        }
        if !bag.is_empty() {
            rest.insert(0, self.bag(bag)?);
        }
        self.finished(NodeKind::All(rest))
    }

    fn bag(&self, bag: Vec<Demand>) -> Option<Node> {
        let needed = bag.iter().fold(0_u64, |sum, demand| sum.saturating_add(demand.times));
        if needed > self.capacity { None } else { self.finished(NodeKind::Bag(bag)) }
    }

    /// OR: single observations are put into one set.
    fn any(&mut self, operands: &[Query], intervals: &mut Vec<Interval>) -> Option<Node> {
        let mut members: Vec<u32> = Vec::new();
        let mut nodes = Vec::new();
        for operand in operands {
            let Some(node) = self.node(operand, intervals) else { continue };
            match Self::is_single(&node) {
                Some(set) => members.extend(&self.sets[set].order),
                None => nodes.push(node),
            }
        }
        members.sort_unstable();
        members.dedup();
        if let Some(single) = self.single(members) {
            nodes.insert(0, single);
        }
        match nodes.len() {
            0 | 1 => nodes.pop(),
            _ => self.finished(NodeKind::Any(nodes)),
        }
    }

    fn times(&mut self, times: u64, inner: Node) -> Option<Node> {
        if times == 1 {
            return Some(inner);
        }
        if times > self.capacity {
            return None;
        }
        match inner.kind {
            NodeKind::Bag(mut bag) => {
                bag.iter_mut().for_each(|demand| demand.times = demand.times.saturating_mul(times));
                self.bag(bag)
            }
            NodeKind::Times(more, inner) => {
                let times = times.saturating_mul(more);
                if times > self.capacity { None } else { self.finished(NodeKind::Times(times, inner)) }
            }
            _ => self.finished(NodeKind::Times(times, Box::new(inner))),
        }
    }

    /// Adds the bound; `None` where it says that the node can't be found.
    fn finished(&self, kind: NodeKind) -> Option<Node> {
        let bound = bound(&kind, &self.sets, self.time);
        bound.is_possible().then_some(Node { kind, bound })
    }
}
