//! What the tests of the type check share.
#![allow(dead_code, reason = "each test file uses a part")]

use stixc::pattern::{ObjectPath, PathStep, PathStepKind};
use stixc::span::Span;

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
