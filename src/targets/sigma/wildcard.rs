//! Sigma's plain values: text with wildcards, and the modifiers that stand for wildcards at its ends.

use super::text::YamlScalar;

/// A piece of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Characters that stand for themselves.
    Literal(String),
    /// Any text, `*`.
    Any,
    /// One character, `?`.
    One,
}

/// A value of a Sigma field: literal text and wildcards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SigmaValue(Vec<Piece>);

impl SigmaValue {
    /// Nothing but `text`.
    pub(super) fn literal(text: &str) -> Self {
        Self::default().then(text)
    }

    /// The meaning of a STIX LIKE pattern: `%` is any text, `_` one character.
    pub(super) fn like(pattern: &str) -> Self {
        let mut value = Self::default();
        let mut rest = pattern;
        while let Some(position) = rest.find(['%', '_']) {
            value = value.then(&rest[..position]);
            value = if rest[position..].starts_with('%') { value.then_any() } else { value.then_one() };
            rest = &rest[position + 1..];
        }
        value.then(rest)
    }

    /// The value with `text` behind it.
    pub(super) fn then(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Literal(last)) => last.push_str(&text),
            _ => self.0.push(Piece::Literal(text)),
        }
        self
    }

    /// The value with any text behind it.
    pub(super) fn then_any(mut self) -> Self {
        if self.0.last() != Some(&Piece::Any) {
            self.0.push(Piece::Any);
        }
        self
    }

    fn then_one(mut self) -> Self {
        self.0.push(Piece::One);
        self
    }

    /// The value with `other` behind it.
    pub(super) fn followed_by(self, other: Self) -> Self {
        other.0.into_iter().fold(self, |value, piece| match piece {
            Piece::Literal(text) => value.then(text),
            Piece::Any => value.then_any(),
            Piece::One => value.then_one(),
        })
    }

    /// Whether it holds a letter with two cases, which Sigma does not tell apart.
    pub(super) fn has_case(&self) -> bool {
        let cased = |text: &String| text.chars().any(|letter| letter.is_lowercase() || letter.is_uppercase());
        self.0.iter().any(|piece| matches!(piece, Piece::Literal(text) if cased(text)))
    }

    /// Whether it holds a character that is no text: a line feed, a bell.
    pub(super) fn has_control(&self) -> bool {
        let control = |text: &String| text.bytes().any(|byte| byte < 0x20);
        self.0.iter().any(|piece| matches!(piece, Piece::Literal(text) if control(text)))
    }

    /// Whether it has any wildcard beside one at its very beginning.
    pub(super) fn is_open_inside(&self) -> bool {
        self.0.iter().skip(usize::from(self.begins_open())).any(|piece| !is_literal(piece))
    }

    /// Whether it begins with any text.
    pub(super) fn begins_open(&self) -> bool {
        self.0.first() == Some(&Piece::Any)
    }

    /// Whether it ends with any text.
    pub(super) fn ends_open(&self) -> bool {
        self.0.last() == Some(&Piece::Any)
    }

    /// Whether every text matches.
    pub(super) fn is_anything(&self) -> bool {
        self.0 == [Piece::Any]
    }

    /// Whether it says any character at all.
    pub(super) fn says_something(&self) -> bool {
        self.0.iter().any(is_literal)
    }

    /// The value as a regular expression.
    pub(super) fn expression(&self) -> String {
        let mut text = String::from(if self.begins_open() { "" } else { "^" });
        let inner = &self.0[usize::from(self.begins_open())..];
        let inner = if inner.last() == Some(&Piece::Any) { &inner[..inner.len() - 1] } else { inner };
        for piece in inner {
            match piece {
                Piece::Literal(literal) => text.push_str(&regex_syntax::escape(literal)),
                Piece::Any => text.push_str(".*"),
                Piece::One => text.push('.'),
            }
        }
        if !self.ends_open() {
            text.push('$');
        }
        text
    }

    fn shape(&self) -> Shape {
        match self.0.as_slice() {
            [Piece::Any, Piece::Literal(_), Piece::Any] => Shape::Contains,
            [Piece::Any, Piece::Literal(_)] => Shape::EndsWith,
            [Piece::Literal(_), Piece::Any] => Shape::StartsWith,
            _ => Shape::Whole,
        }
    }

    /// As it stands in the rule: escaped for Sigma, then for YAML.
    fn write(&self, shape: Shape) -> YamlScalar {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => escape(literal, &mut text),
                Piece::Any if shape != Shape::Whole => {}
                Piece::Any => text.push('*'),
                Piece::One => text.push('?'),
            }
        }
        YamlScalar::text(&text)
    }
}

