//! Objects of a sighting, with their references followed.

use serde_json::{Map, Value as Json};

use crate::witness::Objects;

/// An object among the others of its sighting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'s> {
    all: &'s Objects,
    own: &'s Map<String, Json>,
}

impl<'s> Object<'s> {
    /// The object that the pattern asks about.
    pub(super) fn asked(all: &'s Objects) -> Option<Self> {
        Some(Self { all, own: all.get("0")?.as_object()? })
    }

    /// Its type.
    pub(super) fn kind(self) -> &'s str {
        self.text("type").unwrap_or_default()
    }

    /// A property that is text.
    pub(super) fn text(self, property: &str) -> Option<&'s str> {
        self.own.get(property)?.as_str()
    }

    /// A property that is an integer.
    pub(super) fn integer(self, property: &str) -> Option<i64> {
        self.own.get(property)?.as_i64()
    }

    /// The elements of a property that is a list.
    pub(super) fn list(self, property: &str) -> impl Iterator<Item = &'s Json> {
        self.own.get(property).and_then(Json::as_array).into_iter().flatten()
    }

    /// The object behind a reference.
    pub(super) fn refer(self, property: &str) -> Option<Self> {
        let own = self.all.get(self.text(property)?)?.as_object()?;
        Some(Self { all: self.all, own })
    }

    /// A dictionary, or an object inside this one.
    pub(super) fn inside(self, property: &str) -> Option<Self> {
        self.part(self.own.get(property)?)
    }

    /// An element of a list of this object, if it is an object.
    pub(super) fn part(self, element: &'s Json) -> Option<Self> {
        Some(Self { all: self.all, own: element.as_object()? })
    }

    /// An extension.
    pub(super) fn extension(self, name: &str) -> Option<Self> {
        self.inside("extensions")?.inside(name)
    }

    /// The value of a key, whatever its letter case.
    pub(super) fn header(self, name: &str) -> Option<&'s str> {
        self.own.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
    }

    /// What a path of a property leads to: of lists the first element, behind references objects of one of these types.
    pub(super) fn follow(self, path: &str, referents: &[String]) -> Option<&'s Json> {
        let mut at = self;
        let mut steps = steps(path).into_iter().peekable();
        while let Some(step) = steps.next() {
            let key = step.trim_end_matches("[*]").trim_matches('\'');
            let exact = at.own.get(key);
            let value =
                exact.or_else(|| at.own.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, one)| one))?;
            let value = value.as_array().map_or(Some(value), |list| list.first())?;
            if steps.peek().is_none() {
                return Some(value);
            }
            at = match value {
                Json::String(name) => {
                    let referred = Self { all: self.all, own: self.all.get(name)?.as_object()? };
                    let is_meant = referents.is_empty() || referents.iter().any(|one| one == referred.kind());
                    Some(referred).filter(|_| is_meant)?
                }
                value => at.part(value)?,
            };
        }
        None
    }
}

/// The steps of a path: keys between dots, those with dots in them between quotes.
fn steps(path: &str) -> Vec<&str> {
    let mut quoted = false;
    let is_end = |one: char| {
        quoted ^= one == '\'';
        one == '.' && !quoted
    };
    path.split(is_end).collect()
}
