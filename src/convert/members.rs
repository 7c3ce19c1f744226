//! Which indicators are behind which pattern, in all targets and in those that leave some out.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rayon::slice::ParallelSliceMut;

use crate::targets::contract::Origin;

use super::{
    Outcome,
    gather::{Gathered, Group, Record},
    left_out::LeftOut,
    origin::join,
};

/// Which records have which pattern: the records sorted by the number of their pattern, and where each pattern's begin.
pub(super) struct Members {
    records: Vec<u32>,
    starts: Vec<u32>,
}

impl Members {
    /// The first indicator of a pattern is in front: the one created first, then the one with the smaller id.
    pub(super) fn of(gathered: &Gathered) -> Self {
        let numbers = 0..u32::try_from(gathered.records.len()).unwrap_or(u32::MAX);
        let record = |number: u32| &gathered.records[number as usize];
        let mut records: Vec<u32> = numbers.filter(|&number| record(number).group.is_some()).collect();
        records.par_sort_unstable_by(|&left, &right| {
            let key = |number: u32| {
                let record = record(number);
                let id = record.origin().map(|origin| &origin.id);
                // Those without a date come last: they can't claim to be first.
                (record.group, record.created.is_none(), record.created, id)
            };
            key(left).cmp(&key(right))
        });
        let mut starts = vec![0; gathered.patterns.len() + 1];
        for &number in &records {
            if let Some(pattern) = record(number).group {
                starts[pattern.number() as usize + 1] += 1;
            }
        }
        for pattern in 1..starts.len() {
            starts[pattern] += starts[pattern - 1];
        }
        Self { records, starts }
    }

    pub(super) fn of_pattern(&self, pattern: u32) -> &[u32] {
        let pattern = pattern as usize;
        &self.records[self.starts[pattern] as usize..self.starts[pattern + 1] as usize]
    }

    /// The patterns that some record has. Those of versions that were replaced have none.
    pub(super) fn patterns(&self) -> impl Iterator<Item = u32> {
        (0..).zip(self.starts.windows(2)).filter(|(_, bounds)| bounds[0] < bounds[1]).map(|(pattern, _)| pattern)
    }
}

impl Members {
    /// The records that have a pattern and that a target does not leave out.
    pub(super) fn wanted<'m>(
        &'m self,
        pattern: u32,
        target: usize,
        left_out: &'m LeftOut,
    ) -> impl Iterator<Item = u32> + 'm {
        self.of_pattern(pattern).iter().copied().filter(move |&record| !left_out.holds(target, record))
    }

    /// Takes the rules of those patterns of which a target leaves out every indicator.
    pub(super) fn take_unwanted(&self, gathered: &mut Gathered) {
        let Gathered { left_out, records, outcomes, .. } = gathered;
        for (target, pattern) in touched(left_out, records) {
            let outcome = outcomes.get_mut(target).and_then(|all| all.get_mut(pattern as usize));
            if let Some(outcome) = outcome.filter(|_| self.wanted(pattern, target, left_out).next().is_none()) {
                *outcome = Outcome::Filtered;
            }
        }
    }

    /// The origins that only some targets have, by target; nothing where the records keep none.
    pub(super) fn own_origins(&self, gathered: &Gathered) -> BTreeMap<usize, BTreeMap<u32, Arc<Origin>>> {
        let mut all: BTreeMap<usize, BTreeMap<u32, Arc<Origin>>> = BTreeMap::new();
        for (target, pattern) in touched(&gathered.left_out, &gathered.records) {
            let wanted = self.wanted(pattern, target, &gathered.left_out);
            let origins =
                wanted.filter_map(|record| Some(Box::new(gathered.records[record as usize].origin()?.clone())));
            if let Some(origin) = joined(origins) {
                all.entry(target).or_default().insert(pattern, Arc::from(origin));
            }
        }
        all
    }
}

/// The targets that leave records out, each with the patterns of these.
fn touched(left_out: &LeftOut, records: &[Record]) -> BTreeSet<(usize, u32)> {
    let group = |record: u32| records[record as usize].group.map(Group::number);
    let of_target = |(target, left_out): (usize, &BTreeSet<u32>)| -> Vec<(usize, u32)> {
        left_out.iter().filter_map(|&record| Some((target, group(record)?))).collect()
    };
    left_out.by_target().flat_map(of_target).collect()
}

/// The origin of a rule that several indicators give, the first one in front.
pub(super) fn joined(mut origins: impl Iterator<Item = Box<Origin>>) -> Option<Box<Origin>> {
    let mut first = origins.next()?;
    origins.for_each(|other| join(&mut first, &other));
    Some(first)
}
