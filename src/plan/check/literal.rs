//! Literals in messages, and places inside them.

use crate::{
    pattern::{Literal, LiteralValue},
    span::Span,
};

/// Texts in messages are cut here, in characters.
const SHOWN: usize = 60;
/// Texts in help lines, which are to be copied, are cut here.
const WRITTEN: usize = 2000;

/// A literal as a message shows it.
pub(super) fn shown(literal: &Literal<'_>) -> String {
    spelt(&literal.value, SHOWN)
}

/// A literal as a help line proposes it.
pub(super) fn proposed(value: &LiteralValue<'_>) -> String {
    spelt(value, WRITTEN)
}

fn spelt(value: &LiteralValue<'_>, most: usize) -> String {
    match value {
        LiteralValue::String(text) => in_quotes(text, most),
        LiteralValue::Integer(number) => number.to_string(),
        LiteralValue::BigInteger(text) | LiteralValue::Float { text, .. } => cut(text, most).into_owned(),
        LiteralValue::Boolean(value) => value.to_string(),
        LiteralValue::Timestamp(text) => format!("t'{text}'"),
        LiteralValue::Hex(text) => format!("h'{}'", cut(text, most)),
        LiteralValue::Binary(text) => format!("b'{}'", cut(text, most)),
    }
}

/// A string literal as a message shows it.
pub(super) fn quoted(text: &str) -> String {
    in_quotes(text, SHOWN)
}

/// A string literal as a help line proposes it.
pub(super) fn written(text: &str) -> String {
    in_quotes(text, WRITTEN)
}

fn in_quotes(text: &str, most: usize) -> String {
    let mut written = String::from("'");
    for character in cut(text, most).chars() {
        match character {
            '\'' | '\\' => written.extend(['\\', character]),
            // A message is one line.
            control if control.is_control() => written.extend(control.escape_default()),
            plain => written.push(plain),
        }
    }
    written.push('\'');
    written
}

/// A key or an object type as a message shows it, which puts it into backquotes.
pub(super) fn name(name: &str) -> String {
    cut(name, SHOWN).escape_debug().collect()
}

/// A text without its end where it is longer than `most` characters.
fn cut(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

/// What kind of literal this is, with an article.
pub(super) fn kind(value: &LiteralValue<'_>) -> &'static str {
    match value {
        LiteralValue::String(_) => "a string",
        LiteralValue::Integer(_) | LiteralValue::BigInteger(_) => "an integer",
        LiteralValue::Float { .. } => "a float",
        LiteralValue::Boolean(_) => "a boolean",
        LiteralValue::Timestamp(_) => "a timestamp",
        LiteralValue::Hex(_) => "hexadecimal bytes",
        LiteralValue::Binary(_) => "base64 bytes",
    }
}

/// Whether a text is bytes in hexadecimal digits.
pub(super) fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Where bytes `start..end` of the text of a string literal stand in the source.
///
/// The literal's own span where the source does not show it, as for a literal that was rewritten.
pub(super) fn inside(source: &str, literal: Span, start: usize, end: usize) -> Span {
    let raw = literal.slice(source);
    let Some(body) = raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\'')) else { return literal };
    match (raw_offset(body, start), raw_offset(body, end)) {
        (Some(start), Some(end)) => {
            let first = literal.start as usize + 1;
            Span::new(first + start, first + end)
        }
        _ => literal,
    }
}

/// Where byte `at` of the unescaped text stands in the text with escapes.
fn raw_offset(body: &str, at: usize) -> Option<usize> {
    let mut plain = 0;
    let mut escaped = false;
    for (raw, character) in body.char_indices() {
        if escaped || character != '\\' {
            if plain >= at {
                // An escaped character begins at its backslash.
                return Some(raw - usize::from(escaped));
            }
            plain += character.len_utf8();
            escaped = false;
        } else {
            escaped = true;
        }
    }
    (plain >= at).then_some(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_inside_a_literal_count_its_escapes() {
        let source = r"x'a\\b\'c'";
        let literal = Span::new(1, source.len());
        assert_eq!(inside(source, literal, 0, 1).slice(source), "a");
        assert_eq!(inside(source, literal, 1, 2).slice(source), r"\\");
        assert_eq!(inside(source, literal, 2, 3).slice(source), "b");
        assert_eq!(inside(source, literal, 3, 4).slice(source), r"\'");
        assert_eq!(inside(source, literal, 4, 5).slice(source), "c");
        assert_eq!(inside(source, literal, 5, 5), Span::new(source.len() - 1, source.len() - 1));
        assert_eq!(inside(source, literal, 9, 10), literal);
    }

    #[test]
    fn long_and_odd_texts_are_shown_on_one_short_line() {
        assert_eq!(quoted("a\nb'c"), r"'a\nb\'c'");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), SHOWN + 3);
    }
}
