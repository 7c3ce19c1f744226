//! Patterns and observed data made for each other: small worlds in which much matches, for tests that ask the evaluator.

use std::fmt;

use proptest::{collection::vec, prelude::*, sample::select};
use stixc::{
    evaluate::{Evaluator, Observations},
    pattern,
};

/// An observation expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Leaf(Condition),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    FollowedBy(Vec<Tree>),
    Within(u32, Box<Tree>),
    Repeats(u32, Box<Tree>),
    StartStop(u32, u32, Box<Tree>),
}

/// A comparison expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    /// The text of a comparison.
    Test(&'static str),
}

impl fmt::Display for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(condition) => write!(formatter, "[{condition}]"),
            Self::And(operands) => join(formatter, operands, " AND "),
            Self::Or(operands) => join(formatter, operands, " OR "),
            Self::FollowedBy(operands) => join(formatter, operands, " FOLLOWEDBY "),
            Self::Within(seconds, inner) => write!(formatter, "({inner}) WITHIN {seconds} SECONDS"),
            Self::Repeats(times, inner) => write!(formatter, "({inner}) REPEATS {times} TIMES"),
            Self::StartStop(start, stop, inner) => {
                write!(formatter, "({inner}) START t'{}' STOP t'{}'", instant(*start), instant(*stop))
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(operands) => join(formatter, operands, " AND "),
            Self::Or(operands) => join(formatter, operands, " OR "),
            Self::Test(text) => formatter.write_str(text),
        }
    }
}

fn join<T: fmt::Display>(formatter: &mut fmt::Formatter<'_>, operands: &[T], word: &str) -> fmt::Result {
    let texts: Vec<String> = operands.iter().map(|operand| format!("({operand})")).collect();
    formatter.write_str(&texts.join(word))
}

fn instant(second: u32) -> String {
    format!("2024-01-01T00:00:{second:02}Z")
}

/// Comparisons of all operators, with values that the data have. What the plan reads in a way of its own (the case of
/// hashes, DNS names and registry keys, the forms of an address) is written as the plan writes it.
pub const TESTS: &[&str] = &[
    "x:n = 1",
    "x:n = 2",
    "x:n = 2.0",
    "x:n != 1",
    "x:n NOT = 2",
    "x:n NOT != 2",
    "x:n IN (1, 2)",
    "x:n IN (2, 3)",
    "x:n NOT IN (1, 3)",
    "x:n IN ()",
    "x:n NOT IN ()",
    "x:n < 2",
    "x:n NOT < 2",
    "x:n <= 2",
    "x:n > 1",
    "x:n >= 2.5",
    "x:n NOT > 2",
    "x:n = 'a'",
    "x:n != 'a'",
    "EXISTS x:n",
    "NOT EXISTS x:n",
    "x:s = 'a'",
    "x:s = 'b'",
    "x:s != 'ab'",
    "x:s IN ('a', 'ab')",
    "x:s NOT IN ('a', 'b')",
    "x:s LIKE 'a%'",
    "x:s NOT LIKE 'a%'",
    "x:s LIKE '_'",
    "x:s MATCHES 'b$'",
    "x:s NOT MATCHES '^a'",
    "x:s > 'a'",
    "EXISTS x:s",
    "NOT EXISTS x:s",
    "x:l[*] = 1",
    "x:l[*] = 2",
    "x:l[*] != 1",
    "x:l[*] IN (1, 2)",
    "x:l[*] NOT IN (1, 2)",
    "x:l[*] > 1",
    "x:l[*] <= 1",
    "x:l[0] = 1",
    "EXISTS x:l[*]",
    "NOT EXISTS x:l[*]",
    "x:m = 1",
    "x:m != 1",
    "x:m NOT LIKE 'a%'",
    "EXISTS x:m",
    "NOT EXISTS x:m",
    "x:m.k = 1",
    "x:m.k != 1",
    "EXISTS x:m.k",
    "NOT EXISTS x:m.k",
    "x:m[0] = 1",
    "x:m[*] != 1",
    "x:m[*].k = 1",
    "x:t = t'2024-01-01T00:00:01Z'",
    "x:t = t'2024-01-01T00:00:01.000Z'",
    "x:t > t'2024-01-01T00:00:01Z'",
    "x:t < t'2024-01-01T00:00:02.50Z'",
    "x:t != t'2024-01-01T00:00:02Z'",
    "x:h_hex = h'6162'",
    "x:h_hex != h'61'",
    "x:h_hex LIKE 'a%'",
    "x:h_hex = 'a'",
    "y:n = 1",
    "y:n != 1",
    "ipv4-addr:value = '192.0.2.1'",
    "ipv4-addr:value != '192.0.2.1'",
    "ipv4-addr:value IN ('192.0.2.1', '198.51.100.7')",
    "ipv4-addr:value ISSUBSET '192.0.2.0/24'",
    "ipv4-addr:value ISSUBSET '192.0.2.0/31'",
    "ipv4-addr:value ISSUBSET '198.51.100.7/32'",
    "ipv4-addr:value NOT ISSUBSET '192.0.2.0/24'",
    "ipv4-addr:value ISSUPERSET '192.0.2.1/32'",
    "network-traffic:dst_ref.type = 'ipv4-addr'",
    "network-traffic:dst_ref.type = 'domain-name'",
    "network-traffic:dst_ref.value = '192.0.2.1'",
    "network-traffic:dst_ref.value = 'a.example'",
    "network-traffic:dst_ref.value LIKE '%a%'",
    "network-traffic:dst_ref.value != '192.0.2.1'",
    "network-traffic:dst_ref.value ISSUBSET '192.0.2.0/24'",
    "EXISTS network-traffic:dst_ref.value",
    "network-traffic:dst_port = 80",
];

