//! What is looked up in lists. It stands in the index; beside it are the lists.

use super::show::{Lookup, show};
use crate::{
    targets::proof::Exporter,
    witness::{TestPattern, Witness},
};

/// Exports lookups.
pub struct Lookups;

impl Exporter for Lookups {
    type Shown = Vec<Lookup>;

    fn cases(&mut self, pattern: &TestPattern, witness: &Witness) -> Vec<(bool, Vec<Lookup>)> {
        let Some(lookups) = show(&witness.sightings, &pattern.known) else { return Vec::new() };
        vec![(pattern.matches(&lookups.seen).unwrap_or(witness.matches), lookups.asked)]
    }
}
