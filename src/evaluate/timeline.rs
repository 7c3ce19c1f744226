//! Observations in time: the moments that matter, as ranks, and sets of observations that can be asked by time.

use super::data::Observations;
use crate::stix::Timestamp;

/// A rank that no moment has.
pub(super) const NEVER: u32 = u32::MAX;

/// All moments at which an observation begins or ends, and for each observation the ranks of both.
#[derive(Debug)]
pub(super) struct Timeline {
    /// In order, in nanoseconds.
    moments: Vec<i128>,
    pub(super) first: Vec<u32>,
    pub(super) last: Vec<u32>,
    /// How often each was seen.
    pub(super) number: Vec<u64>,
}

fn nanoseconds(at: Timestamp) -> i128 {
    i128::from(at.unix_seconds()) * 1_000_000_000 + i128::from(at.subsecond_nanoseconds())
}

impl Timeline {
    pub(super) fn new(data: &Observations) -> Self {
        let firsts = data.all.iter().map(|one| nanoseconds(one.first_observed));
        let lasts = data.all.iter().map(|one| nanoseconds(one.last_observed));
        let mut moments: Vec<i128> = firsts.clone().chain(lasts.clone()).collect();
        moments.sort_unstable();
        moments.dedup();
        let rank = |moment: i128| rank(moments.partition_point(|other| *other < moment));
        let (first, last) = (firsts.map(rank).collect(), lasts.map(rank).collect());
        let number = data.all.iter().map(|one| one.number_observed).collect();
        Self { moments, first, last, number }
    }

    /// How many moments there are.
    pub(super) fn len(&self) -> usize {
        self.moments.len()
    }

    /// The rank of the last moment that is at most `span` behind the one of rank `from`.
    pub(super) fn latest(&self, from: u32, span: i128) -> u32 {
        let limit = self.moments[from as usize].saturating_add(span);
        rank(self.moments.partition_point(|moment| *moment <= limit)).saturating_sub(1)
    }

    /// Whether the moment of rank `to` is at most `span` behind the one of rank `from`.
    pub(super) fn are_within(&self, from: u32, to: u32, span: i128) -> bool {
        self.moments[to as usize] <= self.moments[from as usize].saturating_add(span)
    }
}

/// Two ranks for each of as many observations as memory can hold stay below [`NEVER`].
fn rank(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NEVER - 1)
}

/// A set of observations, ordered by when they begin.
#[derive(Debug)]
pub(super) struct Set {
    /// The observations, by `first`, then by index.
    pub(super) order: Vec<u32>,
    /// The ranks at which one of them ends, each once, in order.
    lasts: Vec<u32>,
    /// A complete binary tree over `order`: the greatest `last` below each node, as rank + 1; the root is at 1.
    tree: Vec<u32>,
    leaves: usize,
}

impl Set {
    /// `members` in any order, each once.
    pub(super) fn new(mut members: Vec<u32>, time: &Timeline) -> Self {
        members.sort_unstable_by_key(|one| (time.first[*one as usize], *one));
        let leaves = members.len().next_power_of_two();
        let mut tree = vec![0; 2 * leaves];
        for (place, one) in members.iter().enumerate() {
            tree[leaves + place] = time.last[*one as usize] + 1;
        }
        for node in (1..leaves).rev() {
            tree[node] = tree[2 * node].max(tree[2 * node + 1]);
        }
        let mut lasts: Vec<u32> = members.iter().map(|one| time.last[*one as usize]).collect();
        lasts.sort_unstable();
        lasts.dedup();
        Self { order: members, lasts, tree, leaves }
    }

    /// The first rank from `rank` on at which one of them begins.
    pub(super) fn next_first(&self, rank: u32, time: &Timeline) -> Option<u32> {
        let place = self.order.partition_point(|one| time.first[*one as usize] < rank);
        self.order.get(place).map(|one| time.first[*one as usize])
    }

    /// The first rank from `rank` on at which one of them ends.
    pub(super) fn next_last(&self, rank: u32) -> Option<u32> {
        self.lasts.get(self.lasts.partition_point(|last| *last < rank)).copied()
    }

    /// The first place from `place` on whose observation ends at rank `low` or later and begins at rank `high` or
    /// earlier. Takes logarithmic time.
    pub(super) fn next(&self, place: usize, low: u32, high: u32, time: &Timeline) -> Option<usize> {
        if place >= self.order.len() {
            return None;
        }
        let mut node = self.leaves + place;
        // Up to the first subtree on the right that holds one, then down to its leftmost.
        while self.tree[node] <= low {
            while node % 2 == 1 {
                node /= 2;
                if node <= 1 {
                    return None;
                }
            }
            node += 1;
        }
        while node < self.leaves {
            node *= 2;
            if self.tree[node] <= low {
                node += 1;
            }
        }
        let found = node - self.leaves;
        (time.first[self.order[found] as usize] <= high).then_some(found)
    }

    /// All members that end at rank `low` or later and begin at rank `high` or earlier.
    pub(super) fn between<'a>(&'a self, low: u32, high: u32, time: &'a Timeline) -> impl Iterator<Item = u32> + 'a {
        let mut place = 0;
        std::iter::from_fn(move || {
            let found = self.next(place, low, high, time)?;
            place = found + 1;
            Some(self.order[found])
        })
    }
}
