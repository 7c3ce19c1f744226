//! Each code of the type check: its fixture, its messages, its entry in the catalogue.

use crate::support::check as check_support;

use std::{collections::BTreeSet, fmt::Write, fs};

use check_support::snapshots;
use stixc::{
    diagnostic::Diagnostic,
    pattern,
    plan::{check, lower::lower},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/check");

/// The codes of the type check in the catalogue: `T…`, and `W1…` of the warnings.
fn codes() -> impl Iterator<Item = &'static str> {
    stixc::targets::catalogue()
        .keys()
        .map(String::as_str)
        .filter(|code| code.starts_with('T') || code.starts_with("W1"))
}

fn lines(fixture: &str) -> Vec<String> {
    let text =
        fs::read_to_string(format!("{FIXTURES}/{fixture}.txt")).unwrap_or_else(|error| panic!("{fixture}: {error}"));
    text.lines().map(str::to_owned).collect()
}

/// What is said of a pattern under `code`: W126 is what the lenient reading says, T019 and W116 what the plan shows.
fn found(code: &str, text: &str) -> Vec<Diagnostic> {
    let mut pattern = pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    match code {
        "W126" => check::repair(&mut pattern),
        "T019" | "W116" => lower(&pattern).diagnostics,
        _ => check::check(&pattern),
    }
}

/// A pattern with its messages under it, as a person sees them.
fn shown(text: &str, found: &[Diagnostic]) -> String {
    let mut shown = format!("{text}\n");
    for diagnostic in found {
        let span = diagnostic.span.expect("each message has a place");
        let before = text[..span.start as usize].chars().count();
        let width = span.slice(text).chars().count().max(1);
        let help = diagnostic.help.as_deref().expect("each message has a help line");
        let _ = writeln!(shown, "{}{} {diagnostic}\n    help: {help}", " ".repeat(before), "^".repeat(width));
    }
    shown
}

#[test]
fn each_code_has_a_fixture_whose_patterns_all_show_it() {
    assert!(codes().count() >= 45);
    for code in codes() {
        for text in lines(code) {
            let found = found(code, &text);
            let hits = found.iter().any(|diagnostic| diagnostic.code.0 == code);
            let related = code == "W126" && !found.is_empty();
            assert!(hits || related, "{code}: {text}: {found:?}");
        }
    }
}

#[test]
fn messages_are_as_recorded() {
    for code in codes() {
        let shown: Vec<_> = lines(code).iter().map(|text| shown(text, &found(code, text))).collect();
        snapshots().bind(|| insta::assert_snapshot!(code, shown.join("\n")));
    }
}

#[test]
fn messages_are_one_line_in_lower_case_without_full_stop() {
    for code in codes() {
        for text in lines(code) {
            for diagnostic in found(code, &text) {
                let message = &diagnostic.message;
                assert!(!message.contains('\n') && !message.ends_with('.'), "{message}");
                let first = message.chars().next().expect("a message is not empty");
                assert!(
                    !first.is_uppercase()
                        || message.starts_with("LIKE")
                        || message.starts_with("IS")
                        || message.starts_with("START"),
                    "{message}"
                );
                assert!(diagnostic.help.is_some(), "{message}");
                let span = diagnostic.span.expect("a message has a place");
                assert!(!span.slice(&text).is_empty() || span.start == span.end, "{text}: {diagnostic:?}");
            }
        }
    }
}

#[test]
fn codes_that_are_said_are_explained() {
    let known: BTreeSet<_> = codes().collect();
    for code in codes() {
        for diagnostic in lines(code).iter().flat_map(|text| found(code, text)) {
            assert!(known.contains(diagnostic.code.0), "{diagnostic}");
        }
    }
}

#[test]
fn examples_of_the_catalogue_show_their_code() {
    for code in codes() {
        let explanation = stixc::targets::explain(code).expect("the code is in the catalogue");
        let found = found(code, &explanation.example);
        assert!(found.iter().any(|diagnostic| diagnostic.code.0 == code), "{code}: {found:?}");
    }
}

#[test]
fn good_patterns_get_no_message() {
    for text in lines("clean") {
        let found = found("clean", &text);
        assert!(found.is_empty(), "{text}\n{found:#?}");
    }
}

#[test]
fn a_rewritten_literal_has_the_right_type() {
    for text in lines("W126") {
        let mut pattern = pattern::parse(&text).expect("the fixture parses");
        assert!(!check::repair(&mut pattern).is_empty(), "{text}");
        assert!(check::repair(&mut pattern).is_empty(), "{text}");
        assert!(check::check(&pattern).is_empty(), "{text}");
    }
}

#[test]
fn a_set_is_rewritten_as_a_whole_or_not_at_all() {
    for (text, repaired, left) in [
        ("[network-traffic:dst_port IN ('80', 443)]", 1, 0),
        ("[network-traffic:dst_port IN ('80', 'https')]", 0, 2),
        ("[network-traffic:extensions.'icmp-ext'.icmp_type_hex IN ('08', '')]", 2, 0),
    ] {
        let mut pattern = pattern::parse(text).expect(text);
        assert_eq!(check::repair(&mut pattern).len(), repaired, "{text}");
        assert_eq!(check::check(&pattern).len(), left, "{text}: {:?}", check::check(&pattern));
    }
}
