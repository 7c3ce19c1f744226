//! Objects of a sighting, with their references followed.

use serde_json::{Map, Value as Json};

use super::{Objects, Sighting};

/// An object among the others of its sighting.
#[derive(Debug, Clone, Copy)]
pub struct Object<'s> {
    all: &'s Objects,
    own: &'s Map<String, Json>,
}

impl<'s> Object<'s> {
    /// The object that the pattern asks about.
    #[must_use]
    pub fn asked(all: &'s Objects) -> Option<Self> {
        Self::new(all, all.get("0")?)
    }

    fn new(all: &'s Objects, own: &'s Json) -> Option<Self> {
        Some(Self { all, own: own.as_object()? })
    }

    /// Its type.
    #[must_use]
    pub fn kind(self) -> &'s str {
        self.text("type").unwrap_or_default()
    }

    /// A property that is text.
    #[must_use]
    pub fn text(self, property: &str) -> Option<&'s str> {
        self.own.get(property)?.as_str()
    }

    /// A property that is an integer.
    #[must_use]
    pub fn integer(self, property: &str) -> Option<i64> {
        self.own.get(property)?.as_i64()
    }

    /// The elements of a property that is a list.
    pub fn list(self, property: &str) -> impl Iterator<Item = &'s Json> {
        self.own.get(property).and_then(Json::as_array).into_iter().flatten()
    }

    /// The object behind a reference.
    #[must_use]
    pub fn refer(self, property: &str) -> Option<Self> {
        Self::new(self.all, self.all.get(self.text(property)?)?)
    }

    /// A dictionary, or an object inside this one.
    #[must_use]
    pub fn inside(self, property: &str) -> Option<Self> {
        self.part(self.own.get(property)?)
    }

    /// An element of a list of this object, if it is an object.
    #[must_use]
    pub fn part(self, element: &'s Json) -> Option<Self> {
        Self::new(self.all, element)
    }

    /// An extension.
    #[must_use]
    pub fn extension(self, name: &str) -> Option<Self> {
        self.inside("extensions")?.inside(name)
    }

    /// The value of a key, whatever its letter case.
    #[must_use]
    pub fn header(self, name: &str) -> Option<&'s str> {
        self.own.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
    }

    /// What a path of a property leads to: of lists the first element, behind references objects of one of these types.
    #[must_use]
    pub fn follow(self, path: &str, referents: &[String]) -> Option<&'s Json> {
        self.values(path, referents).into_iter().next()
    }

    /// All that a path of a property leads to: each element of lists, behind references objects of one of these types, or of
    /// any where there are none.
    #[must_use]
    pub fn values(self, path: &str, referents: &[String]) -> Vec<&'s Json> {
        let mut ends = Vec::new();
        self.walk(&steps(path), referents, &mut ends);
        ends
    }

    fn walk(self, steps: &[&str], referents: &[String], ends: &mut Vec<&'s Json>) {
        let Some((step, rest)) = steps.split_first() else { return };
        let key = step.trim_end_matches("[*]").trim_matches('\'');
        let any_case = || self.own.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, one)| one);
        let Some(value) = self.own.get(key).or_else(any_case) else { return };
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            if rest.is_empty() {
                ends.push(value);
            } else if let Some(next) = self.next(value, referents) {
                next.walk(rest, referents, ends);
            }
        }
    }

    /// The object behind a reference, if it is of one of these types, or the object that a value is.
    fn next(self, value: &'s Json, referents: &[String]) -> Option<Self> {
        let Json::String(name) = value else { return self.part(value) };
        let referred = Self::new(self.all, self.all.get(name)?)?;
        (referents.is_empty() || referents.iter().any(|one| one == referred.kind())).then_some(referred)
    }
}

impl Sighting {
    /// What a property (`file:hashes.MD5`) is in the objects of its type: each element of lists, behind references objects of
    /// one of these types, or of any where there are none.
    ///
    /// ```
    /// let objects = serde_json::json!({
    ///     "0": {"type": "network-traffic", "dst_ref": "1", "protocols": ["ipv4", "tcp"]},
    ///     "1": {"type": "ipv4-addr", "value": "198.51.100.7"},
    /// });
    /// let sighting = stixc::witness::Sighting { at: 0, objects: objects.as_object().unwrap().clone() };
    /// assert_eq!(sighting.values("network-traffic:dst_ref.value", &[]), ["198.51.100.7"]);
    /// assert_eq!(sighting.values("network-traffic:protocols[*]", &[]), ["ipv4", "tcp"]);
    /// assert!(sighting.values("network-traffic:dst_ref.value", &["domain-name".to_owned()]).is_empty());
    /// ```
    #[must_use]
    pub fn values(&self, property: &str, referents: &[String]) -> Vec<&Json> {
        let Some((object_type, path)) = property.split_once(':') else { return Vec::new() };
        let objects = self.objects.values().filter_map(|object| Object::new(&self.objects, object));
        objects
            .filter(|object| object.kind() == object_type)
            .flat_map(|object| object.values(path, referents))
            .collect()
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
