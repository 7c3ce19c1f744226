//! What has to be found in one set of data.

use super::timeline::NEVER;

/// How early a node can be done: for each moment the bound, [`NEVER`] where the node can't be found any more.
#[derive(Debug)]
pub(super) struct Bound(pub(super) Vec<u32>);

impl Bound {
    /// The bound if all observations end at `low` or later.
    pub(super) fn from(&self, low: u32) -> u32 {
        self.0.get(low as usize).copied().unwrap_or(NEVER)
    }

    /// Whether the node can be found at all, as far as the bound knows.
    pub(super) fn is_possible(&self) -> bool {
        self.from(0) != NEVER
    }
}

/// What has to be found. A node that can't be found is no node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) bound: Bound,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    /// Different observations, so many of each set.
    Bag(Vec<Demand>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Then(Vec<Node>),
    Within(i128, Box<Node>),
    /// At least 2, and never of a bag.
    Times(u64, Box<Node>),
}

/// How many observations of a set are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) set: usize,
    pub(super) times: u64,
}
