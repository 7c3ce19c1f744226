//! The scoreboard: for 25 patterns the verdict that is right for each target, reasoned by hand, and whether stixc gives it.
//!
//! `verdicts.toml` has the reasoning. `run` asks another converter about the same patterns, see `README.md`.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use stixc::{
    convert,
    targets::{TARGETS, contract::Options},
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
    let lowerer = target.prepare(None, Options::new(target, target.accepts())).unwrap();
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

/// One row of the table: how many patterns a tool's answers are right for, inexact but labelled, refused, and wrong.
fn score(name: &str, [right, labelled, refused, wrong]: [usize; 4]) -> String {
    format!("| {name} | {right} | {labelled} | {refused} | {wrong} |\n")
}

/// The counts of a column in the table that `run` writes.
fn count(table: &str, row: &str, column: usize) -> usize {
    let line = table.lines().find(|line| line.contains(&format!("**{row}**"))).unwrap();
    line.split('|').nth(column + 3).unwrap().trim().parse().unwrap()
}

#[test]
fn the_readme_has_the_score() {
    let scoreboard: Scoreboard = toml::from_str(&read("verdicts.toml")).unwrap();
    let mut table =
        "| | exact | inexact, and labelled | refused, with the reason | wrong in silence |\n|---|---|---|---|---|\n"
            .to_owned();
    for target in TARGETS {
        let verdicts = scoreboard.pattern.iter().map(|row| match row.verdicts.get(target.name()) {
            Some((verdict, _)) => verdict.as_str(),
            None => "invalid",
        });
        let (mut counts, all) = ([0; 4], verdicts.collect::<Vec<_>>());
        for verdict in all {
            counts[match verdict {
                "exact" => 0,
                "refused" | "invalid" => 2,
                _ => 1,
            }] += 1;
        }
        table += &score(&format!("stixc, {}", target.name()), counts);
    }
    let shifter = read("shifter.md");
    let modules = shifter.lines().next().unwrap().split('|').skip(3).filter(|name| !name.trim().is_empty());
    for (column, module) in modules.enumerate() {
        let of = |row| count(&shifter, row, column);
        table +=
            &score(&format!("stix-shifter 8.1.3, {}", module.trim()), [of("correct"), 0, of("refused"), of("wrong")]);
    }
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains(&table), "the README should have\n{table}");
}
