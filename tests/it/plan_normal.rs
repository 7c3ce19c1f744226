//! The normal form of plans: what means the same looks the same, and means what the pattern means.

use crate::support;

use proptest::prelude::*;
use stixc::{
    diagnostic::Severity,
    pattern,
    plan::{
        Plan,
        lower::{lower, plain},
        normalise,
    },
};
use support::{corpus, effort::within, grammar, observed};

fn canonical(text: &str) -> String {
    let pattern = pattern::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    lower(&pattern).plan.to_string()
}

/// Patterns, and their normal form; grouped by the step that makes it.
const FORMS: &[(&str, &[&str])] = &[
    // flatten
    (
        "[x:a = 1 AND x:b = 2 AND x:c = 3]",
        &["[(x:c = 3 AND x:b = 2) AND x:a = 1]", "[x:b = 2 AND (x:c = 3 AND (x:a = 1))]"],
    ),
    ("[x:a = 1]", &["([x:a = 1]) REPEATS 1 TIMES", "(([x:a = 1]))"]),
    ("[x:a = 1] REPEATS 6 TIMES", &["([x:a = 1] REPEATS 2 TIMES) REPEATS 3 TIMES"]),
    // one pair of brackets
    ("[x:a IN (1, 2)]", &["[x:a = 1] OR [x:a = 2]", "[x:a = 1 OR x:a = 2]", "[x:a = 2] OR ([x:a = 1] OR [x:a = 2])"]),
    ("[x:a = 1 OR y:b = 2]", &["[y:b = 2] OR [x:a = 1]"]),
    // one spelling
    ("[x:a >= 5]", &["[x:a NOT < 5]"]),
    ("[x:a != 5]", &["[x:a NOT = 5]", "[x:a NOT IN (5)]", "[x:a <> 5]"]),
    ("[x:a = 5]", &["[x:a NOT != 5]", "[x:a IN (5)]"]),
    ("[EXISTS x:a]", &["[x:a NOT IN ()]"]),
    ("[ipv4-addr:value = '192.0.2.1']", &["[ipv4-addr:value ISSUBSET '192.0.2.1/32']"]),
    ("[file:ctime > t'2024-01-01T00:00:00.5Z']", &["[file:ctime > t'2024-01-01T00:00:00.500Z']"]),
    (
        "[file:name = 'a'] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'",
        &["[file:name = 'a'] START t'2024-01-01T00:00:00.000Z' STOP t'2024-01-02T00:00:00Z'"],
    ),
    ("[windows-registry-key:key = 'hklm\\\\a']", &["[windows-registry-key:key IN ('HKLM\\\\A', 'hklm\\\\a')]"]),
    // implied types
    (
        "[network-traffic:dst_ref.value = '192.0.2.1']",
        &["[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1']"],
    ),
    // sets
    ("[x:a IN (1, 2, 3)]", &["[x:a IN (3, 1) OR x:a = 2]"]),
    ("[x:a NOT IN (1, 2)]", &["[x:a != 1 AND x:a != 2]"]),
    ("[x:a[*] != 1 AND x:a[*] != 2]", &["[x:a[*] != 2 AND x:a[*] != 1]"]),
    ("[EXISTS x:a]", &["[x:a = 1 OR x:a != 1]", "[x:a LIKE 'b%' OR x:a NOT LIKE 'b%']"]),
    ("[x:a > 5]", &["[x:a > 5 OR x:a > 9]", "[x:a > 9 OR x:a > 5.0 OR x:a > 5]"]),
    // contradictions, and what follows from another test
    ("[x:b = 3]", &["[(x:a = 1 AND x:a = 2) OR x:b = 3]", "[x:b = 3 OR x:a IN ()]"]),
    ("[x:a > 9]", &["[x:a > 5 AND x:a > 9]", "[x:a > 5 AND x:a > 9 AND x:a != 3 AND EXISTS x:a]"]),
    ("[x:a = 5]", &["[x:a >= 5 AND x:a <= 5]", "[x:a IN (5, 6) AND x:a < 6]", "[x:a IN (5, 6) AND x:a != 6]"]),
    ("[x:a > 5]", &["[x:a >= 5 AND x:a != 5]"]),
    (
        "[file:name = 'ab']",
        &["[file:name = 'ab' AND file:name LIKE 'a%']", "[file:name IN ('ab', 'c') AND file:name MATCHES 'b$']"],
    ),
    (
        "[ipv4-addr:value ISSUBSET '192.0.2.0/25']",
        &[
            "[ipv4-addr:value ISSUBSET '192.0.2.0/24' AND ipv4-addr:value ISSUBSET '192.0.2.0/25']",
            "[ipv4-addr:value ISSUBSET '192.0.2.0/25' AND ipv4-addr:value NOT ISSUBSET '198.51.100.0/24']",
        ],
    ),
    ("[x:a.b = 1]", &["[EXISTS x:a AND x:a.b = 1]", "[x:a.b = 1 OR (NOT EXISTS x:a AND x:a[*] = 1)]"]),
    ("[x:a_ref.b = 1]", &["[EXISTS x:a_ref AND x:a_ref.b = 1]"]),
    ("[NOT EXISTS x:a]", &["[NOT EXISTS x:a.b[0] AND NOT EXISTS x:a]"]),
    ("[x:b = 3]", &["[(x:a = 1 AND x:a.b = 1) OR x:b = 3]", "[(x:a.b = 1 AND EXISTS x:a[0]) OR x:b = 3]"]),
    ("[x:a[*] = 1 AND x:a[*] = 2]", &["[x:a[*] = 2 AND x:a[*] = 1]"]),
    ("[x:b = 1 AND x:d = 1]", &["[(y:b = 1 OR x:b = 1) AND (x:d = 1 OR z:d = 1)]"]),
    // order
    ("[x:a = 1 AND x:b = 1]", &["[x:b = 1 AND x:a = 1]", "[x:b = 1 AND x:a = 1 AND x:b = 1]"]),
    // absorption
    ("[x:a = 1]", &["[x:a = 1 OR (x:a = 1 AND x:b = 2)]", "[x:a = 1 AND (x:a = 1 OR x:b = 2)]"]),
    ("[x:a IN (1, 2)]", &["[x:a = 1 OR x:a = 2 OR (x:a = 1 AND x:b = 2)]"]),
    // common parts
    ("[x:a = 1 AND (x:b = 1 OR x:c = 1)]", &["[(x:a = 1 AND x:b = 1) OR (x:a = 1 AND x:c = 1)]"]),
    (
        "[(x:a = 1 OR x:b = 1) AND (x:c = 1 OR x:d = 1)]",
        &["[(x:a = 1 AND x:c = 1) OR (x:a = 1 AND x:d = 1) OR (x:b = 1 AND x:c = 1) OR (x:b = 1 AND x:d = 1)]"],
    ),
    ("[x:a = 1 OR (x:b = 1 AND x:c = 1)]", &["[(x:a = 1 OR x:b = 1) AND (x:a = 1 OR x:c = 1)]"]),
    ("[x:a IN (1, 2) AND x:b = 3]", &["[(x:a = 1 AND x:b = 3) OR (x:b = 3 AND x:a = 2)]"]),
    // observations
    ("[x:a = 1] REPEATS 2 TIMES", &["[x:a = 1] AND [x:a = 1]"]),
    ("([x:a = 1] REPEATS 3 TIMES) AND [x:b = 1]", &["[x:a = 1] AND [x:b = 1] AND [x:a = 1] REPEATS 2 TIMES"]),
    ("([x:a = 1] REPEATS 2 TIMES) AND ([x:b = 1] REPEATS 2 TIMES)", &["([x:a = 1] AND [x:b = 1]) REPEATS 2 TIMES"]),
    ("[x:a = 1]", &["[x:a = 1] OR ([x:a = 1] AND [x:b = 2])", "[x:a = 1] OR [x:a = 1] REPEATS 5 TIMES"]),
    ("[x:a IN (1, 5)]", &["[x:a = 1] OR [x:a = 5] OR ([x:b = 3] FOLLOWEDBY [x:a = 1])"]),
    ("[x:a = 1] AND [x:b IN (1, 2)]", &["([x:a = 1] AND [x:b = 1]) OR ([x:b = 2] AND [x:a = 1])"]),
    ("[x:a = 1] FOLLOWEDBY [x:b IN (1, 2)]", &["([x:a = 1] FOLLOWEDBY [x:b = 1]) OR ([x:a = 1] FOLLOWEDBY [x:b = 2])"]),
];

