//! What the filters of single targets leave out of them.

use std::collections::BTreeSet;

/// The records that a target has no rules for, though others may: by target, the places of the records. It holds nothing where
/// no target has a filter.
#[derive(Debug, Default)]
pub(super) struct LeftOut(Vec<BTreeSet<u32>>);

impl LeftOut {
    /// Notes that a record is left out of these targets, and of no others.
    pub(super) fn set(&mut self, record: u32, targets: &[usize]) {
        self.0.iter_mut().for_each(|records| _ = records.remove(&record));
        for &target in targets {
            if self.0.len() <= target {
                self.0.resize_with(target + 1, BTreeSet::new);
            }
            self.0[target].insert(record);
        }
    }

    /// Whether a record is left out of a target.
    pub(super) fn holds(&self, target: usize, record: u32) -> bool {
        self.0.get(target).is_some_and(|records| records.contains(&record))
    }

    /// The targets that leave records out, and these records.
    pub(super) fn by_target(&self) -> impl Iterator<Item = (usize, &BTreeSet<u32>)> {
        self.0.iter().enumerate().filter(|(_, records)| !records.is_empty())
    }
}
