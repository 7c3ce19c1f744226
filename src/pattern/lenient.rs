//! Reading patterns as feeds write them.

use crate::diagnostic::Code;

/// A key with a hyphen and without quotes.
pub const HYPHEN_KEY: Code = Code("W001");
/// A single backslash in a text.
pub const BACKSLASH: Code = Code("W002");
/// Typographic quotes around a text.
pub const TYPOGRAPHIC_QUOTES: Code = Code("W003");
/// Double quotes around a text.
pub const DOUBLE_QUOTES: Code = Code("W004");
/// A keyword in the wrong case.
pub const KEYWORD_CASE: Code = Code("W005");
/// The times of START and STOP as the other version of STIX writes them.
pub const OTHER_VERSION: Code = Code("W006");
/// A character that can't be seen.
pub const INVISIBLE: Code = Code("W007");
/// A semicolon behind the pattern.
pub const SEMICOLON: Code = Code("W008");
