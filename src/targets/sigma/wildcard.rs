//! Sigma's plain values: text with wildcards, and the modifiers that stand for wildcards at its ends.

use super::text::YamlScalar;
use crate::plan::{LikePart, LikePattern};

/// A value of a Sigma field: literal text, and wildcards for any text (`*`) and for one character (`?`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SigmaValue(Vec<LikePart>);

impl From<&LikePattern> for SigmaValue {
    fn from(pattern: &LikePattern) -> Self {
        Self(pattern.parts().to_vec())
    }
}

impl SigmaValue {
    /// Nothing but `text`.
    pub(super) fn literal(text: &str) -> Self {
        Self::default().then(text)
    }

    /// The value with `text` behind it.
    pub(super) fn then(mut self, text: impl Into<String>) -> Self {
        LikePart::Text(text.into()).push_to(&mut self.0);
        self
    }

    /// The value with any text behind it.
    pub(super) fn then_any(mut self) -> Self {
        LikePart::Any.push_to(&mut self.0);
        self
    }

    /// The value with `other` behind it.
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        other.0.into_iter().for_each(|part| part.push_to(&mut self.0));
        self
    }

    /// As a name is spelled that `_` often stands in for itself: `HKEY_USERS`. A wildcard in front stands for nothing.
    /// `None` where there is one inside.
    pub(super) fn spelled(&self) -> Option<String> {
        self.0[usize::from(self.begins_open())..]
            .iter()
            .map(|part| match part {
                LikePart::Text(text) => Some(text.as_str()),
                LikePart::One => Some("_"),
                LikePart::Any => None,
            })
            .collect()
    }

    /// Whether it is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it begins with one of these letters.
    pub(super) fn begins_with(&self, letters: [char; 2]) -> bool {
        matches!(self.0.first(), Some(LikePart::Text(text)) if text.starts_with(letters))
    }

    /// Whether it ends with a text.
    pub(super) fn ends_with(&self, end: &str) -> bool {
        matches!(self.0.last(), Some(LikePart::Text(text)) if text.ends_with(end))
    }

    /// What stands in front of a text and behind it, where the value holds that.
    pub(super) fn split_once(&self, separator: &str) -> Option<(Self, Self)> {
        LikePart::split_once(&self.0, separator).map(|(front, behind)| (Self(front), Self(behind)))
    }

    /// The value without a character at its ends.
    pub(super) fn trimmed(mut self, ends: char) -> Self {
        if let Some(LikePart::Text(text)) = self.0.first_mut() {
            *text = text.trim_start_matches(ends).to_owned();
        }
        if let Some(LikePart::Text(text)) = self.0.last_mut() {
            text.truncate(text.trim_end_matches(ends).len());
        }
        Self::default().followed_by(self)
    }

    /// The value without a character at its end.
    pub(super) fn without_end(mut self, end: char) -> Self {
        if let Some(LikePart::Text(text)) =
            self.0.last_mut().filter(|part| matches!(part, LikePart::Text(text) if text.ends_with(end)))
        {
            text.pop();
        }
        Self::default().followed_by(self)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            LikePart::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether its literal text holds something.
    pub(super) fn has(&self, is_asked: impl Fn(&str) -> bool) -> bool {
        self.texts().any(is_asked)
    }

    /// Whether it holds a letter with two cases, which Sigma does not tell apart.
    pub(super) fn has_case(&self) -> bool {
        self.has(|text| text.chars().any(|letter| letter.is_lowercase() || letter.is_uppercase()))
    }

    /// Whether it holds a character that is no text: a line feed, a bell.
    pub(super) fn has_control(&self) -> bool {
        self.has(|text| text.bytes().any(|byte| byte < 0x20))
    }

    /// Whether it is a path with slashes only.
    pub(super) fn is_unix_path(&self) -> bool {
        self.has(|text| text.contains('/')) && !self.has(|text| text.contains('\\'))
    }

    /// Whether it has any wildcard beside one at its very beginning.
    pub(super) fn is_open_inside(&self) -> bool {
        self.0.iter().skip(usize::from(self.begins_open())).any(|part| !matches!(part, LikePart::Text(_)))
    }

    /// Whether it begins with any text.
    pub(super) fn begins_open(&self) -> bool {
        self.0.first() == Some(&LikePart::Any)
    }

    /// Whether it ends with any text.
    pub(super) fn ends_open(&self) -> bool {
        self.0.last() == Some(&LikePart::Any)
    }

    /// Whether every text matches.
    pub(super) fn is_anything(&self) -> bool {
        self.0 == [LikePart::Any]
    }

    /// Whether it says any character at all.
    pub(super) fn says_something(&self) -> bool {
        self.texts().next().is_some()
    }

    /// The value as a regular expression.
    pub(super) fn expression(&self) -> String {
        self.anchored(regex_syntax::escape) + if self.ends_open() { "" } else { "$" }
    }

    /// The value as a regular expression, but for the anchor at its end.
    pub(super) fn anchored(&self, escape: impl Fn(&str) -> String) -> String {
        let mut text = String::from(if self.begins_open() { "" } else { "^" });
        let inner = &self.0[usize::from(self.begins_open())..];
        let inner = if inner.last() == Some(&LikePart::Any) { &inner[..inner.len() - 1] } else { inner };
        for piece in inner {
            match piece {
                LikePart::Text(literal) => text.push_str(&escape(literal)),
                LikePart::Any => text.push_str(".*"),
                LikePart::One => text.push('.'),
            }
        }
        text
    }

    fn shape(&self) -> Shape {
        match self.0.as_slice() {
            [LikePart::Any, LikePart::Text(_), LikePart::Any] => Shape::Contains,
            [LikePart::Any, LikePart::Text(_)] => Shape::EndsWith,
            [LikePart::Text(_), LikePart::Any] => Shape::StartsWith,
            _ => Shape::Whole,
        }
    }

    /// As it stands in the rule: escaped for Sigma, then for YAML.
    fn write(&self, shape: Shape) -> YamlScalar {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                LikePart::Text(literal) => escape(literal, &mut text),
                LikePart::Any if shape != Shape::Whole => {}
                LikePart::Any => text.push('*'),
                LikePart::One => text.push('?'),
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

    fn like(pattern: &str) -> SigmaValue {
        SigmaValue::from(&LikePattern::parse(pattern))
    }

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
            assert_eq!(written(like(pattern)), expected);
        }
        assert!(like("%%").is_anything());
        assert!(!like("%_").says_something());
    }

    #[test]
    fn values_are_regular_expressions_too() {
        for (pattern, expected) in [("a.b", r"^a\.b$"), ("%a_b%c", "a.b.*c$"), ("a%", "^a"), ("%", "")] {
            assert_eq!(like(pattern).expression(), expected);
        }
    }

    #[test]
    fn values_of_different_shapes_keep_their_wildcards() {
        let (modifier, values) = modified(&[like("%a"), like("b%")]);
        assert_eq!(modifier, "");
        assert_eq!(values, [YamlScalar::text("*a"), YamlScalar::text("b*")]);
    }
}
