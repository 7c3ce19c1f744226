//! The parser against the grammar of the standard, as the reference validators judge it.

mod support;

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
    let (rows, wrong) = disagreements("tool_tests.jsonl", "valid_2_1", Version::V21, |_| true);
    assert_eq!(rows, 4969);
    assert_eq!(wrong, Vec::<String>::new());
}
