//! Finds different observations that satisfy a tree.
//!
//! What the times ask of a node comes down to two borders: each of its observations ends at `low` or later and begins at
//! `high` or earlier. For `a WITHIN s` there is such a `low` with `high` at most `s` behind it; for `a FOLLOWEDBY b`
//! there is a moment that is the `high` of `a` and the `low` of `b`. The search chooses these moments, from the
//! earliest on, and passes over all that the bounds rule out. Once all are chosen, only the question is left whether
//! there are enough different observations inside the borders, and a maximum flow answers that exactly. The same
//! flow, over what is not chosen yet, ends a branch as soon as it is short of observations.

use super::{
    bound,
    error::EvaluateError,
    flow::{Budget, Want, serve},
    node::{Node, NodeKind},
    timeline::{NEVER, Set, Timeline},
};

/// What is still to be found.
#[derive(Debug, Clone, Copy)]
enum Goal<'t> {
    /// The node, so many times. Equal copies are looked for in the order of their keys, from `floor` on.
    Find { node: &'t Node, times: u64, low: u32, high: u32, floor: u32 },
    /// The nodes one after the other, the first from `low` on.
    Sequence { nodes: &'t [Node], low: u32, high: u32 },
}

/// A choice that was made and can be made otherwise.
struct Frame<'t> {
    goal: Goal<'t>,
    /// The goals besides.
    pending: Vec<Goal<'t>>,
    /// How many wants there were.
    wants: usize,
    /// The least key to choose next.
    next: u32,
}

/// Looks for different observations that satisfy `root`: their indices in order, or `None` if there are none.
///
/// # Errors
/// If the budget is spent before that is known.
pub(super) fn search(
    root: &Node,
    sets: &[Set],
    time: &Timeline,
    budget: &mut Budget,
) -> Result<Option<Vec<u32>>, EvaluateError> {
    let mut search = Search { sets, time, wants: Vec::new(), frames: Vec::new() };
    let whole = Goal::Find { node: root, times: 1, low: 0, high: NEVER - 1, floor: 0 };
    let mut pending = vec![whole];
    if !search.is_served(&pending, budget)? {
        return Ok(None);
    }
    loop {
        // Goals without a choice are taken apart until one with a choice is on top.
        match search.next_choice(&mut pending) {
            Some(goal) => {
                let next = goal.floor();
                search.frames.push(Frame { goal, pending, wants: search.wants.len(), next });
            }
            None => {
                let mut wants = search.wants.clone();
                if let Some(found) = serve(&mut wants, sets, time, budget)? {
                    return Ok(Some(found));
                }
            }
        }
        match search.resume(budget)? {
            Some(goals) => pending = goals,
            None => return Ok(None),
        }
    }
}

struct Search<'t> {
    sets: &'t [Set],
    time: &'t Timeline,
    wants: Vec<Want>,
    frames: Vec<Frame<'t>>,
}

impl<'t> Search<'t> {
    fn next_choice(&mut self, pending: &mut Vec<Goal<'t>>) -> Option<Goal<'t>> {
        loop {
            match pending.pop()? {
                Goal::Sequence { nodes: [node], low, high } => {
                    pending.push(Goal::Find { node, times: 1, low, high, floor: 0 });
                }
                Goal::Find { node, times: 1, low, high, floor: 0 } if matches!(node.kind, NodeKind::Then(_)) => {
                    if let NodeKind::Then(nodes) = &node.kind {
                        pending.push(Goal::Sequence { nodes, low, high });
                    }
                }
                goal @ Goal::Sequence { .. } => return Some(goal),
                goal @ Goal::Find { node, times, low, high, .. } => match &node.kind {
                    NodeKind::Bag(demands) => {
                        let want = |set, each: u64| Want { set, low, high, times: each.saturating_mul(times) };
                        self.wants.extend(demands.iter().map(|demand| want(demand.set, demand.times)));
                    }
                    NodeKind::All(nodes) => {
                        let find = |node| Goal::Find { node, times, low, high, floor: 0 };
                        pending.extend(nodes.iter().rev().map(find));
                    }
                    NodeKind::Times(more, node) => {
                        let times = times.saturating_mul(*more);
                        pending.push(Goal::Find { node, times, low, high, floor: 0 });
                    }
                    NodeKind::Any(_) | NodeKind::Then(_) | NodeKind::Within(..) => return Some(goal),
                },
            }
        }
    }

    /// Makes the next choice that is not ruled out, of the last frame that has one; what is to be found then.
    fn resume(&mut self, budget: &mut Budget) -> Result<Option<Vec<Goal<'t>>>, EvaluateError> {
        while let Some(frame) = self.frames.last_mut() {
            self.wants.truncate(frame.wants);
            budget.spend(1 + frame.pending.len() as u64)?;
            let Some(key) = frame.goal.next_key(frame.next, self.sets, self.time) else {
                self.frames.pop();
                continue;
            };
            frame.next = key + 1;
            let mut pending = frame.pending.clone();
            frame.goal.choose(key, self.time, &mut pending);
            if self.is_served(&pending, budget)? {
                return Ok(Some(pending));
            }
        }
        Ok(None)
    }

