//! The evaluator against one that tries everything, on small data.

use std::{collections::BTreeSet, fmt};

use proptest::prelude::*;
use stixc::{
    evaluate::{EvaluateError, Evaluator, Match, Observations},
    pattern,
};

/// An observation expression; the leaf `k` is satisfied by an observation whose flag `k` is set.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(usize),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    FollowedBy(Vec<Tree>),
    Within(u32, Box<Tree>),
    Repeats(u32, Box<Tree>),
    StartStop(u32, u32, Box<Tree>),
}

/// An observed-data object in whole seconds.
#[derive(Debug, Clone)]
struct Seen {
    first: u32,
    last: u32,
    number: u32,
    flags: [bool; LEAVES],
}

const LEAVES: usize = 3;

impl fmt::Display for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |formatter: &mut fmt::Formatter<'_>, operands: &[Tree], word: &str| {
            let texts: Vec<String> = operands.iter().map(|operand| format!("({operand})")).collect();
            formatter.write_str(&texts.join(word))
        };
        match self {
            Self::Leaf(leaf) => write!(formatter, "[x:f{leaf} = true]"),
            Self::And(operands) => joined(formatter, operands, " AND "),
            Self::Or(operands) => joined(formatter, operands, " OR "),
            Self::FollowedBy(operands) => joined(formatter, operands, " FOLLOWEDBY "),
            Self::Within(seconds, inner) => write!(formatter, "({inner}) WITHIN {seconds} SECONDS"),
            Self::Repeats(times, inner) => write!(formatter, "({inner}) REPEATS {times} TIMES"),
            Self::StartStop(start, stop, inner) => {
                write!(formatter, "({inner}) START t'{}' STOP t'{}'", instant(*start), instant(*stop))
            }
        }
    }
}

fn instant(second: u32) -> String {
    format!("2024-01-01T00:00:{second:02}Z")
}

fn json(seen: &[Seen]) -> String {
    let object = |one: &Seen| {
        let flags: Vec<String> = one.flags.iter().enumerate().map(|(at, flag)| format!("\"f{at}\": {flag}")).collect();
        format!(
            r#"{{"type": "observed-data", "number_observed": {}, "first_observed": "{}", "last_observed": "{}",
                "objects": {{"0": {{"type": "x", {}}}}}}}"#,
            one.number,
            instant(one.first),
            instant(one.last),
            flags.join(", ")
        )
    };
    format!("[{}]", seen.iter().map(object).collect::<Vec<_>>().join(","))
}

