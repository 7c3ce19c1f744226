//! Where something stands in a text.

use serde::{Serialize, Serializer, ser::SerializeTuple};

/// A half-open range of bytes in the text that was read: `start` is the first byte, `end` the one after the last.
///
/// Serialised as the pair `[start, end]`. Lines and columns are worked out only where a person reads them
/// (see [`Span::line_column`]), so that carrying a span costs eight bytes and no counting.
///
/// ```
/// use stixc::span::Span;
/// let text = "[a:b = 1]";
/// assert_eq!(Span::new(1, 4).slice(text), "a:b");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte `start` up to byte `end`. Offsets past `u32::MAX` saturate: no pattern is that long.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end) }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The smallest span that holds all of these; empty, at the start of the text, where there is none.
    #[must_use]
    pub fn covering(spans: impl IntoIterator<Item = Self>) -> Self {
        spans.into_iter().reduce(Self::to).unwrap_or_default()
    }

    /// The text under the span; empty where the span does not fit `text`.
    #[must_use]
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Line and column of the first byte, both counted from 1, the column in characters.
    ///
    /// ```
    /// use stixc::span::Span;
    /// assert_eq!(Span::new(4, 5).line_column("ä\nb c"), (2, 2));
    /// ```
    #[must_use]
    pub fn line_column(self, text: &str) -> (usize, usize) {
        let mut start = (self.start as usize).min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.start)?;
        pair.serialize_element(&self.end)?;
        pair.end()
    }
}
