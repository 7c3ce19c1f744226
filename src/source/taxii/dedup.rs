//! Which versions of which objects a walk has brought.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, hash_map::Entry},
};

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::stix::{Head, Role, object_type};

/// The versions seen, each as 16 bytes of a hash, with the round in which it was seen last and the page of that round on
/// which it came first. A round is one pass over
/// the collection: a walk that starts again must not take what it has seen before for a lack of progress.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    seen: HashMap<u128, (u32, u32)>,
    round: u32,
}

/// How new an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// Never seen before.
    New,
    /// Seen, but not in this round.
    NewInRound,
    /// Seen in this round, first on the page with this number.
    Old(u32),
}

impl Dedup {
    /// Everything counts as unseen for progress again.
    pub(super) fn start_round(&mut self) {
        self.round += 1;
    }

    /// Takes note of the object `text` on a page of the walk, whose head is given where it could be read.
    pub(super) fn note(&mut self, text: &str, head: Option<&Head>, page: u32) -> Novelty {
        let known = self.seen.entry(version(text, head));
        match known {
            Entry::Vacant(free) => {
                free.insert((self.round, page));
                Novelty::New
            }
            Entry::Occupied(known) if known.get().0 == self.round => Novelty::Old(known.get().1),
            Entry::Occupied(mut known) => {
                known.insert((self.round, page));
                Novelty::NewInRound
            }
        }
    }
}

/// What tells one version of an object from all others: `id` and `modified` (STIX 2.1, section 3.6), or the whole text
/// where one of them is missing, as in cyber-observable objects. Of an identity it is everything but `modified`: some
/// servers stamp the identity of their own organisation anew in each answer.
fn version(text: &str, head: Option<&Head>) -> u128 {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    let is_identity =
        |head: &Head| head.role != Role::Indicator && object_type(text.as_bytes()).as_deref() == Some("identity");
    match head {
        Some(head) if is_identity(head) => match members(text) {
            Some(members) => members.iter().filter(|(name, _)| *name != "modified").for_each(|(name, value)| {
                add(name.as_bytes());
                add(value.get().as_bytes());
            }),
            None => add(text.as_bytes()),
        },
        Some(Head { key, modified: Some(modified), .. }) => {
            add(&key.to_bytes());
            add(&modified.unix_seconds().to_le_bytes());
            add(&modified.subsecond_nanoseconds().to_le_bytes());
        }
        _ => add(text.as_bytes()),
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (first, _) = digest.split_at(16);
    first.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn members(text: &str) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(dedup: &mut Dedup, object: &str) -> Novelty {
        dedup.note(object, Head::read(object.as_bytes()).as_ref().ok(), 0)
    }

    #[test]
    fn versions() {
        let mut dedup = Dedup::default();
        for (object, expected) in [
            (r#"{"type":"a","id":"a--1","modified":"2026-01-01T00:00:00Z"}"#, Novelty::New),
            (r#"{"modified":"2026-01-01T00:00:00.000Z","type":"a","id":"a--1","name":"x"}"#, Novelty::Old(0)),
            (r#"{"type":"a","id":"a--1","modified":"2026-01-01T00:00:00.001Z"}"#, Novelty::New),
            (r#"{"type":"a","id":"a--1","modified":"yesterday"}"#, Novelty::New),
            (r#"{"type":"a","id":"a--1","modified":"yesterday","name":"x"}"#, Novelty::New),
            (r#"{"type":"url","id":"url--1","value":"x"}"#, Novelty::New),
            (r#"{"type":"url","id":"url--1","value":"x"}"#, Novelty::Old(0)),
            (r#"{"type":"url","id":"url--1","value":"y"}"#, Novelty::New),
            (r#"{"type":"identity","id":"identity--socdefenders","name":"s","modified":"1"}"#, Novelty::New),
            (r#"{"type":"identity","id":"identity--socdefenders","name":"s","modified":"2"}"#, Novelty::Old(0)),
            (r#"{"type":"identity","id":"identity--socdefenders","name":"t","modified":"2"}"#, Novelty::New),
            (r#"{"type":"indicator","id":"i--1","modified":"2026-01-01","pattern":"[a:b=1]"}"#, Novelty::New),
            (r#"{"type":"indicator","id":"i--1","modified":"2026-01-01","pattern":"[a:b=2]"}"#, Novelty::Old(0)),
            (r#"{"type":"indicator","id":"i--1","modified":"2026-01-01"}"#, Novelty::New),
            (r#"{"id":7}"#, Novelty::New),
            (r#"{"type":"a","id":"x","id":"y","modified":"2026-01-01"}"#, Novelty::New),
        ] {
            assert_eq!(note(&mut dedup, object), expected, "{object}");
        }
    }

    #[test]
    fn a_new_round_is_no_standstill() {
        let mut dedup = Dedup::default();
        let object = r#"{"id":"a--1","modified":"2026"}"#;
        assert_eq!(note(&mut dedup, object), Novelty::New);
        dedup.start_round();
        assert_eq!(note(&mut dedup, object), Novelty::NewInRound);
        assert_eq!(note(&mut dedup, object), Novelty::Old(0));
    }
}
