//! The laws of fidelity, proved by the evaluator rather than by definition.
//!
//! A pattern that was changed is *broader* if it matches wherever the pattern did, *narrower* if the pattern matches
//! wherever it does. The laws that [`stixc::plan::fidelity`] builds on:
//!
//! | Change | Effect |
//! |---|---|
//! | an operand of AND dropped, between comparisons or observations | broader |
//! | an operand of OR dropped, between comparisons or observations | narrower |
//! | a value of IN dropped | narrower |
//! | a value of NOT IN dropped | broader: it is an AND of what is excluded |
//! | a test made broader | broader |
//! | a test made broader under NOT | narrower, also on `[*]` |
//! | a step of FOLLOWEDBY dropped | broader |
//! | WITHIN, REPEATS or START-STOP dropped, a window widened, a count lowered | broader |
//!
//! Each holds wherever the change is made: AND, OR, FOLLOWEDBY, WITHIN, REPEATS and START-STOP pass the effect on as it
//! is, for nothing in the language negates an observation. Several changes of one effect have that effect.

use crate::support;

use proptest::{prelude::*, sample::select};
use stixc::plan::fidelity::Fidelity;
use support::observed::{self, Condition, Tree, matches};

/// Tests, and a broader one for each.
const BROADER: &[(&str, &str)] = &[
    ("x:n = 1", "x:n IN (1, 2)"),
    ("x:n IN (1, 2)", "x:n IN (1, 2, 3)"),
    ("x:n < 2", "x:n < 3"),
    ("x:n < 2", "x:n <= 2"),
    ("x:n > 2", "x:n > 1"),
    ("x:s = 'a'", "x:s LIKE 'a%'"),
    ("x:s LIKE 'a_'", "x:s LIKE 'a%'"),
    ("x:s MATCHES '^a$'", "x:s MATCHES 'a'"),
    ("x:l[*] = 1", "x:l[*] IN (1, 2)"),
    ("x:l[*] > 2", "x:l[*] > 1"),
    ("ipv4-addr:value ISSUBSET '192.0.2.0/31'", "ipv4-addr:value ISSUBSET '192.0.2.0/24'"),
    ("ipv4-addr:value = '192.0.2.1'", "ipv4-addr:value ISSUBSET '192.0.2.0/24'"),
];

/// The test under NOT.
fn negated(test: &'static str) -> &'static str {
    let words: Vec<&str> = test.splitn(2, ' ').collect();
    // A leak of a few bytes, in a test.
    Box::leak(format!("{} NOT {}", words[0], words[1]).into_boxed_str())
}

/// What the change does, by the laws.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Effect {
    Broader,
    Narrower,
}

/// All changes of a condition at one place, each with its effect.
fn changes_of_condition(condition: &Condition) -> Vec<(Condition, Effect)> {
    let within = |operands: &[Condition], combine: fn(Vec<Condition>) -> Condition, effect| {
        let mut changes: Vec<(Condition, Effect)> =
            dropped(operands).into_iter().map(|left| (combine(left), effect)).collect();
        for (at, operand) in operands.iter().enumerate() {
            for (changed, effect) in changes_of_condition(operand) {
                let mut operands = operands.to_vec();
                operands[at] = changed;
                changes.push((combine(operands), effect));
            }
        }
        changes
    };
    match condition {
        Condition::And(operands) => within(operands, Condition::And, Effect::Broader),
        Condition::Or(operands) => within(operands, Condition::Or, Effect::Narrower),
        Condition::Test(test) => changes_of_test(test),
    }
}

