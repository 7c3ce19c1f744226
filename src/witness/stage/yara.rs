//! Files beside the rules: those that a rule matches, and those that it does not.

use super::{
    Part, Stage, Written,
    index::{Place, Subject},
};
use crate::witness::{
    Witness,
    project::yara::{TURNS, project},
};

/// The files so far, in the order of the showings.
#[derive(Default)]
pub(super) struct Files {
    contents: Vec<Vec<u8>>,
}

impl Stage for Files {
    /// Files get their names once their rules are known.
    fn show(&mut self, part: &Part, witness: &Witness) -> Vec<(bool, Place)> {
        let mut shown: Vec<(bool, Place)> = Vec::new();
        let mut earlier: Vec<Vec<u8>> = Vec::new();
        for turn in 0..TURNS {
            let Some(files) = project(&witness.sightings, &part.known, turn) else { continue };
            let matches = part.answer(&files.seen).unwrap_or(witness.matches);
            let [content] = files.contents.as_slice() else { continue };
            if earlier.contains(content) {
                continue;
            }
            shown.push((matches, Place::File(String::new())));
            earlier.push(content.clone());
        }
        self.contents.extend(earlier);
        shown
    }

    fn files(self: Box<Self>, subjects: &mut [Subject], written: &[Written]) -> Vec<Written> {
        let mut files = written.to_vec();
        let mut contents = self.contents.into_iter();
        for subject in subjects {
            let folder = subject.rules.first().unwrap_or(&subject.id).clone();
            let (mut fires, mut silent) = (0, 0);
            for showing in &mut subject.showings {
                let (name, number) = if showing.matches { ("fires", &mut fires) } else { ("silent", &mut silent) };
                let path = format!("{folder}/{name}-{number}.bin");
                *number += 1;
                files.extend(contents.next().map(|bytes| Written { path: path.clone(), bytes }));
                showing.place = Place::File(path);
            }
        }
        files
    }
}