fn observations(seen: &[Seen]) -> Observations {
    let (observations, faults) = Observations::read(json(seen).as_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    observations
}

/// All sets of single observations that satisfy a tree, each a mask.
struct Oracle {
    /// For each single observation, whose it is.
    owner: Vec<usize>,
    seen: Vec<Seen>,
}

type Masks = BTreeSet<u32>;

impl Oracle {
    fn new(seen: &[Seen]) -> Self {
        let owner = seen.iter().enumerate().flat_map(|(at, one)| vec![at; one.number as usize]).collect();
        Self { owner, seen: seen.to_vec() }
    }

    fn members(&self, mask: u32) -> impl Iterator<Item = &Seen> {
        let inside = move |(bit, _): &(usize, &usize)| mask >> bit & 1 == 1;
        self.owner.iter().enumerate().filter(inside).map(|(_, owner)| &self.seen[*owner])
    }

    fn pairs(left: &Masks, right: &Masks, fits: impl Fn(u32, u32) -> bool) -> Masks {
        let all = left.iter().flat_map(|one| right.iter().map(move |other| (*one, *other)));
        all.filter(|(one, other)| one & other == 0 && fits(*one, *other)).map(|(one, other)| one | other).collect()
    }

    fn all(&self, operands: &[Tree], fits: impl Fn(u32, u32) -> bool) -> Masks {
        let mut operands = operands.iter().map(|operand| self.masks(operand));
        let first = operands.next().unwrap();
        operands.fold(first, |left, right| Self::pairs(&left, &right, &fits))
    }

    fn masks(&self, tree: &Tree) -> Masks {
        match tree {
            Tree::Leaf(leaf) => {
                let bits = self.owner.iter().enumerate().filter(|(_, owner)| self.seen[**owner].flags[*leaf]);
                bits.map(|(bit, _)| 1 << bit).collect()
            }
            Tree::And(operands) => self.all(operands, |_, _| true),
            Tree::Or(operands) => operands.iter().flat_map(|operand| self.masks(operand)).collect(),
            Tree::FollowedBy(operands) => self.all(operands, |left, right| {
                let begun = self.members(left).map(|one| one.first).max();
                let ended = self.members(right).map(|one| one.last).min();
                begun <= ended
            }),
            Tree::Within(seconds, inner) => {
                let touches = |mask: u32, from: u32| {
                    self.members(mask).all(|one| one.first <= from + seconds && one.last >= from)
                };
                let mut masks = self.masks(inner);
                masks.retain(|mask| (0..60).any(|from| touches(*mask, from)));
                masks
            }
            Tree::Repeats(times, inner) => {
                let one = self.masks(inner);
                (1..*times).fold(one.clone(), |more, _| Self::pairs(&more, &one, |_, _| true))
            }
            Tree::StartStop(start, stop, inner) => {
                let overlaps = |one: &Seen| start < stop && one.first < *stop && one.last >= *start;
                let mut masks = self.masks(inner);
                masks.retain(|mask| self.members(*mask).all(overlaps));
                masks
            }
        }
    }

    fn owners(&self, mask: u32) -> BTreeSet<usize> {
        (0..self.owner.len()).filter(|bit| mask >> bit & 1 == 1).map(|bit| self.owner[bit]).collect()
    }
}

fn evaluate(tree: &Tree, seen: &[Seen]) -> Result<Option<Match>, EvaluateError> {
    let text = tree.to_string();
    let pattern = pattern::parse(&text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    Evaluator::new(&pattern).unwrap().matches(&observations(seen))
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (0..LEAVES).prop_map(Tree::Leaf);
    leaf.prop_recursive(4, 10, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 2..=3);
        prop_oneof![
            3 => several().prop_map(Tree::And),
            2 => several().prop_map(Tree::Or),
            3 => several().prop_map(Tree::FollowedBy),
            3 => (1_u32..6, inner.clone()).prop_map(|(seconds, inner)| Tree::Within(seconds, inner.into())),
            3 => (1_u32..=3, inner.clone()).prop_map(|(times, inner)| Tree::Repeats(times, inner.into())),
            // Copies that compete for the same observations at the same moments.
            2 => several().prop_map(|inner| Tree::Repeats(2, Tree::FollowedBy(inner).into())),
            1 => (0_u32..8, 0_u32..14, inner).prop_map(|(start, stop, inner)| Tree::StartStop(start, stop, inner.into())),
        ]
    })
}

fn seen() -> impl Strategy<Value = Vec<Seen>> {
    // On few moments much happens at once, on many there is room.
    prop_oneof![seen_until(3), seen_until(12)]
}

fn seen_until(moments: u32) -> impl Strategy<Value = Vec<Seen>> {
    let length = prop_oneof![3 => Just(0_u32), 2 => 0_u32..5];
    let number = prop_oneof![3 => Just(1_u32), 1 => Just(2)];
    let one = (0..moments, length, number, any::<[bool; LEAVES]>());
    let one = one.prop_map(|(first, length, number, flags)| Seen { first, last: first + length, number, flags });
    prop::collection::vec(one, 0..=6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_is_that_of_trying_everything(tree in tree(), seen in seen()) {
        let oracle = Oracle::new(&seen);
        let masks = oracle.masks(&tree);
        let found = evaluate(&tree, &seen).unwrap();
        prop_assert_eq!(found.is_some(), !masks.is_empty(), "{}", tree);
        let Some(found) = found else { return Ok(()) };
        let owners: BTreeSet<BTreeSet<usize>> = masks.iter().map(|mask| oracle.owners(*mask)).collect();
        if found.each {
            let single: BTreeSet<usize> = owners.iter().filter(|one| one.len() == 1).flatten().copied().collect();
            prop_assert_eq!(found.observations.into_iter().collect::<BTreeSet<_>>(), single);
        } else {
            // What is named satisfies the pattern together.
            prop_assert!(owners.contains(&found.observations.iter().copied().collect()), "{} {:?}", tree, found);
        }
    }

    #[test]
    fn the_order_of_the_data_changes_nothing(tree in tree(), seen in seen()) {
        let mut reversed = seen.clone();
        reversed.reverse();
        prop_assert_eq!(evaluate(&tree, &seen).unwrap().is_some(), evaluate(&tree, &reversed).unwrap().is_some());
    }

    #[test]
    fn more_data_never_undo_a_match(tree in tree(), mut seen in seen(), more in seen()) {
        let before = evaluate(&tree, &seen).unwrap().is_some();
        seen.extend(more);
        prop_assert!(!before || evaluate(&tree, &seen).unwrap().is_some());
    }
}
