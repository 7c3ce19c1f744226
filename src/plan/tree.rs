//! Walks over a plan: its conditions and tests one by one, what is below a node, and where in the pattern it is.

use std::{iter, mem, slice};

use super::{Condition, Observation, Plan, Test};
use crate::span::Span;

impl Plan {
    /// The tests of all conditions, in the order of the pattern.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.observation.conditions().flat_map(Condition::tests)
    }

    /// The part of the pattern that the plan is about.
    #[must_use]
    pub fn span(&self) -> Span {
        self.observation.span()
    }

    /// The plan with each condition changed.
    #[must_use]
    pub fn map(mut self, mut change: impl FnMut(Condition) -> Condition) -> Self {
        self.observation.conditions_mut().for_each(|condition| condition.replace_with(&mut change));
        self
    }
}

impl Observation {
    /// The conditions, one for each pair of brackets, in the order of the pattern.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        leaves(self, |node| match node {
            Self::Match(condition) => Ok(condition),
            other => Err(other.operands().iter()),
        })
    }

    /// The same, to be changed.
    pub fn conditions_mut(&mut self) -> impl Iterator<Item = &mut Condition> {
        leaves(self, |node| match node {
            Self::Match(condition) => Ok(condition),
            other => Err(other.operands_mut().iter_mut()),
        })
    }

    /// The part of the pattern that it is about, with its qualifiers.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Match(condition) => condition.span(),
            Self::All(_, span) | Self::Any(_, span) | Self::Then(_, span) => *span,
            Self::Within { of, span, .. } | Self::Repeat { of, span, .. } | Self::During { of, span, .. } => {
                of.span().to(*span)
            }
        }
    }
}

impl Condition {
    /// The tests, in the order of the pattern.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        leaves(self, |node| match node {
            Self::Test(test) => Ok(test),
            Self::All(operands) | Self::Any(operands) => Err(operands.iter()),
        })
    }

    /// The same, to be changed.
    pub fn tests_mut(&mut self) -> impl Iterator<Item = &mut Test> {
        leaves(self, |node| match node {
            Self::Test(test) => Ok(test),
            Self::All(operands) | Self::Any(operands) => Err(operands.iter_mut()),
        })
    }

    /// From the first of its tests to the last.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::covering(self.tests().map(|test| test.span))
    }

    /// The test, where it is nothing else.
    #[must_use]
    pub fn as_test(&self) -> Option<&Test> {
        match self {
            Self::Test(test) => Some(test),
            _ => None,
        }
    }
}

/// The leaves of a tree; `open` tells a leaf from a node, of which it gives the operands.
fn leaves<N, L, I: Iterator<Item = N>>(root: N, open: impl Fn(N) -> Result<L, I>) -> impl Iterator<Item = L> {
    let mut first = Some(root);
    let mut above: Vec<I> = Vec::new();
    iter::from_fn(move || {
        loop {
            let next = match first.take() {
                Some(root) => Some(root),
                None => above.last_mut()?.next(),
            };
            match next.map(&open) {
                Some(Ok(leaf)) => return Some(leaf),
                Some(Err(operands)) => above.push(operands),
                None => _ = above.pop(),
            }
        }
    })
}

/// A node of a tree, and what is right below it.
pub(crate) trait Node: Sized {
    /// A node without operands, which stands in for one that is being changed.
    const EMPTY: Self;

    /// The operands; none of a leaf.
    fn operands(&self) -> &[Self];

    /// The same, to be changed.
    fn operands_mut(&mut self) -> &mut [Self];

    /// The node over changed operands.
    fn map_operands(mut self, mut change: impl FnMut(Self) -> Self) -> Self {
        self.operands_mut().iter_mut().for_each(|operand| operand.replace_with(&mut change));
        self
    }

    /// The same, as long as `change` succeeds.
    fn try_map_operands<E>(mut self, mut change: impl FnMut(Self) -> Result<Self, E>) -> Result<Self, E> {
        for operand in self.operands_mut() {
            *operand = change(mem::replace(operand, Self::EMPTY))?;
        }
        Ok(self)
    }

    /// Puts what `change` makes of the node in its place.
    fn replace_with(&mut self, change: &mut impl FnMut(Self) -> Self) {
        *self = change(mem::replace(self, Self::EMPTY));
    }

    /// How many nodes there are.
    fn size(&self) -> usize {
        self.operands().iter().map(Self::size).sum::<usize>() + 1
    }
}

impl Node for Observation {
    const EMPTY: Self = Self::Any(Vec::new(), Span { start: 0, end: 0 });

    fn operands(&self) -> &[Self] {
        match self {
            Self::Match(_) => &[],
            Self::All(operands, _) | Self::Any(operands, _) | Self::Then(operands, _) => operands,
            Self::Within { of, .. } | Self::Repeat { of, .. } | Self::During { of, .. } => slice::from_ref(of),
        }
    }

    fn operands_mut(&mut self) -> &mut [Self] {
        match self {
            Self::Match(_) => &mut [],
            Self::All(operands, _) | Self::Any(operands, _) | Self::Then(operands, _) => operands,
            Self::Within { of, .. } | Self::Repeat { of, .. } | Self::During { of, .. } => slice::from_mut(of),
        }
    }
}

impl Node for Condition {
    const EMPTY: Self = Self::Any(Vec::new());

    fn operands(&self) -> &[Self] {
        match self {
            Self::Test(_) => &[],
            Self::All(operands) | Self::Any(operands) => operands,
        }
    }

    fn operands_mut(&mut self) -> &mut [Self] {
        match self {
            Self::Test(_) => &mut [],
            Self::All(operands) | Self::Any(operands) => operands,
        }
    }
}
