//! Which versions of which objects a walk has brought.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The versions seen, each as 16 bytes of a hash, with the round in which it was seen last. A round is one pass over
/// the collection: a walk that starts again must not take what it has seen before for a lack of progress.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    rounds: HashMap<u128, u32>,
    round: u32,
}

/// How new an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// Never seen before.
    New,
    /// Dedup, but not in this round.
    NewInRound,
    /// Dedup in this round.
    Old,
}

impl Dedup {
    /// Everything counts as unseen for progress again.
    pub(super) fn start_round(&mut self) {
        self.round += 1;
    }

    /// Takes note of `object`; `None` if it is not a JSON object.
    pub(super) fn note(&mut self, object: &RawValue) -> Option<Novelty> {
        match self.rounds.insert(version(object)?, self.round) {
            None => Some(Novelty::New),
            Some(round) if round == self.round => Some(Novelty::Old),
            Some(_) => Some(Novelty::NewInRound),
        }
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", default, borrow)]
    kind: Option<&'a RawValue>,
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    modified: Option<&'a RawValue>,
}

/// What tells one version of an object from all others: `id` and `modified` (STIX 2.1, section 3.6), or the whole text
/// where one of them is missing, as in cyber-observable objects. Of an identity it is everything but `modified`: some
/// servers stamp the identity of their own organisation anew in each answer.
fn version(object: &RawValue) -> Option<u128> {
    let text = object.get();
    if !text.starts_with('{') {
        return None;
    }
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    match serde_json::from_str(text) {
        Ok(Head { kind: Some(kind), .. }) if kind.get() == "\"identity\"" => match members(text) {
            Some(members) => members.iter().filter(|(name, _)| *name != "modified").for_each(|(name, value)| {
                add(name);
                add(value.get());
            }),
            None => add(text),
        },
        Ok(Head { id: Some(id), modified: Some(modified), .. }) => {
            add(id.get());
            add(modified.get());
        }
        _ => add(text),
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (first, _) = digest.split_at(16);
    Some(first.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

fn members(text: &str) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(dedup: &mut Dedup, object: &str) -> Option<Novelty> {
        dedup.note(serde_json::from_str(object).unwrap())
    }

    #[test]
    fn versions() {
        let mut dedup = Dedup::default();
        for (object, expected) in [
            (r#"{"id":"a--1","modified":"2026"}"#, Some(Novelty::New)),
            (r#"{"modified":"2026","id":"a--1","name":"x"}"#, Some(Novelty::Old)),
            (r#"{"id":"a--1","modified":"2027"}"#, Some(Novelty::New)),
            (r#"{"id":"url--1","value":"x"}"#, Some(Novelty::New)),
            (r#"{"id":"url--1","value":"x"}"#, Some(Novelty::Old)),
            (r#"{"id":"url--1","value":"y"}"#, Some(Novelty::New)),
            (r#"{"type":"identity","id":"identity--socdefenders","name":"s","modified":"1"}"#, Some(Novelty::New)),
            (r#"{"type":"identity","id":"identity--socdefenders","name":"s","modified":"2"}"#, Some(Novelty::Old)),
            (r#"{"type":"identity","id":"identity--socdefenders","name":"t","modified":"2"}"#, Some(Novelty::New)),
            (r#"{"id":7}"#, Some(Novelty::New)),
            (r#"{"id":"x","id":"y","modified":"1"}"#, Some(Novelty::New)),
            ("7", None),
            ("[{}]", None),
        ] {
            assert_eq!(note(&mut dedup, object), expected, "{object}");
        }
    }

    #[test]
    fn a_new_round_is_no_standstill() {
        let mut dedup = Dedup::default();
        let object = r#"{"id":"a--1","modified":"2026"}"#;
        assert_eq!(note(&mut dedup, object), Some(Novelty::New));
        dedup.start_round();
        assert_eq!(note(&mut dedup, object), Some(Novelty::NewInRound));
        assert_eq!(note(&mut dedup, object), Some(Novelty::Old));
    }
}
