//! JSON values as patterns see them.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use crate::hex;

/// A property's value, or an object.
///
/// The text of a property whose name ends in `_hex` or `_bin` is held as the bytes that it stands for (STIX 2.1,
/// sections 2.3 and 2.8), as long as it stands for any.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, which the standard doesn't allow and some feeds send.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// An integer.
    Integer(i128),
    /// A number with a fraction, or one beyond 64 bits.
    Float(f64),
    /// A string.
    Text(Box<str>),
    /// A `_hex` or `_bin` property.
    Bytes(Box<[u8]>),
    /// A list.
    List(Vec<Value>),
    /// An object or a dictionary.
    Map(Map),
}

/// An object or a dictionary: its keys in order, each once. Where one is given twice, the last one counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(Vec<(Box<str>, Value)>);

impl Map {
    /// A JSON object as patterns see it.
    #[must_use]
    pub fn from_json(object: &serde_json::Map<String, serde_json::Value>) -> Self {
        // Any JSON value is a value.
        let value = |(key, value): (&String, &serde_json::Value)| {
            Some((key.as_str().into(), decoded(key, Value::deserialize(value).ok()?)))
        };
        object.iter().filter_map(value).collect()
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(other, _)| other.as_ref().cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// The object or dictionary under `key`; an empty one where there is none.
    pub(super) fn into_map(self, key: &str) -> Self {
        let found = self.0.into_iter().find(|(other, _)| other.as_ref() == key);
        match found {
            Some((_, Value::Map(map))) => map,
            _ => Self::default(),
        }
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// The value of `key`, if it is a string.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromIterator<(Box<str>, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Value)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        // The sort is stable: of equal keys the last one stays last, and is the one that is kept.
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.reverse();
        entries.dedup_by(|(one, _), (other, _)| one == other);
        entries.reverse();
        Self(entries)
    }
}

/// Decodes the text of a property by the suffix of its name.
fn decoded(key: &str, value: Value) -> Value {
    let Value::Text(text) = &value else { return value };
    let bytes = if key.ends_with("_hex") {
        hex::decode(text)
    } else if key.ends_with("_bin") {
        STANDARD.decode(text.as_bytes()).ok()
    } else {
        None
    };
    bytes.map_or(value, |bytes| Value::Bytes(bytes.into()))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(Box<str>, Value)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<Box<str>, Value>()? {
            let value = decoded(&key, value);
            entries.push((key, value));
        }
        Ok(Value::Map(entries.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_decoded_and_the_last_of_equal_keys_counts() {
        let value: Value = serde_json::from_str(r#"{"a_hex":"00fF","b_bin":"AQI=","c_hex":"0","a":1,"a":2}"#).unwrap();
        let Value::Map(map) = value else { panic!("an object is a map") };
        assert_eq!(map.get("a_hex"), Some(&Value::Bytes([0, 255].into())));
        assert_eq!(map.get("b_bin"), Some(&Value::Bytes([1, 2].into())));
        assert_eq!(map.text("c_hex"), Some("0"));
        assert_eq!(map.get("a"), Some(&Value::Integer(2)));
        assert_eq!(map.iter().len(), 4);
    }
}
