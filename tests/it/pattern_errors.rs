//! What typical mistakes are answered with. Each fixture is a pattern with mistakes; its snapshot shows the messages
//! and, where every mistake can be mended, the mended pattern.

use crate::support;

use std::{fs, path::Path};

use stixc::{
    pattern::{self, Version, lenient},
    targets::catalogue,
};
use support::caret;

/// The patterns of a folder of fixtures, by name.
fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut fixtures: Vec<(String, String)> = fs::read_dir(&folder)
        .expect("the fixtures are there")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pattern"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a fixture is text");
            let name = path.file_stem().expect("a fixture has a name").to_string_lossy().into_owned();
            (name, text.strip_suffix('\n').unwrap_or(&text).to_owned())
        })
        .collect();
    fixtures.sort();
    fixtures
}

/// The answer to a pattern with mistakes.
fn answer(text: &str) -> String {
    let errors = pattern::parse(text).expect_err("the pattern has a mistake");
    let mut out: String = errors.to_diagnostics().iter().map(|diagnostic| caret::render(text, diagnostic)).collect();
    if let Some(mended) = errors.mend(text) {
        let tree = pattern::parse(&mended).unwrap_or_else(|errors| panic!("{text}\nmended to\n{mended}\n{errors}"));
        out.push_str(&format!("mended: {mended}\n"));
        drop(tree);
    }
    out
}

fn check(folder: &str, snapshots: &str) {
    let fixtures = fixtures(folder);
    assert!(!fixtures.is_empty());
    for (name, text) in fixtures {
        insta::with_settings!({
            snapshot_path => format!("../../snapshots/{snapshots}"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, answer(&text)) });
    }
}

#[test]
fn typical_mistakes() {
    check("error", "error");
}

/// The codes that a source file declares, by letter.
fn declared(source: &str, letter: char) -> Vec<String> {
    let mut codes: Vec<String> = source
        .split('"')
        .filter(|text| {
            text.len() == 4 && text.starts_with(letter) && text[1..].bytes().all(|byte| byte.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

/// Each code is explained, and its example shows what it explains.
#[test]
fn every_code_has_an_example_that_shows_it() {
    let explained =
        |letter: char| catalogue().keys().filter(|code| code.starts_with(letter)).cloned().collect::<Vec<_>>();
    assert_eq!(explained('P'), declared(include_str!("../../src/pattern/mistake.rs"), 'P'));
    // The other rooms that report warnings have codes from W050 on, and tests of their own.
    let own = |code: &String| code.as_str() < "W050";
    let warnings: Vec<String> = explained('W').into_iter().filter(own).collect();
    assert_eq!(warnings, declared(include_str!("../../src/pattern/repair.rs"), 'W'));
    for (code, explanation) in catalogue() {
        let example = &explanation.example;
        let codes: Vec<&str> = match &code[..1] {
            // No example of this one fits into a file.
            "P" if code == "P044" => continue,
            "P" => pattern::parse(example).expect_err(code).iter().map(|error| error.code().0).collect(),
            "W" if !own(code) => continue,
            "W" => {
                let reading =
                    lenient::read(example, Version::V21, false).unwrap_or_else(|errors| panic!("{code}: {errors}"));
                reading.repairs.iter().map(|repair| repair.code.0).collect()
            }
            _ => continue,
        };
        assert!(codes.contains(&code.as_str()), "the example of {code} shows {codes:?}");
        assert!(code == "P046" || codes.iter().all(|other| other == code), "the example of {code} shows {codes:?}");
        assert!(!explanation.title.ends_with('.') && explanation.text.ends_with('.'), "{code}");
    }
}

/// Tokens of the patterns below; a quote is a token, so that it can be missing.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-%".contains(&byte);
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let word = bytes[start..].iter().take_while(|byte| is_word(**byte)).count();
        let end = start + word.max(1);
        if bytes[start] != b' ' {
            tokens.push(start..end);
        }
        start = end;
    }
    tokens
}

/// Whichever token is left out, that is one mistake and one error.
#[test]
fn a_missing_token_is_one_error() {
    let mut tried = 0;
    for text in [
        r"[file:name = 'evil' AND file:parent_directory_ref.path = 'C:\\Temp']",
        "[domain-name:value = 'evil'] FOLLOWEDBY [file:hashes.'SHA-256' = 'ef53'] WITHIN 300 SECONDS",
        "([ipv4-addr:value IN ('192', '198')] OR [process:pid NOT = 4]) REPEATS 5 TIMES",
        "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-02-01T00:00:00Z'",
        "[file:name LIKE '%exe' AND (file:size > 10 OR NOT EXISTS file:hashes.MD5)]",
        "[network-traffic:protocols[*] = 'tcp' AND network-traffic:dst_port <= 1024]",
    ] {
        for token in tokens(text) {
            let shortened = format!("{}{}", &text[..token.start], &text[token.end..]);
            if let Err(errors) = pattern::parse(&shortened) {
                tried += 1;
                assert_eq!(errors.iter().count(), 1, "{shortened}\n{errors}");
                // The error stands where the token is missing, or at the quote or bracket that it leaves alone.
                let error = errors.first();
                let near = token.start.saturating_sub(24)..=token.start + 24;
                let is_bracket = matches!(error.code().0, "P004" | "P005" | "P006" | "P009");
                assert!(is_bracket || near.contains(&(error.span.start as usize)), "{shortened}\n{errors}");
                if let Some(mended) = errors.mend(&shortened) {
                    pattern::parse(&mended).unwrap_or_else(|errors| panic!("{shortened}\n{mended}\n{errors}"));
                }
            }
        }
    }
    assert!(tried > 120, "{tried}");
}

/// Messages that are right but not yet good enough: two errors for one mistake, or no way out. Whoever makes one better
/// moves its fixture up.
#[test]
fn mistakes_whose_messages_are_not_good_enough() {
    check("error/not-good-enough", "error/not-good-enough");
}
