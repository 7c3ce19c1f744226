//! What a sighting looks like in the worlds that the targets' rules read.
//!
//! A projection knows its world and nothing of the target's mapping: what it writes is what such a log, wire or file
//! holds, so that a wrong row of a mapping does not prove itself. What does not show in a world gives nothing.

pub mod blocklist;
pub mod sigma;
pub mod suricata;
pub mod yara;

use serde_json::Value as Json;

use super::Sighting;

/// Whether sightings, as a world showed them, still say all that was `said`: a file with a hash that is like this or that
/// can't be made, and another one takes its place.
#[must_use]
pub fn are_as_said(said: &[Sighting], seen: &[Sighting]) -> bool {
    let same = |(said, seen): (&Sighting, &Sighting)| {
        said.objects.iter().all(|(key, object)| seen.objects.get(key).is_some_and(|seen| holds(seen, object)))
    };
    said.iter().zip(seen).all(same)
}

/// Whether all of `said` is in `seen`.
fn holds(seen: &Json, said: &Json) -> bool {
    match (seen, said) {
        (Json::Object(seen), Json::Object(said)) => {
            said.iter().all(|(key, said)| seen.get(key).is_some_and(|seen| holds(seen, said)))
        }
        (Json::Array(seen), Json::Array(said)) => {
            seen.len() >= said.len() && seen.iter().zip(said).all(|(seen, said)| holds(seen, said))
        }
        (seen, said) => seen == said,
    }
}
