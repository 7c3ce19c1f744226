//! Reading of properties whatever kind of value a feed sends.
//!
//! A [`Reading`] never fails on JSON that is well formed: a value of the wrong kind is a value, so that the rest of the
//! object is still read, and whoever needs the property decides how bad that is.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use smallvec::{SmallVec, smallvec};

/// One property as it was sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Reading<T> {
    /// Missing or null.
    #[default]
    Absent,
    /// As it should be.
    Value(T),
    /// A list of which some elements are of this kind and were left out.
    Partly(T, &'static str),
    /// A value of this kind instead, named with its article.
    Wrong(&'static str),
}

impl<T> Reading<T> {
    /// What could be read.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) | Self::Partly(value, _) => Some(value),
            Self::Absent | Self::Wrong(_) => None,
        }
    }

    /// The kind of value that was sent instead of the right one.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        match self {
            Self::Partly(_, found) | Self::Wrong(found) => Some(found),
            Self::Absent | Self::Value(_) => None,
        }
    }
}

const NUMBER: &str = "a number";
const STRING: &str = "a string";
const BOOLEAN: &str = "a boolean";
const LIST: &str = "a list";
const OBJECT: &str = "an object";

/// A type that can be made from some kinds of JSON value; all other kinds are [`Reading::Wrong`].
pub(super) trait Lenient<'de>: Sized {
    fn text(_: Cow<'de, str>) -> Reading<Self> {
        Reading::Wrong(STRING)
    }
    fn number(_: f64) -> Reading<Self> {
        Reading::Wrong(NUMBER)
    }
    fn boolean(_: bool) -> Reading<Self> {
        Reading::Wrong(BOOLEAN)
    }
    fn list<A: SeqAccess<'de>>(_: &mut A) -> Result<Reading<Self>, A::Error> {
        Ok(Reading::Wrong(LIST))
    }
    fn object<A: MapAccess<'de>>(_: &mut A) -> Result<Reading<Self>, A::Error> {
        Ok(Reading::Wrong(OBJECT))
    }
}

impl<'de, T: Lenient<'de>> Deserialize<'de> for Reading<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for Any<T> {
    type Value = Reading<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Reading::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::boolean(value))
    }

    // Numbers in the properties that are read are small; a large one is out of range as a float too.
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(T::number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(T::number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(T::number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(T::text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let reading = T::list(&mut list)?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(reading)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let reading = T::object(&mut map)?;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(reading)
    }
}

/// A string, borrowed from the input unless it holds an escape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Lenient<'de> for Text<'a> {
    fn text(text: Cow<'de, str>) -> Reading<Self> {
        Reading::Value(Self(text))
    }
}

/// The next key of an object. (The key that `Cow` would give by itself is always a copy.)
pub(super) fn key<'de: 'a, 'a, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'a, str>>, A::Error> {
    Ok(map.next_key::<Reading<Text<'a>>>()?.map(|key| key.value().map_or(Cow::Borrowed(""), |Text(text)| text)))
}

/// The value that belongs to the key just read, if it is a string.
pub(super) fn text_value<'de: 'a, 'a, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'a, str>>, A::Error> {
    Ok(map.next_value::<Reading<Text<'a>>>()?.value().map(|Text(text)| text))
}

/// A boolean; some feeds write it as a string, or as 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Lenient<'de> for Flag {
    fn text(text: Cow<'de, str>) -> Reading<Self> {
        match text.trim() {
            word if word.eq_ignore_ascii_case("true") => Reading::Value(Self(true)),
            word if word.eq_ignore_ascii_case("false") => Reading::Value(Self(false)),
            _ => Reading::Wrong(STRING),
        }
    }

    fn number(number: f64) -> Reading<Self> {
        match number {
            0.0 => Reading::Value(Self(false)),
            1.0 => Reading::Value(Self(true)),
            _ => Reading::Wrong(NUMBER),
        }
    }

    fn boolean(value: bool) -> Reading<Self> {
        Reading::Value(Self(value))
    }
}

/// A whole percentage; some feeds write it as a string or with a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Percentage(pub(super) u8);

impl<'de> Lenient<'de> for Percentage {
    fn text(text: Cow<'de, str>) -> Reading<Self> {
        match text.trim().parse() {
            Ok(number) => Self::number(number),
            Err(_) => Reading::Wrong(STRING),
        }
    }

    fn number(number: f64) -> Reading<Self> {
        if (0.0..=100.0).contains(&number) {
            Reading::Value(Self(number.round() as u8))
        } else {
            Reading::Wrong("a number outside of 0 to 100")
        }
    }
}

/// A list; a single value stands for a list of it.
impl<'de, T: Lenient<'de>> Lenient<'de> for SmallVec<[T; 1]> {
    fn text(text: Cow<'de, str>) -> Reading<Self> {
        one(T::text(text))
    }

    fn list<A: SeqAccess<'de>>(list: &mut A) -> Result<Reading<Self>, A::Error> {
        let mut elements = Self::new();
        let mut wrong = None;
        while let Some(element) = list.next_element::<Reading<T>>()? {
            wrong = wrong.or(element.wrong());
            if let Some(element) = element.value() {
                elements.push(element);
            }
        }
        Ok(match wrong {
            Some(found) => Reading::Partly(elements, found),
            None => Reading::Value(elements),
        })
    }

    fn object<A: MapAccess<'de>>(map: &mut A) -> Result<Reading<Self>, A::Error> {
        T::object(map).map(one)
    }
}

fn one<T>(reading: Reading<T>) -> Reading<SmallVec<[T; 1]>> {
    match reading {
        Reading::Absent => Reading::Absent,
        Reading::Value(value) => Reading::Value(smallvec![value]),
        Reading::Partly(value, found) => Reading::Partly(smallvec![value], found),
        Reading::Wrong(found) => Reading::Wrong(found),
    }
}
