//! The ways to satisfy a plan: one for each alternative of an OR, and for each value of a set.

use crate::{
    plan::{Condition, Observation, Test},
    span::Span,
};

/// A test that is to hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literal<'p> {
    /// The test.
    pub test: &'p Test,
    /// For which of its values; meaningless where it is negated or has none.
    pub value: usize,
}

/// One way to satisfy a tree of observations: no OR is left in it.
#[derive(Debug, Clone)]
pub(super) enum Scenario<'p> {
    /// One observation.
    One(Vec<Literal<'p>>),
    /// All of them, in any order.
    All(Vec<Scenario<'p>>),
    /// All of them, in this order.
    Then(Vec<Scenario<'p>>, Span),
    /// Within so many seconds.
    Within(Box<Scenario<'p>>, f64, Span),
    /// So many times.
    Repeat(Box<Scenario<'p>>, u64, Span),
    /// From an instant until before another one.
    During(Box<Scenario<'p>>, [&'p str; 2], Span),
}

impl<'p> Scenario<'p> {
    /// Its observations, from left to right; one that repeats is one.
    pub fn leaves(&self) -> Vec<&[Literal<'p>]> {
        match self {
            Self::One(literals) => vec![literals],
            Self::All(parts) | Self::Then(parts, _) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Within(of, ..) | Self::Repeat(of, ..) | Self::During(of, ..) => of.leaves(),
        }
    }
}

/// Ways, and whether these are all.
#[derive(Debug)]
pub(super) struct Ways<T> {
    pub all: Vec<T>,
    pub complete: bool,
}

/// The ways to satisfy a tree, `limit` at most.
pub(super) fn scenarios(observation: &Observation, limit: usize) -> Ways<Scenario<'_>> {
    match observation {
        Observation::Match(condition) => conjunctions(condition, limit).map(Scenario::One),
        Observation::Any(operands, _) => any(operands, limit, scenarios),
        Observation::All(operands, _) => all(operands, limit, scenarios).map(Scenario::All),
        Observation::Then(operands, span) => all(operands, limit, scenarios).map(|parts| Scenario::Then(parts, *span)),
        Observation::Within { of, seconds, span } => {
            scenarios(of, limit).map(|scenario| Scenario::Within(Box::new(scenario), *seconds, *span))
        }
        Observation::Repeat { of, times, span } => {
            scenarios(of, limit).map(|scenario| Scenario::Repeat(Box::new(scenario), *times, *span))
        }
        Observation::During { of, start, stop, span } => {
            scenarios(of, limit).map(|scenario| Scenario::During(Box::new(scenario), [start, stop], *span))
        }
    }
}

/// The ways to satisfy a condition, each by tests that all hold.
fn conjunctions(condition: &Condition, limit: usize) -> Ways<Vec<Literal<'_>>> {
    match condition {
        Condition::Test(test) => {
            let count = if test.negated { 1 } else { test.values.len().max(1) };
            let all = (0..count.min(limit)).map(|value| vec![Literal { test, value }]).collect();
            Ways { all, complete: count <= limit }
        }
        Condition::Any(operands) => any(operands, limit, conjunctions),
        Condition::All(operands) => all(operands, limit, conjunctions).map(|parts| parts.concat()),
    }
}

impl<T> Ways<T> {
    fn map<U>(self, change: impl Fn(T) -> U) -> Ways<U> {
        Ways { all: self.all.into_iter().map(change).collect(), complete: self.complete }
    }
}

fn any<'p, N, T>(operands: &'p [N], limit: usize, of: fn(&'p N, usize) -> Ways<T>) -> Ways<T> {
    let mut found = Ways { all: Vec::new(), complete: true };
    for operand in operands {
        if found.all.len() >= limit {
            return Ways { complete: false, ..found };
        }
        let own = of(operand, limit - found.all.len());
        found.complete &= own.complete;
        found.all.extend(own.all);
    }
    found
}

fn all<'p, N, T: Clone>(operands: &'p [N], limit: usize, of: fn(&'p N, usize) -> Ways<T>) -> Ways<Vec<T>> {
    let own: Vec<Ways<T>> = operands.iter().map(|operand| of(operand, limit)).collect();
    let counts: Vec<usize> = own.iter().map(|ways| ways.all.len()).collect();
    let (choices, complete) = choices(&counts, limit);
    let pick = |choice: &Vec<usize>| choice.iter().zip(&own).map(|(at, ways)| ways.all[*at].clone()).collect();
    Ways { all: choices.iter().map(pick).collect(), complete: complete && own.iter().all(|ways| ways.complete) }
}

/// Which option of each to take: first so that each is taken once, then in all other ways.
fn choices(counts: &[usize], limit: usize) -> (Vec<Vec<usize>>, bool) {
    if counts.contains(&0) {
        return (Vec::new(), true);
    }
    let most = counts.iter().copied().max().unwrap_or(1);
    let mut found: Vec<Vec<usize>> =
        (0..most.min(limit)).map(|turn| counts.iter().map(|count| turn.min(count - 1)).collect()).collect();
    let total = counts.iter().fold(1_usize, |total, count| total.saturating_mul(*count));
    let mut next = vec![0; counts.len()];
    for _ in 0..total {
        if found.len() >= limit {
            break;
        }
        if !found.contains(&next) {
            found.push(next.clone());
        }
        for (digit, count) in next.iter_mut().zip(counts).rev() {
            *digit += 1;
            if *digit < *count {
                break;
            }
            *digit = 0;
        }
    }
    let complete = found.len() == total;
    (found, complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_is_taken_before_all_ways_are() {
        let (found, complete) = choices(&[2, 3], 16);
        assert!(complete);
        assert_eq!(found, [[0, 0], [1, 1], [1, 2], [0, 1], [0, 2], [1, 0]]);
        let (found, complete) = choices(&[2, 3], 3);
        assert!(!complete);
        assert_eq!(found, [[0, 0], [1, 1], [1, 2]]);
    }
}
