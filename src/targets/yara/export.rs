//! Files beside the rules: those that a rule matches, and those that it does not.

use crate::{
    targets::proof::{Exporter, File, Tested},
    witness::{
        TestPattern, Witness,
        files::{TURNS, write},
        index::PatternCases,
    },
};

/// Exports files; those so far, in the order of the cases.
#[derive(Debug, Default)]
pub struct Files {
    contents: Vec<Vec<u8>>,
}

impl Exporter for Files {
    /// A file, by its path below the target's folder.
    type Shown = String;

    /// Files get their names once their rules are known.
    fn cases(&mut self, pattern: &TestPattern, witness: &Witness) -> Vec<(bool, String)> {
        let mut shown = Vec::new();
        let mut earlier: Vec<Vec<u8>> = Vec::new();
        for turn in 0..TURNS {
            let Some(files) = write(&witness.sightings, &pattern.known.files, turn) else { continue };
            let matches = pattern.matches(&files.seen).unwrap_or(witness.matches);
            let [content] = files.contents.as_slice() else { continue };
            if earlier.contains(content) {
                continue;
            }
            shown.push((matches, String::new()));
            earlier.push(content.clone());
        }
        self.contents.extend(earlier);
        shown
    }

    fn files(self, _tested: &[Tested<'_>], patterns: &mut [PatternCases<String>], written: &[File]) -> Vec<File> {
        let mut files = written.to_vec();
        let mut contents = self.contents.into_iter();
        for pattern in patterns {
            let folder = pattern.rules.first().map_or(&pattern.id, |rule| &rule.id);
            let (mut fires, mut silent) = (0, 0);
            for case in &mut pattern.cases {
                let (name, number) = if case.matches { ("fires", &mut fires) } else { ("silent", &mut silent) };
                case.shown = format!("{folder}/{name}-{number}.bin");
                *number += 1;
                files.extend(contents.next().map(|bytes| File { path: case.shown.clone(), bytes }));
            }
        }
        files
    }
}
