//! What is wrong with one object, and where it stands in the file.

use std::{fmt, str::Utf8Error};

use super::codes;
use crate::diagnostic::{Diagnostic, coded};

/// A diagnostic about one place of an input.
///
/// The position is kept beside the diagnostic, not in its span: an input may be larger than a span can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// First byte of the place, counted from the start of the input.
    pub offset: u64,
    /// Its line, counted from 1.
    pub line: u64,
    /// Its column, counted from 1, in characters.
    pub column: u64,
    /// The id of the object, where it could be read.
    pub id: Option<String>,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, line, column, diagnostic, .. } = self;
        write!(formatter, "line {line}, column {column} (byte {offset}): {diagnostic}")?;
        self.id.iter().try_for_each(|id| write!(formatter, " ({id})"))
    }
}

/// Why one object could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct ObjectError {
    /// What is wrong.
    #[source]
    pub kind: ObjectErrorKind,
    /// The id of the object, where it could be read.
    pub id: Option<String>,
    /// Where, in bytes from the object's first byte.
    pub offset: usize,
}

coded! {
    /// The kinds of [`ObjectError`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ObjectErrorKind {
        /// The object holds bytes that are not UTF-8.
        (codes::BAD_OBJECT), Encoding, error("the object is not UTF-8");
        /// The text between the object's braces is not JSON.
        (codes::BAD_OBJECT), Syntax { /** What the parser says. */ message: String },
            error("the object is not JSON: {message}");
        /// The object is of another type.
        (codes::WRONG_TYPE), Type { /** The type that was due. */ expected: &'static str },
            error("the object is not of type `{expected}`");
        /// A property without which the object has no meaning is missing, null or empty.
        (codes::MISSING), Missing { /** The property's name. */ property: &'static str }, error("`{property}` is missing");
        /// A property without which the object has no meaning holds the wrong kind of value.
        (codes::WRONG_TYPE), WrongType {
            /// The property's name.
            property: &'static str,
            /// The kind of value that it holds, with its article.
            found: &'static str,
            /// The kind of value that was due, with its article.
            expected: &'static str,
        },
            error("`{property}` is {found}, not {expected}");
        /// A property that decides on the meaning is given twice; which one counts nobody can know.
        (codes::DUPLICATE), Duplicate { /** The property's name. */ property: String }, error("`{property}` is given twice");
    }
}

impl ObjectError {
    /// The same as a diagnostic, without the position.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        self.kind.diagnostic()
    }

    /// An error of serde_json about the object `raw`.
    pub(super) fn syntax(raw: &[u8], error: &serde_json::Error) -> Self {
        let text = error.to_string();
        // serde_json ends its message with a position inside the object; ours is inside the file.
        let message = text.split(" at line ").next().unwrap_or(&text);
        let kind = match message.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`')) {
            Some(property) => ObjectErrorKind::Duplicate { property: property.to_owned() },
            None => ObjectErrorKind::Syntax { message: message.to_owned() },
        };
        Self { offset: offset_of(raw, error), ..Self::new(raw, kind) }
    }

    /// Bytes of the object `raw` that are not UTF-8.
    pub(super) fn encoding(raw: &[u8], error: Utf8Error) -> Self {
        Self { offset: error.valid_up_to(), ..Self::new(raw, ObjectErrorKind::Encoding) }
    }

    /// An error about the object `raw` as a whole.
    pub(super) fn new(raw: &[u8], kind: ObjectErrorKind) -> Self {
        Self { kind, id: salvage_id(raw), offset: 0 }
    }
}

/// The byte that serde_json's line and column (both counted from 1, the column in bytes) point at.
fn offset_of(raw: &[u8], error: &serde_json::Error) -> usize {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', raw).nth(line - 2).map_or(0, |newline| newline + 1),
    };
    (line_start + error.column().saturating_sub(1)).min(raw.len().saturating_sub(1))
}

/// The first string under a key `id` of a text that may not be JSON: only to name the object in a message.
fn salvage_id(raw: &[u8]) -> Option<String> {
    let after_key = memchr::memmem::find(raw, b"\"id\"")? + "\"id\"".len();
    let value = raw[after_key..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr3(b'"', b'\\', b'\n', value).filter(|&end| value[end] == b'"')?;
    Some(std::str::from_utf8(&value[..end]).ok()?.to_owned())
}