    /// Whether there are enough observations for all that is wanted and all that is surely needed for the goals.
    fn is_served(&self, pending: &[Goal<'t>], budget: &mut Budget) -> Result<bool, EvaluateError> {
        let mut wants = self.wants.clone();
        for goal in pending {
            match *goal {
                Goal::Find { node, times, low, high, floor } => {
                    // The copies that are left of a WITHIN begin no earlier than the last one.
                    let low = if matches!(node.kind, NodeKind::Within(..)) { low.max(floor) } else { low };
                    needed(node, times, low, high, &mut wants);
                }
                Goal::Sequence { nodes, low, high } => {
                    nodes.iter().for_each(|node| needed(node, 1, low, high, &mut wants));
                }
            }
        }
        budget.spend(wants.len() as u64)?;
        Ok(serve(&mut wants, self.sets, self.time, budget)?.is_some())
    }
}

/// What a node needs whatever is chosen.
fn needed(node: &Node, times: u64, low: u32, high: u32, wants: &mut Vec<Want>) {
    match &node.kind {
        NodeKind::Bag(demands) => wants.extend(demands.iter().map(|demand| Want {
            set: demand.set,
            low,
            high,
            times: demand.times.saturating_mul(times),
        })),
        NodeKind::All(nodes) | NodeKind::Then(nodes) => {
            nodes.iter().for_each(|node| needed(node, times, low, high, wants));
        }
        NodeKind::Within(_, node) => needed(node, times, low, high, wants),
        NodeKind::Times(more, node) => needed(node, times.saturating_mul(*more), low, high, wants),
        // Another alternative may need less.
        NodeKind::Any(_) => {}
    }
}

impl<'t> Goal<'t> {
    fn floor(&self) -> u32 {
        match self {
            Self::Find { floor, .. } => *floor,
            Self::Sequence { .. } => 0,
        }
    }

    /// The least key from `from` on that the bounds don't rule out.
    ///
    /// The key of OR is the place of an alternative, that of WITHIN the `low` and that of FOLLOWEDBY the `high` of its
    /// first operand. A moment at which nothing of the node ends, or begins, is as good as the next one.
    fn next_key(&self, from: u32, sets: &[Set], time: &Timeline) -> Option<u32> {
        match *self {
            Self::Sequence { nodes, low, high } => next_border(nodes, low, high, from, sets, time),
            Self::Find { node, low, high, .. } => match &node.kind {
                NodeKind::Any(nodes) => {
                    let fits = |place: &usize| nodes[*place].bound.from(low) <= high;
                    (from as usize..nodes.len()).find(fits).and_then(|place| u32::try_from(place).ok())
                }
                NodeKind::Within(span, node) => {
                    let mut from = from.max(low);
                    loop {
                        let key = least(node, sets, &|set| set.next_last(from))?;
                        let done = node.bound.from(key);
                        // The bound never falls: no later key does better.
                        if done > high {
                            return None;
                        }
                        if done <= time.latest(key, *span) {
                            return Some(key);
                        }
                        from = key + 1;
                    }
                }
                NodeKind::Then(nodes) => next_border(nodes, low, high, from, sets, time),
                NodeKind::Bag(_) | NodeKind::All(_) | NodeKind::Times(..) => None,
            },
        }
    }

    /// Adds what is to be found once the key is chosen.
    fn choose(&self, key: u32, time: &Timeline, pending: &mut Vec<Self>) {
        let first_and_rest = |nodes: &'t [Node], low: u32, high: u32, pending: &mut Vec<Self>| {
            if let [node, rest @ ..] = nodes {
                pending.push(Self::Sequence { nodes: rest, low: low.max(key), high });
                pending.push(Self::Find { node, times: 1, low, high: high.min(key), floor: 0 });
            }
        };
        match *self {
            Self::Sequence { nodes, low, high } => first_and_rest(nodes, low, high, pending),
            Self::Find { node, times, low, high, .. } => {
                if times > 1 {
                    pending.push(Self::Find { node, times: times - 1, low, high, floor: key });
                }
                match &node.kind {
                    NodeKind::Any(nodes) => {
                        pending.push(Self::Find { node: &nodes[key as usize], times: 1, low, high, floor: 0 });
                    }
                    NodeKind::Within(span, node) => {
                        let high = high.min(time.latest(key, *span));
                        pending.push(Self::Find { node, times: 1, low: key, high, floor: 0 });
                    }
                    NodeKind::Then(nodes) => first_and_rest(nodes, low, high, pending),
                    NodeKind::Bag(_) | NodeKind::All(_) | NodeKind::Times(..) => {}
                }
            }
        }
    }
}

/// The least moment from `from` on by which the first node can have begun and after which the others can follow.
fn next_border(nodes: &[Node], low: u32, high: u32, from: u32, sets: &[Set], time: &Timeline) -> Option<u32> {
    let (first, rest) = nodes.split_first()?;
    let key = least(first, sets, &|set| set.next_first(from.max(first.bound.from(low)), time))?;
    (key <= high && bound::sequence(rest, low.max(key))? <= high).then_some(key)
}

/// The least of what `of` gives for the sets of a node.
fn least(node: &Node, sets: &[Set], of: &impl Fn(&Set) -> Option<u32>) -> Option<u32> {
    match &node.kind {
        NodeKind::Bag(demands) => demands.iter().filter_map(|demand| of(&sets[demand.set])).min(),
        NodeKind::All(nodes) | NodeKind::Any(nodes) | NodeKind::Then(nodes) => {
            nodes.iter().filter_map(|node| least(node, sets, of)).min()
        }
        NodeKind::Within(_, node) | NodeKind::Times(_, node) => least(node, sets, of),
    }
}
