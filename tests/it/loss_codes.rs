//! Each code of a loss, of the guard and of rendering: a pattern and a target that show it, in `fixtures/loss/CODE.txt`.
//!
//! The first line of a fixture names the target and, for a rule in a target's own language, that language. Each other
//! line is a pattern; all are converted together.

use std::{collections::BTreeSet, fs};

use serde_json::json;
use stixc::{
    convert::{Converter, Finished, Prepared, Settings},
    diagnostic::Diagnostic,
    output::Memory,
    span::Span,
    stix::Context,
    targets::{self, native::NativePolicy},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/loss");

/// What no pattern shows: a template of the user, what the user's own mapping says of a field, a file beside its traffic
/// in one pair of brackets, which the type check refuses (T003), the user's own guard lists, a list that holds too much,
/// which `guard_width` shows, and what an engine says.
const NOT_BY_A_PATTERN: [&str; 12] =
    ["R001", "L106", "L120", "G005", "G013", "G020", "G021", "G022", "G023", "R011", "R012", "R013"];

struct Fixture {
    target: String,
    language: String,
    patterns: Vec<String>,
}

fn codes() -> impl Iterator<Item = &'static str> {
    let letters = ["L", "G", "R"];
    let all = stixc::targets::catalogue().keys().map(String::as_str);
    all.filter(move |code| letters.iter().any(|letter| code.starts_with(letter)) && !NOT_BY_A_PATTERN.contains(code))
}

fn fixture(code: &str) -> Fixture {
    let text = fs::read_to_string(format!("{FIXTURES}/{code}.txt"))
        .unwrap_or_else(|error| panic!("{code} has no fixture: tests/fixtures/loss/{code}.txt: {error}"));
    let mut lines = text.lines();
    let mut words = lines.next().expect("a first line").split(' ');
    Fixture {
        target: words.next().expect("a target").to_owned(),
        language: words.next().unwrap_or("stix").to_owned(),
        patterns: lines.map(str::to_owned).collect(),
    }
}

fn converted(fixture: &Fixture) -> Finished {
    // A rule in the language of another target needs that target as well.
    let names = [fixture.target.as_str(), fixture.language.as_str()];
    let targets: BTreeSet<&str> = names.into_iter().filter(|name| *name != "stix").collect();
    let targets = targets.into_iter().map(|name| targets::find(name).unwrap_or_else(|| panic!("no target {name}")));
    let settings = Settings::new(
        targets.map(|target| Prepared::new(target, None, None).unwrap()).collect(),
        "2024-06-01T00:00:00Z".parse().unwrap(),
    );
    let indicators: Vec<_> = fixture
        .patterns
        .iter()
        .enumerate()
        .map(|(at, pattern)| {
            json!({
                "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{at:012}"),
                "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z", "valid_from": "2024-01-01T00:00:00Z",
                "pattern_type": fixture.language, "pattern": pattern,
            })
        })
        .collect();
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": indicators}).to_string();
    let mut converter = Converter::new(&settings);
    converter.read("fixture", bundle.as_bytes(), &Context::default());
    converter.finish(&targets::renderer(targets::TARGETS, None).unwrap(), &mut Memory::default())
}

/// All codes that a conversion gives, with their places and patterns.
fn said(finished: &Finished, language: &str) -> Vec<(&'static str, Option<Span>, String)> {
    let mut all = Vec::new();
    let of = |found: &Diagnostic, pattern: &str| (found.code.0, found.span, pattern.to_owned());
    for indicator in &finished.indicators {
        // A conversion says that a rule is none (R010); its target says why.
        let natives = targets::TARGETS.iter().filter(|target| target.pattern_type() == Some(language));
        all.extend(
            natives
                .filter_map(|target| target.read_native(&indicator.pattern, &NativePolicy::default()).err())
                .map(|fault| of(fault.diagnostic(), "")),
        );
        all.extend(indicator.diagnostics.iter().map(|found| of(found, &indicator.pattern)));
        for entry in indicator.targets.iter().map(|(_, entry)| entry) {
            all.extend(entry.losses.iter().map(|loss| (loss.code.0, Some(loss.span), indicator.pattern.clone())));
        }
    }
    all.extend(finished.diagnostics.iter().map(|found| of(&found.diagnostic, "")));
    all
}

#[test]
fn each_code_is_shown_by_its_fixture() {
    let mut wrong = Vec::new();
    for code in codes() {
        let fixture = fixture(code);
        let said = said(&converted(&fixture), &fixture.language);
        let hits: Vec<_> = said.iter().filter(|(other, ..)| *other == code).collect();
        if hits.is_empty() {
            let others: BTreeSet<_> = said.iter().map(|(other, ..)| *other).collect();
            wrong.push(format!("{code}: only {others:?}"));
        }
        for (_, span, pattern) in hits {
            let is_placed = span.is_some_and(|span| span.start < span.end && !span.slice(pattern).is_empty());
            // What is wrong with several rules together has no place in one of them.
            if !is_placed && !code.starts_with('R') {
                wrong.push(format!("{code}: {span:?} is no place in {pattern}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_fixture_is_of_a_code() {
    let codes: BTreeSet<String> = codes().map(|code| format!("{code}.txt")).collect();
    let files = fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stray: Vec<String> = files.filter(|file| !codes.contains(file)).collect();
    assert!(stray.is_empty(), "{stray:?}");
}
