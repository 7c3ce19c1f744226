//! What an object is, read from its text alone.

use std::borrow::Cow;

use serde::Deserialize;

use super::{
    fault::{ObjectError, ObjectErrorKind},
    lenient::{Reading, Text},
    scan::{self, Members},
};

/// The `type` of the object `raw`, without parsing the rest of it where `type` comes first.
///
/// `None` where there is no such property, or its value is no string, or what comes before it is not JSON.
///
/// ```
/// use stixc::stix::object_type;
/// assert_eq!(object_type(br#"{"type": "indicator", "pattern": 5}"#).as_deref(), Some("indicator"));
/// assert_eq!(object_type(br#"{"id": "x"}"#), None);
/// ```
#[must_use]
pub fn object_type(raw: &[u8]) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix(b"{")?;
    let mut found = None;
    if let Members::Objects(_) = scan::members(inside, 0, false, &mut found) {
        return Some(Cow::Borrowed("bundle"));
    }
    type_text(raw, found.map(|range| &inside[range]))
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type", default)]
    object_type: Reading<Text<'a>>,
}

/// The type from where the scanner found it; a type that it missed, or one with escapes, is left to the JSON parser.
pub(super) fn type_text<'a>(raw: &'a [u8], found: Option<&'a [u8]>) -> Option<Cow<'a, str>> {
    match found {
        Some(text) if !text.contains(&b'\\') => std::str::from_utf8(text).ok().map(Cow::Borrowed),
        _ => parse::<Typed>(raw).ok()?.object_type.value().map(|text| text.0),
    }
}

/// Why the object `raw` has no type.
///
/// # Errors
/// If it is not JSON, or its `type` is missing or no string.
pub(super) fn has_type(raw: &[u8]) -> Result<(), ObjectError> {
    let property = "type";
    let kind = match parse::<Typed>(raw)?.object_type {
        Reading::Value(_) => return Ok(()),
        Reading::Absent => ObjectErrorKind::Missing { property },
        Reading::Partly(_, found) | Reading::Wrong(found) => {
            ObjectErrorKind::WrongType { property, found, expected: "a string" }
        }
    };
    Err(ObjectError::new(raw, kind))
}

/// Parses the properties of one object. Checking all of it for UTF-8 at once is cheaper than each string by itself.
pub(super) fn parse<'a, T: Deserialize<'a>>(raw: &'a [u8]) -> Result<T, ObjectError> {
    let text = std::str::from_utf8(raw).map_err(|error| ObjectError::encoding(raw, error))?;
    serde_json::from_str(text).map_err(|error| ObjectError::syntax(raw, &error))
}
