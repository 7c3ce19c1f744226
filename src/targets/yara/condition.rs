//! Conditions: how one test is written down.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::text::YaraString;
use crate::{
    hex,
    plan::{Hash, HashAlgorithm, Operator, Test, ValueKind},
    stix::Timestamp,
};

/// The type of an expression of the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Holds {
    /// Hexadecimal digits of a digest, in small letters.
    Hash,
    /// The same for an import hash, which the plan does not know as a hash. It is an MD5.
    Imphash,
    /// A number.
    Integer,
    /// A number that STIX writes as hexadecimal digits.
    Hex,
    /// Seconds since 1970.
    Time,
    /// Text.
    Text,
    /// The name of a section of a PE file, which has room for eight bytes (PE format, section headers).
    Section,
    /// The whole content. The expression is the digest by which it is compared.
    Content,
}

/// Why a test can't be written down.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unwritable {
    /// By its operator.
    Operator(String),
    /// By one of its values.
    Value(String),
}

/// The comparisons of `expression` with each value: one must hold, or, for a negated test, all.
pub(super) fn comparisons(expression: &str, holds: Holds, test: &Test) -> Result<Vec<String>, Unwritable> {
    let operator = symbol(test.operator, test.negated)
        .filter(|_| {
            test.operator == Operator::Equal
                || !matches!(holds, Holds::Hash | Holds::Imphash | Holds::Text | Holds::Section | Holds::Content)
        })
        .ok_or_else(|| {
            Unwritable::Operator(format!("YARA can't compare {} by {}", test.property.path, test.operator))
        })?;
    test.values
        .iter()
        .map(|value| {
            comparison(expression, holds, operator, test.negated, &value.kind)
                .ok_or_else(|| Unwritable::Value(format!("{value} is no value of {}", test.property.path)))
        })
        .collect()
}

fn comparison(expression: &str, holds: Holds, operator: &str, negated: bool, value: &ValueKind) -> Option<String> {
    if let (Holds::Content, ValueKind::Bytes(bytes)) = (holds, value) {
        let (size, digest) = (bytes.len(), hex::encode(&Sha256::digest(bytes)));
        let joint = if negated { "or" } else { "and" };
        return Some(format!("(filesize {operator} {size} {joint} {expression} {operator} \"{digest}\")"));
    }
    let literal = match (holds, value) {
        (Holds::Hash, ValueKind::Hash(hash)) => Some(format!("\"{}\"", hash.hex())),
        (Holds::Imphash, ValueKind::Text(text)) => {
            Hash::parse(HashAlgorithm::Md5, text).map(|hash| format!("\"{}\"", hash.hex()))
        }
        (Holds::Integer, ValueKind::Integer(number)) => integer(*number),
        (Holds::Hex, ValueKind::Text(digits)) => hex_number(digits).and_then(integer),
        (Holds::Hex, ValueKind::Bytes(bytes)) => hex_number(&hex::encode(bytes)).and_then(integer),
        (Holds::Time, ValueKind::Timestamp(text) | ValueKind::Text(text)) => {
            text.parse().ok().and_then(seconds).and_then(integer)
        }
        (Holds::Section, ValueKind::Text(text)) if text.len() > 8 && !negated => None,
        (Holds::Text | Holds::Section, ValueKind::Text(text)) => YaraString::whole(text).map(|text| text.to_string()),
        _ => None,
    };
    literal.map(|literal| format!("{expression} {operator} {literal}"))
}

fn symbol(operator: Operator, negated: bool) -> Option<&'static str> {
    // Never `not (...)`: a field that a file does not have is undefined, and every comparison with it is false, as in STIX.
    Some(match (operator, negated) {
        (Operator::Equal, false) => "==",
        (Operator::Equal, true) => "!=",
        (Operator::Less, false) | (Operator::GreaterOrEqual, true) => "<",
        (Operator::LessOrEqual, false) | (Operator::Greater, true) => "<=",
        (Operator::Greater, false) | (Operator::LessOrEqual, true) => ">",
        (Operator::GreaterOrEqual, false) | (Operator::Less, true) => ">=",
        _ => return None,
    })
}

/// Both engines read a sign and a number; the smallest number has no positive twin.
fn integer(number: i64) -> Option<String> {
    (number != i64::MIN).then(|| number.to_string())
}

fn hex_number(digits: &str) -> Option<i64> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(digits)
        .and_then(|digits| i64::from_str_radix(digits, 16).ok())
}

/// A moment in whole seconds; a moment between two can't be one of a file's.
fn seconds(moment: Timestamp) -> Option<i64> {
    (moment.subsecond_nanoseconds() == 0).then(|| moment.unix_seconds())
}
