//! Two tests of suricata-verify: `fires`, in which each rule alerts, and `silent`, in which none does that may not.

use std::{fmt::Write as _, time::Duration};

use super::{
    Part, Stage, Written,
    index::{Place, Subject, Verdict},
};
use crate::witness::{
    Witness,
    project::suricata::{Reel, project, whole},
};

/// The configuration of both tests: what the rules need that is not so by itself.
const CONFIGURATION: &str = include_str!("../../../templates/suricata/verify.yaml");
const FIRES: &str = "fires";
const SILENT: &str = "silent";

/// The captures of both tests.
#[derive(Default)]
pub(super) struct Captures {
    fires: Reel,
    silent: Reel,
}

impl Stage for Captures {
    /// A take is told by its number until the capture is done: only then is it known when the next one begins.
    fn show(&mut self, part: &Part, witness: &Witness) -> Vec<(bool, Place)> {
        let (reel, test) = if witness.matches { (&mut self.fires, FIRES) } else { (&mut self.silent, SILENT) };
        let Some(takes) = project(&witness.sightings, &part.known) else { return Vec::new() };
        // The wire has one spelling of methods, versions and names, whatever an observer writes down.
        let spellings: [&dyn Fn(&str) -> String; 3] =
            [&str::to_owned, &str::to_ascii_lowercase, &str::to_ascii_uppercase];
        let is_the_same = |spell: &&dyn Fn(&str) -> String| {
            part.answer(&whole(&witness.sightings, &part.known, *spell)) == Some(true)
        };
        if !witness.matches && spellings.iter().any(is_the_same) {
            // The same traffic is that of sightings which the pattern matches.
            return Vec::new();
        }
        let mut places = Vec::with_capacity(takes.len());
        for take in &takes {
            let number = reel.play(take, Duration::ZERO).number as u64;
            places.push((witness.matches, Place::Capture { test: test.to_owned(), from: number, until: number }));
        }
        places
    }

    fn files(self: Box<Self>, subjects: &mut [Subject], written: &[Written]) -> Vec<Written> {
        for place in subjects.iter_mut().flat_map(|subject| &mut subject.showings).map(|showing| &mut showing.place) {
            if let Place::Capture { test, from, until } = place {
                let reel = if test == FIRES { &self.fires } else { &self.silent };
                (*from, *until) = reel.span(*from as usize);
            }
        }
        let mut files = Vec::new();
        for (test, reel) in [(FIRES, &self.fires), (SILENT, &self.silent)] {
            let file = |name: &str, bytes: &[u8]| Written { path: format!("{test}/{name}"), bytes: bytes.to_vec() };
            files.push(file("input.pcap", reel.bytes()));
            files.push(file("suricata.yaml", CONFIGURATION.as_bytes()));
            files.push(file("test.yaml", description(test, subjects).as_bytes()));
            for Written { path, bytes } in written {
                files.push(file(if path == "stixc.rules" { "test.rules" } else { path }, bytes));
            }
        }
        files
    }
}

/// A `test.yaml`. A rule that may miss what a witness shows is not asked to alert, one that may match more not to be
/// silent.
fn description(test: &str, subjects: &[Subject]) -> String {
    let mut text = "requires:\n    min-version: 7\n\nargs:\n    - -k none\n\nchecks:\n".to_owned();
    for Subject { rules, verdict, .. } in subjects {
        for sid in rules {
            // Writing to a string can't fail.
            let _ = match (test, verdict) {
                (FIRES, Verdict::Exact | Verdict::Broader) => write!(
                    text,
                    "    - shell:\n          args: grep -c -m 1 '\"signature_id\":{sid},' eve.json\n          expect: 1\n"
                ),
                (SILENT, Verdict::Exact | Verdict::Narrower) => write!(
                    text,
                    "    - filter:\n          count: 0\n          match:\n              event_type: alert\n              \
                     alert.signature_id: {sid}\n"
                ),
                _ => Ok(()),
            };
        }
    }
    text
}