fn changes_of_test(test: &'static str) -> Vec<(Condition, Effect)> {
    let mut changes = Vec::new();
    for (narrow, broad) in BROADER {
        for (from, to, effect) in [(narrow, broad, Effect::Broader), (broad, narrow, Effect::Narrower)] {
            if *from == test {
                changes.push((Condition::Test(to), effect));
            }
            if negated(from) == test {
                // Negation swaps the two.
                let swapped = if effect == Effect::Broader { Effect::Narrower } else { Effect::Broader };
                changes.push((Condition::Test(negated(to)), swapped));
            }
        }
    }
    match test {
        "x:n NOT IN (1, 3)" => changes.push((Condition::Test("x:n NOT IN (3)"), Effect::Broader)),
        "x:l[*] NOT IN (1, 2)" => changes.push((Condition::Test("x:l[*] NOT IN (1)"), Effect::Broader)),
        "x:n IN (2, 3)" => changes.push((Condition::Test("x:n IN (2)"), Effect::Narrower)),
        _ => {}
    }
    changes
}

/// The operands without each one of them.
fn dropped<T: Clone>(operands: &[T]) -> Vec<Vec<T>> {
    let without = |at: usize| operands.iter().enumerate().filter(move |(other, _)| *other != at);
    let all = (0..operands.len()).map(|at| without(at).map(|(_, operand)| operand.clone()).collect());
    all.filter(|left: &Vec<T>| !left.is_empty()).collect()
}

/// All changes of an observation expression at one place, each with its effect.
fn changes(tree: &Tree) -> Vec<(Tree, Effect)> {
    let within = |operands: &[Tree], combine: fn(Vec<Tree>) -> Tree, effect| {
        let mut all: Vec<(Tree, Effect)> = dropped(operands).into_iter().map(|left| (combine(left), effect)).collect();
        for (at, operand) in operands.iter().enumerate() {
            for (changed, effect) in changes(operand) {
                let mut operands = operands.to_vec();
                operands[at] = changed;
                all.push((combine(operands), effect));
            }
        }
        all
    };
    let around = |inner: &Tree, looser: Tree, combine: &dyn Fn(Box<Tree>) -> Tree| {
        let mut all = vec![(inner.clone(), Effect::Broader), (looser, Effect::Broader)];
        all.extend(changes(inner).into_iter().map(|(changed, effect)| (combine(changed.into()), effect)));
        all
    };
    match tree {
        Tree::Leaf(condition) => {
            changes_of_condition(condition).into_iter().map(|(changed, effect)| (Tree::Leaf(changed), effect)).collect()
        }
        Tree::And(operands) => within(operands, Tree::And, Effect::Broader),
        Tree::Or(operands) => within(operands, Tree::Or, Effect::Narrower),
        Tree::FollowedBy(operands) => within(operands, Tree::FollowedBy, Effect::Broader),
        Tree::Within(seconds, inner) => {
            around(inner, Tree::Within(seconds + 2, inner.clone()), &|inner| Tree::Within(*seconds, inner))
        }
        Tree::Repeats(times, inner) => {
            around(inner, Tree::Repeats((times - 1).max(1), inner.clone()), &|inner| Tree::Repeats(*times, inner))
        }
        Tree::StartStop(start, stop, inner) => {
            around(inner, Tree::StartStop(*start, stop + 2, inner.clone()), &|inner| {
                Tree::StartStop(*start, *stop, inner)
            })
        }
    }
}

fn changed_tree() -> impl Strategy<Value = (Tree, Tree, Effect)> {
    let pair =
        select(BROADER).prop_flat_map(|(narrow, broad)| select(vec![narrow, broad, negated(narrow), negated(broad)]));
    let leaf = prop_oneof![
        2 => observed::tree(),
        1 => pair.prop_map(|test| Tree::Leaf(Condition::Test(test))),
    ];
    let tree = (leaf.clone(), leaf, 0..6).prop_map(|(one, other, shape)| match shape {
        0 => Tree::And(vec![one, other]),
        1 => Tree::Or(vec![one, other]),
        2 => Tree::FollowedBy(vec![one, other]),
        3 => Tree::Repeats(2, one.into()),
        _ => one,
    });
    (tree, any::<prop::sample::Index>()).prop_filter_map("nothing to change", |(tree, index)| {
        let changes = changes(&tree);
        (!changes.is_empty()).then(|| {
            let (changed, effect) = index.get(&changes).clone();
            (tree, changed, effect)
        })
    })
}