/// The place of a value's wildcards, which decides on its modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Whole,
    Contains,
    StartsWith,
    EndsWith,
}

/// The modifier that a list of values shares, and the values as they stand behind it.
pub(super) fn modified(values: &[SigmaValue]) -> (&'static str, Vec<YamlScalar>) {
    let mut shapes = values.iter().map(SigmaValue::shape);
    let first = shapes.next().unwrap_or(Shape::Whole);
    let shape = if shapes.all(|shape| shape == first) { first } else { Shape::Whole };
    let modifier = match shape {
        Shape::Whole => "",
        Shape::Contains => "|contains",
        Shape::StartsWith => "|startswith",
        Shape::EndsWith => "|endswith",
    };
    (modifier, values.iter().map(|value| value.write(shape)).collect())
}

fn is_literal(piece: &Piece) -> bool {
    matches!(piece, Piece::Literal(_))
}

/// Sigma's escapes, in the form that people write: a backslash is doubled only where a single one would be read as an
/// escape, that is in front of a backslash, of a wildcard, and at the end.
fn escape(literal: &str, out: &mut String) {
    let mut characters = literal.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' | '?' => {
                out.push('\\');
                out.push(character);
            }
            '\\' if matches!(characters.peek(), None | Some('\\' | '*' | '?')) => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: SigmaValue) -> String {
        let (modifier, values) = modified(&[value]);
        format!("{modifier} {}", values[0].as_str())
    }

    #[test]
    fn escapes_backslashes_and_wildcards() {
        for (text, expected) in [
            (r"a\b", r" 'a\b'"),
            (r"a\\b", r" 'a\\\b'"),
            (r"\\srv\share", r" '\\\srv\share'"),
            (r"x\", r" 'x\\'"),
            ("a*b?", r" 'a\*b\?'"),
            (r"a\*", r" 'a\\\*'"),
            ("100%", " '100%'"),
        ] {
            assert_eq!(written(SigmaValue::literal(text)), expected);
        }
    }

    #[test]
    fn like_becomes_wildcards_or_modifiers() {
        for (pattern, expected) in [
            ("%a%", "|contains 'a'"),
            ("a%", "|startswith 'a'"),
            ("%%a", "|endswith 'a'"),
            ("a%b_c*", r" 'a*b?c\*'"),
            (r"C:\%", r"|startswith 'C:\\'"),
            ("%a_", " '*a?'"),
        ] {
            assert_eq!(written(SigmaValue::like(pattern)), expected);
        }
        assert!(SigmaValue::like("%%").is_anything());
        assert!(!SigmaValue::like("%_").says_something());
    }

    #[test]
    fn values_are_regular_expressions_too() {
        for (pattern, expected) in [("a.b", r"^a\.b$"), ("%a_b%c", "a.b.*c$"), ("a%", "^a"), ("%", "")] {
            assert_eq!(SigmaValue::like(pattern).expression(), expected);
        }
    }

    #[test]
    fn values_of_different_shapes_keep_their_wildcards() {
        let (modifier, values) = modified(&[SigmaValue::like("%a"), SigmaValue::like("b%")]);
        assert_eq!(modifier, "");
        assert_eq!(values, [YamlScalar::text("*a"), YamlScalar::text("b*")]);
    }
}
