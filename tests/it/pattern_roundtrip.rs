//! What is printed parses to the tree that was printed.

use crate::support;

use stixc::pattern::{self, Options, Version};
use support::{corpus, tree::without_spans};

/// Parses, prints, parses again; `false` where `text` is no pattern.
fn holds(text: &str, version: Version) -> bool {
    let options = Options { version };
    let Ok(first) = pattern::parse_with(text, options) else { return false };
    let printed = first.to_string();
    let second = pattern::parse_with(&printed, Options { version: Version::Auto })
        .unwrap_or_else(|errors| panic!("{text}\nwas printed as\n{printed}\n{errors}"));
    assert_eq!(without_spans(&first), without_spans(&second), "{text}\nwas printed as\n{printed}");
    assert_eq!(printed, second.to_string(), "printing is not stable");
    true
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_round_trip() {
    let mut patterns: Vec<(String, Version)> =
        corpus::read("patterns.txt").lines().map(|line| (line.to_owned(), Version::V21)).collect();
    for file in ["oasis_cases.jsonl", "tool_tests.jsonl", "matcher_cases.jsonl"] {
        for row in corpus::rows(file) {
            let version = if row["spec"] == "2.0" { Version::V20 } else { Version::V21 };
            patterns.push((row["pattern"].as_str().expect("each row has a pattern").to_owned(), version));
        }
    }
    let parsed = patterns.iter().filter(|(text, version)| holds(text, *version)).count();
    assert!(parsed > 18_000, "only {parsed} patterns were tried");
}

#[test]
fn standard_spelling() {
    for (text, printed) in [
        ("[a:b==1]", "[a:b = 1]"),
        ("[a:b<>1]", "[a:b != 1]"),
        ("[a:b NOT==1]", "[a:b NOT = 1]"),
        ("/* c */[a:b=1// d\n]", "[a:b = 1]"),
        ("[ a : 'b' . c [ * ] [ 0 ] = 1 ]", "[a:b.c[*][0] = 1]"),
        ("[a:'b-c'.''.'AND'.'d' = 1]", "[a:'b-c'.''.'AND'.d = 1]"),
        ("[a:'x\\'y\\\\' = 'C:\\\\w']", "[a:'x\\'y\\\\' = 'C:\\\\w']"),
        ("[a:b IN()]", "[a:b IN ()]"),
        (
            "[a:b NOT IN(1,'x',true,h'0A',b'AA==',t'2024-01-01T00:00:00Z',.5,+5)]",
            "[a:b NOT IN (1, 'x', true, h'0A', b'AA==', t'2024-01-01T00:00:00Z', .5, 5)]",
        ),
        ("[a:b=99999999999999999999]", "[a:b = 99999999999999999999]"),
        ("[NOT EXISTS a:b]", "[NOT EXISTS a:b]"),
        ("[EXISTS a:b]", "[EXISTS a:b]"),
        ("[((a:b=1))]", "[a:b = 1]"),
        ("[a:b=1 OR a:b=2 AND a:b=3]", "[a:b = 1 OR a:b = 2 AND a:b = 3]"),
        ("[(a:b=1 OR a:b=2) AND a:b=3]", "[(a:b = 1 OR a:b = 2) AND a:b = 3]"),
        ("[(a:b=1 OR a:b=2) OR a:b=3]", "[(a:b = 1 OR a:b = 2) OR a:b = 3]"),
        ("[a:b=1 OR (a:b=2 AND a:b=3)]", "[a:b = 1 OR a:b = 2 AND a:b = 3]"),
        ("(([a:b=1]))", "[a:b = 1]"),
        ("[a:b=1]AND[a:b=2]OR[a:b=3]FOLLOWEDBY[a:b=4]", "[a:b = 1] AND [a:b = 2] OR [a:b = 3] FOLLOWEDBY [a:b = 4]"),
        ("[a:b=1]AND([a:b=2]OR[a:b=3])", "[a:b = 1] AND ([a:b = 2] OR [a:b = 3])"),
        ("([a:b=1]AND[a:b=2])WITHIN 5.0SECONDS", "([a:b = 1] AND [a:b = 2]) WITHIN 5 SECONDS"),
        (
            "([a:b=1]AND[a:b=2])WITHIN 5 SECONDS REPEATS +2 TIMES",
            "([a:b = 1] AND [a:b = 2]) WITHIN 5 SECONDS REPEATS 2 TIMES",
        ),
        ("([a:b=1] WITHIN 5 SECONDS) REPEATS 2 TIMES", "[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES"),
        ("([a:b=1] WITHIN 5 SECONDS) WITHIN 6 SECONDS", "([a:b = 1] WITHIN 5 SECONDS) WITHIN 6 SECONDS"),
        (
            "(([a:b=1] WITHIN 5 SECONDS) WITHIN 6 SECONDS) REPEATS 2 TIMES",
            "([a:b = 1] WITHIN 5 SECONDS) WITHIN 6 SECONDS REPEATS 2 TIMES",
        ),
        (
            "[a:b=1]START t'2024-01-01T00:00:00Z'STOP t'2024-01-01T00:00:60.5Z'",
            "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-01T00:00:60.5Z'",
        ),
    ] {
        assert_eq!(pattern::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors}")).to_string(), printed);
        assert!(holds(text, Version::V21));
    }
}

#[test]
fn strings_of_stix_2_0_become_timestamps_where_they_are_some() {
    for (text, printed) in [
        (
            "[a:b = 1] START '2024-01-01T00:00:00Z' STOP '2024-02-01T00:00:00Z'",
            "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
        ),
        ("[a:b = 1] START '2024' STOP 'it\\'s'", "[a:b = 1] START '2024' STOP 'it\\'s'"),
    ] {
        let options = Options { version: Version::V20 };
        assert_eq!(pattern::parse_with(text, options).expect("a pattern of 2.0").to_string(), printed);
        assert!(holds(text, Version::V20));
    }
}
