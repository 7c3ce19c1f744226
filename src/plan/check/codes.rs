//! Codes that several parts of the check report.

use crate::diagnostic::Code;

/// A timestamp written as a string.
pub const TIMESTAMP_AS_STRING: Code = Code("W112");
/// A comparison that every value satisfies.
pub const ALWAYS_HOLDS: Code = Code("W117");
/// Bytes written as a string.
pub const BYTES_AS_STRING: Code = Code("W113");
/// A wildcard where none works.
pub const WILDCARD: Code = Code("W120");
