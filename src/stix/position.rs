//! Where something stands in the file that an object was read from.

use std::ops::Range;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    batch::{Object, column_after, newlines},
    fault::{Fault, ObjectError},
    object,
};
use crate::diagnostic::Diagnostic;

/// A place in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub offset: u64,
    /// Its line, counted from 1.
    pub line: u64,
    /// Its column, counted from 1, in characters.
    pub column: u64,
}

impl Position {
    /// What is wrong there, with the object `id`.
    #[must_use]
    pub fn fault(self, id: Option<&str>, diagnostic: Diagnostic) -> Fault {
        let Self { offset, line, column } = self;
        Fault { offset, line, column, id: id.map(str::to_owned), diagnostic }
    }
}

/// A text in JSON, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted<'b> {
    /// From quote to quote, with its escapes.
    pub json: &'b str,
    /// The opening quote.
    pub position: Position,
}

#[derive(Deserialize)]
struct Patterned<'a> {
    #[serde(borrow)]
    pattern: &'a RawValue,
}

impl<'b> Object<'b> {
    /// Makes sure that its text is JSON: whoever does not read an object knows nothing of it.
    ///
    /// # Errors
    /// A text that is not.
    pub fn check(&self) -> Result<(), ObjectError> {
        object::parse::<IgnoredAny>(self.raw).map(drop)
    }

    /// What is wrong with it, with its position in the input.
    #[must_use]
    pub fn fault(&self, error: &ObjectError) -> Fault {
        self.position(error.offset).fault(error.id.as_deref(), error.diagnostic())
    }

    /// Where the byte `at` of the object stands in the input.
    #[must_use]
    pub fn position(&self, at: usize) -> Position {
        let before = &self.raw[..at.min(self.raw.len())];
        let (line, column) = self.start();
        Position {
            offset: self.offset + before.len() as u64,
            line: line + newlines(before),
            column: column_after(column, before) + 1,
        }
    }

    /// Its own `pattern` as it is written; `None` where it has none, or several, or one that is no string.
    ///
    /// ```
    /// use stixc::stix::BundleReader;
    /// let file = br#"{"type": "indicator", "x": {"pattern": "no"}, "pattern": "[a:b = \u0027c\u0027]"}"#;
    /// let batch = BundleReader::new(file.as_slice()).next().unwrap();
    /// let pattern = batch.objects().next().unwrap().pattern().unwrap();
    /// assert_eq!(pattern.json, r#""[a:b = \u0027c\u0027]""#);
    /// assert_eq!(pattern.position.column, 58);
    /// ```
    #[must_use]
    pub fn pattern(&self) -> Option<Quoted<'b>> {
        let json = object::parse::<Patterned<'b>>(self.raw).ok()?.pattern.get();
        let at = json.as_ptr().addr().checked_sub(self.raw.as_ptr().addr())?;
        json.starts_with('"').then(|| Quoted { json, position: self.position(at) })
    }
}

/// Where the bytes `text` of a string stand in its JSON, quotes included.
///
/// ```
/// assert_eq!(stixc::stix::json_range(r#""\u0027é\"x""#, 1..4), 7..11);
/// ```
#[must_use]
pub fn json_range(json: &str, text: Range<usize>) -> Range<usize> {
    let bytes = json.as_bytes();
    let last = bytes.len().saturating_sub(1);
    let (mut at, mut decoded) = (1.min(last), 0);
    let mut reach = |goal: usize| {
        while decoded < goal && at < last {
            let (written, length) = character(&bytes[at..]);
            at += written;
            decoded += length;
        }
        at.min(last)
    };
    let start = reach(text.start);
    start..reach(text.end)
}

/// Bytes of the next character, or of a part of one without escape: in JSON, and in the text.
fn character(json: &[u8]) -> (usize, usize) {
    match json {
        [b'\\', b'u', digits @ ..] => {
            let digits = digits.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).map(char::from_u32) {
                Some(Some(character)) => (6, character.len_utf8()),
                // Half of a pair: a parser lets no other through.
                _ => (12, 4),
            }
        }
        [b'\\', ..] => (2, 1),
        _ => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::json_range;

    #[test]
    fn every_character_is_found_among_escapes() {
        let json = r#""a\n\u00e9\ud83d\ude00é\\\"z""#;
        let text: String = serde_json::from_str(json).expect("a string");
        for (at, character) in text.char_indices() {
            let range = json_range(json, at..at + character.len_utf8());
            let alone: String = serde_json::from_str(&format!("\"{}\"", &json[range])).expect("a character");
            assert_eq!(alone, character.to_string());
        }
        assert_eq!(json_range(json, text.len()..text.len()), json.len() - 1..json.len() - 1);
        assert_eq!(json_range("\"\"", 0..9), 1..1);
        assert_eq!(json_range("", 0..9), 0..0);
    }
}
