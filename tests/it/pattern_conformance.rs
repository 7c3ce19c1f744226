//! The parser against the grammar of the standard, as the reference validators judge it.

use crate::support;

use serde_json::Value;
use stixc::pattern::{self, Options, Version};
use support::corpus;

fn accepts(text: &str, version: Version) -> bool {
    pattern::parse_with(text, Options { version }).is_ok()
}

/// Rows of `file` where the parser and the field `verdict` disagree, and how many rows there were.
fn disagreements(
    file: &str,
    verdict: &str,
    version: Version,
    mut is_judged: impl FnMut(&Value) -> bool,
) -> (usize, Vec<String>) {
    let rows: Vec<Value> = corpus::rows(file).into_iter().filter(|row| is_judged(row)).collect();
    let wrong = rows.iter().filter_map(|row| {
        let text = row["pattern"].as_str().expect("each row has a pattern");
        let expected = row[verdict].as_bool().expect("each row has a verdict");
        (accepts(text, version) != expected)
            .then(|| format!("{text} should be {}", if expected { "accepted" } else { "refused" }))
    });
    (rows.len(), wrong.collect())
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_oasis_2_1() {
    let (rows, wrong) = disagreements("oasis_cases.jsonl", "grammar_valid", Version::V21, |row| row["spec"] == "2.1");
    assert_eq!(rows, 795);
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_oasis_2_0() {
    let (rows, wrong) = disagreements("oasis_cases.jsonl", "grammar_valid", Version::V20, |row| row["spec"] == "2.0");
    assert_eq!(rows, 524);
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_tool_tests() {
    // These verdicts are the whole validator's, which checks hashes and repeated qualifiers besides the grammar.
    let is_grammar = |row: &Value| {
        let error = row["err"].as_str().unwrap_or_default();
        !error.contains("Duplicate qualifier") && !error.contains("is not a valid")
    };
    let (rows, wrong) = disagreements("tool_tests.jsonl", "valid_2_1", Version::V21, is_grammar);
    assert_eq!(rows, 4963);
    assert_eq!(wrong, Vec::<String>::new());
}

/// How many patterns of the corpus the reference validator refuses; it was asked about each, and agreed on each.
#[test]
#[ignore = "reads the corpus"]
fn corpus_patterns() {
    let text = corpus::read("patterns.txt");
    let refused = text.lines().filter(|line| !accepts(line, Version::V21)).count();
    assert_eq!((text.lines().count(), refused), (12_450, 229));
}

/// What the grammar of STIX 2.1 accepts.
const ACCEPTED: &[&str] = &[
    "[a:b==1]",
    "[a:b<>1]",
    "[a:b=.5 AND a:b=-.5 AND a:b=+5 AND a:b=-0 AND a:b=007.5]",
    "[a:b IN ()]",
    "[a:b IN (1, 'x', true)]",
    "[a:b=1OR a:b=2AND a:b='x'OR a:b IN('x')]",
    "[a:b LIKE'x']",
    "[network-traffic:start = 1 AND x:like = 1 AND file:is = 1 AND x:seconds = 1]",
    "[AND-x:b = 1 AND true-:b = 1 AND x:LASTs = 1]",
    "[a:'b-c'.'AND'.'' = 1]",
    "[a : b . c [ * ] [ 0 ] [ +1 ] [ -1 ] = 1]",
    "[a:b = t'0000-02-31T23:59:60.123456789Z']",
    "[a:b = h'' OR a:b = h'aA09']",
    "[a:b = b'AA==' OR a:b = b'AAA=' OR a:b = b'+/AA']",
    "[a:b = 'raw\nline \0 😀 \\' \\\\']",
    "[a:b NOT = 1 AND a:b NOT != 1 AND a:b NOT > 1 AND a:b NOT ISSUBSET 'x']",
    "[EXISTS a:b AND NOT EXISTS a:b]",
    "[a:b = 1]//c",
    "/* [ */ [a:b = 1] // ]\n",
    "\u{85}\u{a0}\u{1680}\u{2000}\u{200a}\u{2028}\u{202f}\u{205f}\u{3000}[a:b = 1]",
    "[a:b = 1]AND[a:b = 1]OR([a:b = 1])FOLLOWEDBY[a:b = 1]",
    "[a:b = 1] WITHIN 5SECONDS REPEATS 0 TIMES",
    "[a:b = 1] WITHIN .5 SECONDS",
    "[a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES",
    "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2023-01-01T00:00:00Z'",
    "[a:b = 99999999999999999999999]",
];

/// What it refuses.
const REFUSED: &[&str] = &[
    "",
    "a:b = 1",
    "[]",
    "[a:b = 1",
    "[a:b = 1]]",
    "[a:b = 1] [a:b = 1]",
    "[a:b = 1] and [a:b = 1]",
    "[a:b = 1 and a:b = 1]",
    "[a:b = 1] AND",
    "NOT [a:b = 1]",
    "[NOT a:b = 1]",
    "[NOT (a:b = 1)]",
    "[a:b NOT NOT = 1]",
    "[a:b EXISTS]",
    "[a:b = 01]",
    "[a:b = 1.]",
    "[a:b = 1e5]",
    "[a:b = - 5]",
    "[a:b = 0x1F]",
    "[a:b = True]",
    "[a:b > true]",
    "[a:b = null]",
    "[a:b LIKE 5]",
    "[a:b IN (1,)]",
    "[a:b IN ((1))]",
    "[a:b IN (1 2)]",
    "[a:b IN 1]",
    "[a:b = h'0']",
    "[a:b = H'00']",
    "[a:b = h '00']",
    "[a:b = b'']",
    "[a:b = b'A===']",
    "[a:b = b'AA']",
    "[a:b = b'A-_A']",
    "[a:b = t'2024-01-01T00:00:00']",
    "[a:b = t'2024-01-01t00:00:00Z']",
    "[a:b = t'2024-13-01T00:00:00Z']",
    "[a:b = t'2024-01-01T24:00:00Z']",
    "[a:b = t'2024-01-01T00:00:00.Z']",
    "[a:b = 'it''s']",
    "[a:b = 'C:\\Windows']",
    "[a:b = \"x\"]",
    "[a:b-c = 1]",
    "[a:b.AND = 1]",
    "[LAST:b = 1]",
    "['a':b = 1]",
    "[a = 1]",
    "[a.b = 1]",
    "[a:b.0 = 1]",
    "[a:b[01] = 1]",
    "[a:b[x] = 1]",
    "[a:[0] = 1]",
    "[a:b = = 1]",
    "[a:b === 1]",
    "[a:b = 1] WITHIN -5 SECONDS",
    "[a:b = 1] WITHIN 5 MINUTES",
    "[a:b = 1] WITHIN5SECONDS",
    "[a:b = 1] REPEATS 1.5 TIMES",
    "[a:b = 1] STOP t'2024-01-01T00:00:00Z' START t'2024-01-01T00:00:00Z'",
    "[a:b = 1] START '2024-01-01T00:00:00Z' STOP '2024-01-01T00:00:00Z'",
    "[a:b = 1] /* /* */ */",
    "[a:b = 1] /*",
    "\u{feff}[a:b = 1]",
    "[a:b = 1]\u{200b}",
    "[a:b = 1]\0",
];

#[test]
fn the_grammar_of_2_1() {
    for text in ACCEPTED {
        pattern::parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
    }
    for text in REFUSED {
        assert!(!accepts(text, Version::V21), "{text}");
    }
}

#[test]
fn the_grammar_of_2_0() {
    for (text, is_accepted) in [
        ("[a:b = 1] START '2024-01-01T00:00:00Z' STOP 'any text'", true),
        ("[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-01T00:00:00Z'", false),
        ("[EXISTS a:b]", false),
        ("[NOT EXISTS a:b]", false),
        ("[EXISTS:EXISTS = t'2024-01-01T00:00:00Z']", true),
        ("[a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES", true),
    ] {
        assert_eq!(accepts(text, Version::V20), is_accepted, "{text}");
    }
}

/// The differences from the grammar, in the order of the table in the documentation of `stixc::pattern`. That a pattern
/// beyond 4 GiB is refused is the one difference that no test shows.
#[test]
fn deliberate_differences() {
    let parentheses = |count: usize| format!("[{}a:b = 1{}]", "(".repeat(count), ")".repeat(count));
    for (accepted, refused, code) in [
        (parentheses(256), parentheses(257), "P043"),
        ("[a:b[9223372036854775807] = 1]".to_owned(), "[a:b[99999999999999999999] = 1]".to_owned(), "P021"),
        (
            "[a:b = 1] REPEATS 18446744073709551615 TIMES".to_owned(),
            "[a:b = 1] REPEATS 99999999999999999999 TIMES".to_owned(),
            "P021",
        ),
        (
            format!("[a:b = 1] WITHIN {} SECONDS", "9".repeat(308)),
            format!("[a:b = 1] WITHIN {} SECONDS", "9".repeat(309)),
            "P021",
        ),
    ] {
        pattern::parse(&accepted).unwrap_or_else(|errors| panic!("{accepted}\n{errors}"));
        let errors = pattern::parse(&refused).expect_err("it is refused deliberately");
        assert_eq!((errors.iter().count(), errors.first().code().0), (1, code), "{refused}");
    }
}