fn obeys(text: &str, changed: &str, effect: Effect, data: &str) -> Result<(), TestCaseError> {
    let (before, after) = (matches(text, data), matches(changed, data));
    match effect {
        Effect::Broader => prop_assert!(!before || after, "loses a match\n{text}\n{changed}\n{data}"),
        Effect::Narrower => prop_assert!(before || !after, "gains a match\n{text}\n{changed}\n{data}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn a_change_of_a_condition_does_what_its_law_says(condition in observed::condition(), data in observed::data()) {
        for (changed, effect) in changes_of_condition(&condition) {
            obeys(&format!("[{condition}]"), &format!("[{changed}]"), effect, &data)?;
        }
    }

    #[test]
    fn a_change_does_through_all_operators_what_its_law_says(
        (tree, changed, effect) in changed_tree(),
        data in observed::data(),
    ) {
        obeys(&tree.to_string(), &changed.to_string(), effect, &data)?;
    }

    #[test]
    fn changes_of_one_effect_join((tree, changed, effect) in changed_tree(), index: prop::sample::Index, data in observed::data()) {
        let more: Vec<_> = changes(&changed).into_iter().filter(|(_, other)| *other == effect).collect();
        if !more.is_empty() {
            obeys(&tree.to_string(), &index.get(&more).0.to_string(), effect, &data)?;
        }
    }
}

/// So that the laws are not true for lack of cases: each effect is seen to make a difference.
#[test]
fn changes_do_make_a_difference() {
    let data = r#"[{"type": "observed-data", "number_observed": 1, "first_observed": "2024-01-01T00:00:00Z",
        "last_observed": "2024-01-01T00:00:00Z", "objects": {"0": {"type": "x", "n": 1, "s": "ab", "l": [1]}}}]"#;
    for (text, before, changed, after) in [
        ("[x:n = 1 AND x:s = 'b']", false, "[x:n = 1]", true),
        ("[x:n = 1 OR x:s = 'b']", true, "[x:s = 'b']", false),
        ("[x:n NOT IN (1, 3)]", false, "[x:n NOT IN (3)]", true),
        ("[x:s NOT LIKE 'a']", true, "[x:s NOT LIKE 'a%']", false),
        ("[x:n = 1] AND [x:n = 1]", false, "[x:n = 1]", true),
        ("[x:n = 1] FOLLOWEDBY [x:n = 1]", false, "[x:n = 1]", true),
        ("[x:n = 1] REPEATS 2 TIMES", false, "[x:n = 1]", true),
    ] {
        assert_eq!((matches(text, data), matches(changed, data)), (before, after), "{text} {changed}");
    }
}

const ALL: [Fidelity; 4] = [Fidelity::EXACT, Fidelity::BROADER, Fidelity::NARROWER, Fidelity::APPROXIMATE];

#[test]
fn joining_is_a_union_and_negation_swaps() {
    for a in ALL {
        assert_eq!(a | a, a);
        assert_eq!(a | Fidelity::EXACT, a);
        assert_eq!(a | Fidelity::APPROXIMATE, Fidelity::APPROXIMATE);
        assert_eq!(a.negated().negated(), a);
        for b in ALL {
            assert_eq!(a | b, b | a);
            assert_eq!((a | b).negated(), a.negated() | b.negated());
            // `within` is the order that joining makes.
            assert_eq!(a.within(b), a | b == b);
            assert_eq!(a.within(b), a.negated().within(b.negated()));
            for c in ALL {
                assert_eq!((a | b) | c, a | (b | c));
                assert!(!(a.within(b) && b.within(c)) || a.within(c));
            }
        }
    }
    assert_eq!(Fidelity::BROADER.negated(), Fidelity::NARROWER);
    assert_eq!(Fidelity::BROADER | Fidelity::NARROWER, Fidelity::APPROXIMATE);
}