#[test]
fn what_means_the_same_looks_the_same() {
    for (form, patterns) in FORMS {
        assert_eq!(canonical(form), *form, "{form} is a normal form");
        for text in *patterns {
            assert_eq!(canonical(text), *form, "{text}");
        }
    }
}

#[test]
fn what_differs_stays_different() {
    for (one, other) in [
        ("[x:a = 1] AND [x:a = 1]", "[x:a = 1]"),
        ("[x:a != 1]", "[x:a = 1]"),
        ("[NOT EXISTS x:a]", "[x:a != 1]"),
        ("[x:a[*] = 1 AND x:a[*] = 2]", "[x:a[*] IN (1, 2)]"),
        ("[x:a NOT IN (1, 2)]", "[x:a != 1]"),
        ("[x:a = 1] FOLLOWEDBY [x:b = 1]", "[x:b = 1] FOLLOWEDBY [x:a = 1]"),
        ("[x:a = 1] AND ([x:a = 1] OR [x:b = 1])", "[x:a = 1]"),
        ("[x:a = 1 AND x:b = 1]", "[x:a = 1] AND [x:b = 1]"),
        ("[x:a != 1 AND x:a.b = 2]", "[x:a.b = 2]"),
        ("[x:a_ref = '1' AND x:a_ref.b = 2]", "[x:a_ref.b = 2]"),
        ("[x:a[*] = 1 AND x:a[*].b = 1]", "[x:a[*].b = 1]"),
        ("[x:a < 5 OR x:a >= 5]", "[EXISTS x:a]"),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND EXISTS network-traffic:dst_ref.value]",
            "[EXISTS network-traffic:dst_ref.value]",
        ),
    ] {
        assert_ne!(canonical(one), canonical(other));
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error_with_a_place() {
    let text = "[file:name = 'x' AND file:size < 5 AND file:size > 9]";
    let lowering = lower(&pattern::parse(text).unwrap());
    let [error] = lowering.diagnostics.as_slice() else { panic!("{:?}", lowering.diagnostics) };
    assert_eq!((error.code.0, error.severity), ("T019", Severity::Error));
    assert_eq!(error.span.unwrap().slice(text), "file:size < 5 AND file:size > 9");
    assert_eq!(lowering.plan.to_string(), "[file:size IN ()]");
    assert_eq!(stixc::convert::understand(text, false).0.map(|meaning| meaning.canonical), None);
}

#[test]
fn an_alternative_that_never_holds_is_a_warning() {
    let text = "[file:name = 'x'] OR [file:size = 5 AND file:size = 9]";
    let (meaning, said) = stixc::convert::understand(text, false);
    assert_eq!(meaning.unwrap().canonical, "[file:name = 'x']");
    let [warning] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((warning.code.0, warning.severity), ("W116", Severity::Warning));
    assert_eq!(warning.span.unwrap().slice(text), "file:size = 5 AND file:size = 9");
}

#[test]
fn each_step_tells_what_it_changed() {
    let text = "[(file:size > 5 AND file:size > 9) OR file:name = 'b'] OR [file:name = 'a']";
    let steps = normalise::trace(plain(&pattern::parse(text).unwrap()).plan);
    let told: Vec<(&str, String)> = steps.iter().map(|step| (step.name, step.plan.to_string())).collect();
    let expected = [
        ("one pair of brackets", "[(file:size > 5 AND file:size > 9) OR file:name = 'b' OR file:name = 'a']"),
        ("sets", "[(file:size > 5 AND file:size > 9) OR file:name IN ('b', 'a')]"),
        ("contradictions", "[file:size > 9 OR file:name IN ('b', 'a')]"),
        ("order", "[file:name IN ('a', 'b') OR file:size > 9]"),
    ];
    assert_eq!(told, expected.map(|(name, text)| (name, text.to_owned())));
    assert!(normalise::trace(plain(&pattern::parse("[file:name = 'a']").unwrap()).plan).is_empty());
}

/// As many alternatives as a pattern may have; fewer in a build without optimisation, which is ten times slower.
const MANY: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };

