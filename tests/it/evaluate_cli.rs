//! `stixc match` as a user meets it.

use std::process::{Command, Output};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/evaluate/data.json");
const INDICATORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/evaluate/indicators.json");

fn stixc(what: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stixc"));
    command.args(["match", what, "--data", DATA]).args(more).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn errors(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn a_pattern_names_the_observations() {
    let output = stixc("[domain-name:value LIKE '%.example']", &[]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(
        text(&output),
        "observed-data--00000000-0000-4000-8000-000000000001 2024-01-01T00:00:00Z\n\
         observed-data--00000000-0000-4000-8000-000000000002 2024-01-01T00:00:30Z to 2024-01-01T00:00:40Z\n"
    );
    assert!(errors(&output).contains("matched 1"), "{}", errors(&output));
}

#[test]
fn several_observations_satisfy_a_pattern_together() {
    let together = "([domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value ISSUBSET '192.0.2.0/24'])";
    let output = stixc(&format!("{together} WITHIN 60 SECONDS"), &[]);
    assert_eq!((code(&output), text(&output).lines().count()), (0, 2), "{}", errors(&output));
    let output = stixc(&format!("{together} WITHIN 59 SECONDS"), &[]);
    assert_eq!((code(&output), text(&output)), (1, ""), "{}", errors(&output));
}

#[test]
fn each_indicator_of_a_bundle_is_answered() {
    let output = stixc(INDICATORS, &[]);
    assert_eq!(code(&output), 4, "{}", errors(&output));
    assert_eq!(
        text(&output),
        "indicator--00000000-0000-4000-8000-000000000011\n  \
         observed-data--00000000-0000-4000-8000-000000000003 2024-01-01T00:01:00Z\n"
    );
    assert!(errors(&output).contains("S072"), "{}", errors(&output));
    assert!(errors(&output).contains("patterns 3 → matched 1, no answer 1"), "{}", errors(&output));
}

#[test]
fn json_holds_all_answers() {
    let output = stixc(INDICATORS, &["--format", "json", "-q"]);
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((answers["schema"].as_str(), answers["observations"].as_u64()), (Some("stixc-match/1"), Some(3)));
    let patterns = answers["patterns"].as_array().unwrap();
    let matched: Vec<bool> = patterns.iter().map(|answer| answer["matched"].as_bool().unwrap()).collect();
    assert_eq!(matched, [true, false, false]);
    let seen = &patterns[0]["observations"][0];
    assert_eq!((seen["index"].as_u64(), seen["number_observed"].as_u64()), (Some(2), Some(3)));
    assert_eq!(patterns[2]["diagnostics"][0]["code"], "S072");
}

#[test]
fn what_has_no_answer_is_said() {
    for (pattern, expected, says) in [
        ("[a:b = 1", 2, "P0"),
        ("[a:b MATCHES '(']", 2, "S072"),
        ("[a:b = 1] WITHIN 0 SECONDS", 2, "S072"),
        ("[a:b = 1]", 1, "matched 0"),
        ("no-such-file.json", 3, "S001"),
        (DATA, 5, "no indicator among"),
    ] {
        let output = stixc(pattern, &[]);
        assert_eq!(code(&output), expected, "{pattern}\n{}", errors(&output));
        assert!(errors(&output).contains(says), "{pattern}\n{}", errors(&output));
    }
}

#[test]
fn data_without_observations_is_no_input() {
    let command = ["match", "[a:b = 1]", "--data", INDICATORS];
    let output = Command::new(env!("CARGO_BIN_EXE_stixc")).args(command).output().unwrap();
    assert_eq!(code(&output), 3, "{}", errors(&output));
}

#[test]
fn help_tells_the_exit_codes() {
    let output = Command::new(env!("CARGO_BIN_EXE_stixc")).args(["match", "--help"]).output().unwrap();
    assert!(text(&output).contains("1  nothing matched"), "{}", text(&output));
}

#[test]
fn numbers_in_quotes_are_numbers_unless_strict() {
    let folder = tempfile::tempdir().unwrap();
    let observed = r#"{"type": "observed-data", "number_observed": 1, "first_observed": "2024-01-01T00:00:00Z",
        "last_observed": "2024-01-01T00:00:00Z", "object_refs": ["network-traffic--1"]}"#;
    std::fs::write(folder.path().join("a.json"), observed).unwrap();
    // What it refers to lies in another file of the folder.
    let object = r#"{"type": "network-traffic", "id": "network-traffic--1", "dst_port": 443}"#;
    std::fs::write(folder.path().join("b.json"), object).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stixc"));
        command.args(["match", "[network-traffic:dst_port = '443']", "--data"]).arg(folder.path());
        command.args(more).output().unwrap()
    };
    let output = run(&[]);
    assert_eq!((code(&output), text(&output)), (0, "observation 1 2024-01-01T00:00:00Z\n"), "{}", errors(&output));
    assert!(errors(&output).contains("W126"), "{}", errors(&output));
    assert_eq!(code(&run(&["--strict"])), 1);
}

#[test]
fn standard_input_holds_one_of_both() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stixc"));
    assert_eq!(code(&command.args(["match", "-", "--data", "-"]).output().unwrap()), 2);
}
