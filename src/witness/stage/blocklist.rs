//! What is looked up in lists. It stands in the index; beside it are the lists.

use super::{
    Part, Stage, Written,
    index::{Place, Subject},
};
use crate::witness::{Witness, project::blocklist::project};

/// The world of lists. It holds nothing.
pub(super) struct Lists;

impl Stage for Lists {
    fn show(&mut self, part: &Part, witness: &Witness) -> Vec<(bool, Place)> {
        let Some(lookups) = project(&witness.sightings, &part.known) else { return Vec::new() };
        vec![(part.answer(&lookups.seen).unwrap_or(witness.matches), Place::Lookups(lookups.asked))]
    }

    fn files(self: Box<Self>, _subjects: &mut [Subject], written: &[Written]) -> Vec<Written> {
        written.to_vec()
    }
}
