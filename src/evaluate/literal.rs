//! Comparing a property with a literal (STIX 2.1, section 9.6.1).

use std::{borrow::Cow, cmp::Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{error::EvaluateError, value::Value};
use crate::{
    hex,
    pattern::{Literal, LiteralValue},
    span::Span,
    stix::Timestamp,
};

/// A literal, ready to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Text(Box<str>),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Instant(Timestamp),
    Bytes(Box<[u8]>),
}

impl Constant {
    /// # Errors
    /// If it is a timestamp that the calendar doesn't have.
    pub(super) fn new(literal: &Literal<'_>) -> Result<Self, EvaluateError> {
        Ok(match &literal.value {
            LiteralValue::String(text) => Self::Text(text.as_ref().into()),
            LiteralValue::Integer(number) => Self::Integer((*number).into()),
            LiteralValue::BigInteger(text) => match text.parse() {
                Ok(number) => Self::Integer(number),
                // The grammar has made sure that it is a number.
                Err(_) => Self::Float(text.parse().unwrap_or(f64::NAN)),
            },
            LiteralValue::Float { value, .. } => Self::Float(*value),
            LiteralValue::Boolean(value) => Self::Boolean(*value),
            LiteralValue::Timestamp(text) => Self::instant(text, literal.span)?,
            LiteralValue::Hex(text) => Self::Bytes(hex::decode(text).unwrap_or_default().into()),
            LiteralValue::Binary(text) => Self::Bytes(STANDARD.decode(text).unwrap_or_default().into()),
        })
    }

    /// # Errors
    /// If it is a timestamp that the calendar doesn't have.
    pub(crate) fn instant(text: &str, span: Span) -> Result<Self, EvaluateError> {
        let bad = || EvaluateError::BadTimestamp { text: text.to_owned(), span };
        instant(text).map(Self::Instant).ok_or_else(bad)
    }

    /// Whether both literals may stand in one set: they are of one type, integers and floats being one.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        let kind = |constant: &Self| match constant {
            Self::Text(_) => 0,
            Self::Integer(_) | Self::Float(_) => 1,
            Self::Boolean(_) => 2,
            Self::Instant(_) => 3,
            Self::Bytes(_) => 4,
        };
        kind(self) == kind(other)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The order of a property's value against the literal; `None` where the two have none.
    ///
    /// Booleans are ordered only in that equal ones are equal: the grammar has no other comparison of them.
    pub(super) fn order(&self, value: &Value) -> Option<Ordering> {
        match (value, self) {
            (Value::Text(text), Self::Text(other)) => Some(text.as_ref().cmp(other.as_ref())),
            (Value::Text(text), Self::Instant(other)) => Some(instant(text)?.cmp(other)),
            (Value::Text(text), Self::Bytes(other)) => Some(bytes(text)?.as_slice().cmp(other)),
            (Value::Bytes(value), Self::Bytes(other)) => Some(value.cmp(other)),
            (Value::Bytes(value), Self::Text(other)) => Some(value.as_ref().cmp(bytes(other)?.as_slice())),
            (Value::Integer(value), Self::Integer(other)) => Some(value.cmp(other)),
            (Value::Integer(value), Self::Float(other)) => integer_and_float(*value, *other),
            (Value::Float(value), Self::Integer(other)) => integer_and_float(*other, *value).map(Ordering::reverse),
            (Value::Float(value), Self::Float(other)) => value.partial_cmp(other),
            (Value::Boolean(value), Self::Boolean(other)) => Some(value.cmp(other)),
            _ => None,
        }
    }

    pub(super) fn equals(&self, value: &Value) -> bool {
        self.order(value) == Some(Ordering::Equal)
    }
}

/// Compares without the rounding that a cast of a large integer would bring.
fn integer_and_float(integer: i128, float: f64) -> Option<Ordering> {
    // 2^127, the first float that no i128 reaches.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float < -BEYOND {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    // Within the range, and without a fraction: the cast is exact.
    Some(integer.cmp(&(whole as i128)).then_with(|| 0.0_f64.total_cmp(&(float - whole + 0.0))))
}

/// The bytes of a text by code points; `None` where one is beyond a byte.
fn bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// The text that LIKE and MATCHES look at; bytes are read by code points.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bytes(bytes) => Some(Cow::Owned(bytes.iter().copied().map(char::from).collect())),
        _ => None,
    }
}

/// A timestamp in the standard's form, and only in that: other properties must not be taken for one.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.get(10) != Some(&b'T') || bytes.last() != Some(&b'Z') {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_integers_are_not_rounded() {
        let two_to_53 = 1_i128 << 53;
        assert_eq!(integer_and_float(two_to_53 + 1, 9_007_199_254_740_992.0), Some(Ordering::Greater));
        assert_eq!(integer_and_float(two_to_53, 9_007_199_254_740_992.0), Some(Ordering::Equal));
        assert_eq!(integer_and_float(5, 5.5), Some(Ordering::Less));
        assert_eq!(integer_and_float(-5, -5.5), Some(Ordering::Greater));
        assert_eq!(integer_and_float(0, -0.0), Some(Ordering::Equal));
        assert_eq!(integer_and_float(i128::MAX, f64::INFINITY), Some(Ordering::Less));
        assert_eq!(integer_and_float(1, f64::NAN), None);
    }
}
