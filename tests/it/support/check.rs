//! What the tests of the type check share.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use stixc::{
    diagnostic::Severity,
    pattern::{ComparisonExpression, ComparisonKind, ObjectPath, ObservationKind, PathStep, PathStepKind, Pattern},
    plan::check,
    span::Span,
};

/// The path that a text spells. Handles what paths in tests need: bare keys, quoted keys, `[n]` and `[*]`.
pub fn path(text: &str) -> ObjectPath<'_> {
    let (object_type, mut rest) = text.split_once(':').expect("a path has a colon");
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let (kind, length) = if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').expect("a bracket is closed");
            let kind = match &inner[..end] {
                "*" => PathStepKind::AnyIndex,
                number => PathStepKind::Index(number.parse().expect("an index is a number")),
            };
            (kind, end + 2)
        } else if let Some(quoted) = rest.strip_prefix('\'') {
            let mut key = String::new();
            let mut characters = quoted.char_indices();
            let end = loop {
                match characters.next().expect("a quote is closed") {
                    (at, '\'') => break at,
                    (_, '\\') => key.extend(characters.next().map(|(_, escaped)| escaped)),
                    (_, plain) => key.push(plain),
                }
            };
            (PathStepKind::Property(key.into()), end + 2)
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            (PathStepKind::Property(rest[..end].into()), end)
        };
        steps.push(PathStep { kind, span: Span::new(start, start + length) });
        rest = &rest[length..];
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    ObjectPath { object_type, type_span: Span::new(0, object_type.len()), steps, span: Span::new(0, text.len()) }
}

/// Snapshots lie with all others, in `snapshots/`.
pub fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/check"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// A file of the corpus, read where it lies: `STIXC_CORPUS`, or beside the project. Tests that need it are
/// `#[ignore]`d and named `corpus_…`; they run with `--include-ignored` where there is a corpus.
pub fn corpus(name: &str) -> String {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let path = env::var_os("STIXC_CORPUS").map_or_else(beside, PathBuf::from).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The errors of the type check about a pattern, by code.
pub fn errors(pattern: &Pattern<'_>) -> BTreeSet<&'static str> {
    let found = check::check(pattern).into_iter();
    found.filter(|diagnostic| diagnostic.severity == Severity::Error).map(|diagnostic| diagnostic.code.0).collect()
}

/// Calls `visit` for each path of a pattern, in order.
pub fn each_path<'a>(pattern: &Pattern<'a>, visit: &mut impl FnMut(&ObjectPath<'a>)) {
    let mut observations = vec![&pattern.expression];
    while let Some(observation) = observations.pop() {
        match &observation.kind {
            ObservationKind::Single(comparison) => each_path_of(comparison, visit),
            ObservationKind::Combined { operands, .. } => observations.extend(operands.iter().rev()),
            ObservationKind::Qualified { expression, .. } => observations.push(expression),
        }
    }
}

fn each_path_of<'a>(expression: &ComparisonExpression<'a>, visit: &mut impl FnMut(&ObjectPath<'a>)) {
    match &expression.kind {
        ComparisonKind::Test(test) => visit(&test.path),
        ComparisonKind::Combined { operands, .. } => operands.iter().for_each(|operand| each_path_of(operand, visit)),
    }
}