/// Conditions over few tests at a time, so that they meet each other.
pub fn condition() -> impl Strategy<Value = Condition> {
    let any_test = select(TESTS).prop_map(Condition::Test);
    // Tests that stand near each other are about one property.
    let near = (0..TESTS.len()).prop_flat_map(|at| {
        let few: Vec<&str> = TESTS.iter().copied().skip(at.saturating_sub(6)).take(12).collect();
        tree_of(select(few).prop_map(Condition::Test))
    });
    prop_oneof![3 => near, 1 => tree_of(any_test)]
}

fn tree_of(leaf: impl Strategy<Value = Condition> + 'static) -> impl Strategy<Value = Condition> {
    leaf.prop_recursive(3, 10, 3, |inner| {
        let several = || vec(inner.clone(), 2..=3);
        prop_oneof![several().prop_map(Condition::And), several().prop_map(Condition::Or)]
    })
}

/// Observation expressions over simple conditions.
pub fn tree() -> impl Strategy<Value = Tree> {
    let few = select(&["x:n = 1", "x:n = 2", "x:n IN (1, 2)", "x:n != 1", "x:s = 'a'", "y:n = 1"][..]);
    let simple = prop_oneof![4 => few.prop_map(Condition::Test), 1 => condition()];
    simple.prop_map(Tree::Leaf).prop_recursive(4, 10, 3, |inner| {
        let several = || vec(inner.clone(), 2..=3);
        prop_oneof![
            3 => several().prop_map(Tree::And),
            4 => several().prop_map(Tree::Or),
            3 => several().prop_map(Tree::FollowedBy),
            1 => (1_u32..6, inner.clone()).prop_map(|(seconds, inner)| Tree::Within(seconds, inner.into())),
            2 => (1_u32..=3, inner.clone()).prop_map(|(times, inner)| Tree::Repeats(times, inner.into())),
            1 => (0_u32..4, 4_u32..9, inner).prop_map(|(start, stop, inner)| Tree::StartStop(start, stop, inner.into())),
        ]
    })
}

/// Observed data as a JSON text.
pub fn data() -> impl Strategy<Value = String> {
    let time = (0_u32..6, prop_oneof![3 => Just(0_u32), 1 => 0_u32..4], prop_oneof![4 => Just(1), 1 => Just(2)]);
    let one = (time, vec(object(), 1..=2)).prop_map(|((first, length, number), objects)| {
        let mut keyed = String::new();
        for (at, object) in objects.iter().enumerate() {
            keyed.push_str(&format!("\"{at}\": {object}, "));
        }
        format!(
            r#"{{"type": "observed-data", "number_observed": {number}, "first_observed": "{}", "last_observed": "{}",
                "objects": {{{keyed}"name": {{"type": "domain-name", "value": "a.example"}},
                "near": {{"type": "ipv4-addr", "value": "192.0.2.1"}}}}}}"#,
            instant(first),
            instant(first + length)
        )
    });
    vec(one, 0..=5).prop_map(|all| format!("[{}]", all.join(",")))
}

fn object() -> impl Strategy<Value = String> {
    let maybe = |values: &'static [&'static str]| prop_oneof![1 => Just(String::new()), 3 => select(values).prop_map(|text| format!(", {text}"))];
    let n = maybe(&[r#""n": 1"#, r#""n": 2"#, r#""n": 2.5"#, r#""n": 3"#, r#""n": "a""#]);
    let s = maybe(&[r#""s": "a""#, r#""s": "b""#, r#""s": "ab""#]);
    let l = maybe(&[r#""l": [1]"#, r#""l": [1, 2]"#, r#""l": [3]"#, r#""l": []"#]);
    let m = maybe(&[
        r#""m": 1"#,
        r#""m": "a""#,
        r#""m": {"k": 1}"#,
        r#""m": {"k": 2}"#,
        r#""m": [1]"#,
        r#""m": [{"k": 1}, 2]"#,
    ]);
    let t = maybe(&[r#""t": "2024-01-01T00:00:01Z""#, r#""t": "2024-01-01T00:00:02.000Z""#]);
    let h = maybe(&[r#""h_hex": "61""#, r#""h_hex": "6162""#]);
    prop_oneof![
        6 => (n, s, l, m, t, h).prop_map(|(n, s, l, m, t, h)| format!(r#"{{"type": "x"{n}{s}{l}{m}{t}{h}}}"#)),
        1 => select(vec![r#"{"type": "y", "n": 1}"#, r#"{"type": "y"}"#]).prop_map(str::to_owned),
        1 => select(vec!["192.0.2.1", "192.0.2.9", "198.51.100.7", "192.0.2.0/24", "192.0.2.0/31"])
            .prop_map(|value| format!(r#"{{"type": "ipv4-addr", "value": "{value}"}}"#)),
        2 => (select(vec!["name", "near", "none"]), select(vec![80, 81]))
            .prop_map(|(end, port)| format!(r#"{{"type": "network-traffic", "dst_ref": "{end}", "dst_port": {port}}}"#)),
    ]
}

/// Whether a pattern matches the data.
pub fn matches(pattern: &str, data: &str) -> bool {
    let parsed = pattern::parse(pattern).unwrap_or_else(|errors| panic!("{pattern}: {errors}"));
    let (observations, faults) = Observations::read(data.as_bytes());
    assert!(faults.is_empty(), "{faults:?}");
    let evaluator = Evaluator::new(&parsed).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    evaluator.matches(&observations).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_some()
}
