//! A pattern on trial: about known files where it asks for hashes, with its witnesses.

use super::{
    Oracle, Sighting,
    known_files::{Substitution, substitute},
    solve::{Bounds, Witnesses, witnesses},
};
use crate::plan::Plan;

/// A plan about known files, with its witnesses and with the oracle that answers for it.
#[derive(Debug)]
pub struct TestPattern {
    /// The plan with the hashes of known files.
    pub known: Substitution,
    /// Its witnesses.
    pub witnesses: Witnesses,
    oracle: Option<Oracle>,
}

impl TestPattern {
    /// Makes the witnesses of a plan.
    #[must_use]
    pub fn new(plan: &Plan, bounds: Bounds) -> Self {
        let known = substitute(plan);
        let witnesses = witnesses(&known.plan, bounds);
        // Without an answer there is no witness either, and the gaps say why.
        let oracle = Oracle::new(&known.plan).ok();
        Self { known, witnesses, oracle }
    }

    /// What no witness could be made for, and what a known file stands in for.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.known.replaced.iter().chain(&self.witnesses.gaps).map(|gap| gap.reason.clone()).collect()
    }

    /// Whether the pattern matches these sightings; `None` where nothing says.
    #[must_use]
    pub fn matches(&self, sightings: &[Sighting]) -> Option<bool> {
        self.oracle.as_ref()?.matches(sightings).ok()
    }
}
