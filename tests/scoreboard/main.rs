//! The scoreboard: for 25 patterns the verdict that is right for each target, reasoned by hand, and whether stixc gives it.
//!
//! `verdicts.toml` has the reasoning. `run` asks another converter about the same patterns, see `README.md`.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use stixc::{
    convert,
    target::{TARGETS, contract::Options},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scoreboard {
    pattern: Vec<Row>,
}

/// What is right for a pattern: for each target the verdict, or `invalid` for all, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    number: usize,
    #[serde(default)]
    invalid: Option<String>,
    #[serde(default)]
    verdicts: BTreeMap<String, (String, String)>,
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scoreboard").join(name)).unwrap()
}

/// The verdict that a target gives.
fn verdict(text: &str, target: usize) -> String {
    let (Some(meaning), _) = convert::understand(text, false) else { return "invalid".to_owned() };
    let target = TARGETS[target];
    let lowerer = target.prepare(target.mapping(), Options { accept: target.accepts() }).unwrap();
    lowerer.lower(&meaning.plan).map_or_else(|_| "refused".to_owned(), |lowered| lowered.fidelity.to_string())
}

#[test]
fn every_pattern_has_the_right_verdict() {
    let patterns = read("patterns.txt");
    let scoreboard: Scoreboard = toml::from_str(&read("verdicts.toml")).unwrap();
    assert_eq!(scoreboard.pattern.len(), patterns.lines().count());
    let mut wrong = Vec::new();
    for (index, (text, row)) in patterns.lines().zip(&scoreboard.pattern).enumerate() {
        assert_eq!(row.number, index + 1);
        for (number, target) in TARGETS.iter().enumerate() {
            let name = target.name();
            let expected = match (&row.invalid, row.verdicts.get(name)) {
                (Some(_), None) => "invalid",
                (None, Some((verdict, reason))) if !reason.is_empty() => verdict,
                _ => panic!("pattern {}: say what is right for {name}, and why", row.number),
            };
            let found = verdict(text, number);
            if found != expected {
                wrong.push(format!("{} {name}: {found} instead of {expected}: {text}", row.number));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