/// Steps that take the square of the time don't end within this, by far.
fn in_time(name: &str, text: &str) -> Plan {
    let pattern = pattern::parse(text).unwrap();
    let plan = plain(&pattern).plan;
    within(30, name, || normalise::normalise(plan).plan)
}

#[test]
fn many_alternatives_take_no_longer_than_printing_them() {
    let many = |one: &dyn Fn(usize) -> String, word: &str| (0..MANY).map(one).collect::<Vec<_>>().join(word);
    let equal = in_time("equal", &format!("[{}]", many(&|at| format!("x:a = {at}"), " OR ")));
    assert!(matches!(equal.observation, stixc::plan::Observation::Match(stixc::plan::Condition::Test(_))));
    in_time("brackets", &many(&|at| format!("[x:a = {at}]"), " OR "));
    in_time("properties", &format!("[{}]", many(&|at| format!("x:a{at} = 1"), " OR ")));
    in_time("pairs", &format!("[{}]", many(&|at| format!("(x:a = {at} AND x:b = {})", at / 3), " OR ")));
    let triples = many(&|at| format!("(x:a LIKE '{at}' AND x:b = {} AND x:c = 1)", at % 100), " OR ");
    in_time("triples", &format!("[{triples}]"));
    let absorbed = format!("[x:c = 1 OR {}]", many(&|at| format!("(x:a LIKE '{at}' AND x:c = 1)"), " OR "));
    assert_eq!(in_time("absorbed", &absorbed).to_string(), "[x:c = 1]");
    in_time("clauses", &format!("[{}]", many(&|at| format!("(x:a = {at} OR x:b = 1)"), " AND ")));
    in_time("excluded", &format!("[{}]", many(&|at| format!("x:a != {at}"), " AND ")));
    in_time("chains", &many(&|at| format!("([x:a = {at}] FOLLOWEDBY [x:b = {at}])"), " OR "));
}

