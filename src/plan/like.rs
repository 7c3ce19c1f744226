//! The patterns of LIKE (STIX 2.1, section 9.6.1).

use std::sync::Arc;

/// A pattern of LIKE, taken apart. A clone shares the parts.
///
/// ```
/// use stixc::plan::{LikePart, LikePattern};
/// let pattern = LikePattern::parse("%%a_");
/// assert_eq!(pattern.parts(), [LikePart::Any, LikePart::Text("a".into()), LikePart::One]);
/// assert_eq!(pattern.text(), "%%a_");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LikePattern(Arc<(Box<str>, Box<[LikePart]>)>);

/// A part of a pattern of LIKE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LikePart {
    /// These characters.
    Text(String),
    /// `_`: one character.
    One,
    /// `%`: any text.
    Any,
}

impl LikePart {
    /// The characters, where it is no wildcard.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::One | Self::Any => None,
        }
    }
}

impl LikePattern {
    /// Takes a pattern apart: `%` is any text, `_` one character, and nothing escapes them.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        for piece in text.split_inclusive(['%', '_']) {
            let wildcard = if piece.ends_with('%') { LikePart::Any } else { LikePart::One };
            match piece.strip_suffix(['%', '_']) {
                Some(front) => {
                    LikePart::Text(front.to_owned()).push_to(&mut parts);
                    wildcard.push_to(&mut parts);
                }
                None => LikePart::Text(piece.to_owned()).push_to(&mut parts),
            }
        }
        Self(Arc::new((text.into(), parts.into())))
    }

    /// The pattern that has these parts.
    #[must_use]
    pub fn from_parts(of: impl IntoIterator<Item = LikePart>) -> Self {
        let mut parts = Vec::new();
        of.into_iter().for_each(|part| part.push_to(&mut parts));
        let signs = |part: &LikePart| match part {
            LikePart::Text(text) => text.clone(),
            LikePart::One => "_".to_owned(),
            LikePart::Any => "%".to_owned(),
        };
        let text: String = parts.iter().map(signs).collect();
        Self(Arc::new((text.into(), parts.into())))
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.0
    }

    /// Its parts. Neither two texts nor two wildcards for any text stand side by side.
    #[must_use]
    pub fn parts(&self) -> &[LikePart] {
        &self.0.1
    }
}

impl LikePart {
    /// Puts the part behind others.
    pub(crate) fn push_to(self, parts: &mut Vec<Self>) {
        match (parts.last_mut(), self) {
            (Some(Self::Any), Self::Any) => {}
            (_, Self::Text(text)) if text.is_empty() => {}
            (Some(Self::Text(last)), Self::Text(text)) => last.push_str(&text),
            (_, part) => parts.push(part),
        }
    }

    /// The parts in front of a text and behind it, where one of them holds it.
    pub(crate) fn split_once(parts: &[Self], separator: &str) -> Option<(Vec<Self>, Vec<Self>)> {
        let (index, (front, behind)) = parts.iter().enumerate().find_map(|(index, part)| match part {
            Self::Text(text) => Some((index, text.split_once(separator)?)),
            _ => None,
        })?;
        let (mut before, mut after) = (parts[..index].to_vec(), Vec::new());
        Self::Text(front.to_owned()).push_to(&mut before);
        Self::Text(behind.to_owned()).push_to(&mut after);
        after.extend_from_slice(&parts[index + 1..]);
        Some((before, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_split_at_literal_text_only() {
        let split = |pattern: &str, separator| {
            let (front, behind) = LikePart::split_once(LikePattern::parse(pattern).parts(), separator)?;
            let text = |parts| LikePattern::from_parts(parts).text().to_owned();
            Some((text(front), text(behind)))
        };
        let some = |front: &str, behind: &str| Some((front.to_owned(), behind.to_owned()));
        assert_eq!(split("http://%.x/a_", "://"), some("http", "%.x/a_"));
        assert_eq!(split("%%/_/", "/"), some("%", "_/"));
        assert_eq!(split("/%", "/"), some("", "%"));
        assert_eq!(split("a%", "%"), None);
    }
}