/// Where the OASIS equivalence checker (stix2 3.0, `stix2.equivalence.pattern`) errs: the two patterns, and why.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "[ipv4-addr:value='01.02.03.04']",
    "[ipv4-addr:value='1.2.3.4']",
    "it reads leading zeros as decimal digits, where resolvers read octal ones or none: this text names no address",
)];

#[test]
#[ignore = "needs the corpus"]
fn corpus_pairs_have_one_normal_form_if_they_are_equivalent() {
    let rows = corpus::rows("equivalence_pairs.jsonl");
    assert!(rows.len() >= 160, "only {} pairs", rows.len());
    let mut wrong = Vec::new();
    let mut excepted = 0;
    for row in &rows {
        let (a, b) = (row["a"].as_str().unwrap(), row["b"].as_str().unwrap());
        let (one, other) = (canonical(a), canonical(b));
        let agrees = (one == other) == row["equivalent"].as_bool().unwrap();
        match EXCEPTIONS.iter().any(|(left, right, _)| (*left, *right) == (a, b)) {
            true if agrees => wrong.push(format!("no exception any more: {a} ~ {b}")),
            true => excepted += 1,
            false if !agrees => wrong.push(format!("{a} -> {one}\n{b} -> {other}\noracle: {}", row["equivalent"])),
            false => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(excepted, EXCEPTIONS.len());
}

#[test]
#[ignore = "needs the corpus"]
fn corpus_patterns_keep_their_normal_form() {
    let text = corpus::read("patterns.txt");
    for line in text.lines() {
        let Ok(pattern) = pattern::parse(line) else { continue };
        let form = lower(&pattern).plan.to_string();
        assert_eq!(canonical(&form), form, "{line}");
    }
}

/// The normal form is a pattern that has itself as its normal form.
fn is_stable(text: &str) -> Result<(), TestCaseError> {
    let Ok(pattern) = pattern::parse(text) else { return Ok(()) };
    let form = lower(&pattern).plan.to_string();
    let again = pattern::parse(&form).map_err(|errors| TestCaseError::fail(format!("{text}\n{form}\n{errors}")))?;
    prop_assert_eq!(lower(&again).plan.to_string(), form, "{}", text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn a_normal_form_is_stable(text in grammar::pattern()) {
        is_stable(&text)?;
    }

    #[test]
    fn the_normal_form_of_a_condition_is_stable(condition in observed::condition()) {
        is_stable(&format!("[{condition}]"))?;
    }

    #[test]
    fn the_normal_form_of_observations_is_stable(tree in observed::tree()) {
        is_stable(&tree.to_string())?;
    }

    #[test]
    fn a_condition_and_its_normal_form_match_the_same(condition in observed::condition(), data in observed::data()) {
        let text = format!("[{condition}]");
        let form = canonical(&text);
        prop_assert_eq!(observed::matches(&text, &data), observed::matches(&form, &data), "{}\n{}\n{}", text, form, data);
    }

    #[test]
    fn observations_and_their_normal_form_match_the_same(tree in observed::tree(), data in observed::data()) {
        let text = tree.to_string();
        let form = canonical(&text);
        prop_assert_eq!(observed::matches(&text, &data), observed::matches(&form, &data), "{}\n{}\n{}", text, form, data);
    }
}
