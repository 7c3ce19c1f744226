//! Properties of cyber-observable objects, as a plan names them.

use std::{
    borrow::Cow,
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use super::schema::{Bounds, PropertyType, Text};

/// A cyber-observable property in STIX 2.1 spelling.
#[derive(Debug, Clone)]
pub struct Property {
    /// `file:hashes.'SHA-256'`, `network-traffic:dst_ref.value`.
    pub path: Cow<'static, str>,
    /// The type of what the path leads to, as the schema has it; the path decides it.
    pub kind: PropertyType,
    /// For a key of a dictionary: the dictionary with `.*` for the key, as in the schema's table.
    pub family: Option<&'static str>,
    /// For a path through a `_ref`: the type of the object referred to, where the pattern or the value tells it.
    pub referent: Option<Cow<'static, str>>,
}

impl Property {
    /// The property under a path that is no key of a dictionary.
    #[must_use]
    pub fn new(path: impl Into<Cow<'static, str>>, kind: PropertyType) -> Self {
        Self { path: path.into(), kind, family: None, referent: None }
    }

    /// The object type, before the colon.
    #[must_use]
    pub fn object_type(&self) -> &str {
        self.path.split(':').next().unwrap_or_default()
    }

    /// Whether it asks for any element of a list.
    #[must_use]
    pub fn is_any_element(&self) -> bool {
        self.path.contains("[*]")
    }

    /// For a property of a certain element of a list (`values[0].name`): the same of any element.
    #[must_use]
    pub fn of_any_element(&self) -> Option<Self> {
        let (front, rest) = self.path.split_once('[')?;
        let (index, back) = rest.split_once(']')?;
        let is_certain = index.bytes().all(|digit| digit.is_ascii_digit());
        is_certain.then(|| Self { path: format!("{front}[*]{back}").into(), ..self.clone() })
    }

    /// The key of a dictionary, without quotes: the name of a header field. `None` for other properties.
    #[must_use]
    pub fn dictionary_key(&self) -> Option<String> {
        self.family?;
        let quoted = self.path.strip_suffix('\'').and_then(|rest| rest.rsplit_once(".'")).map(|(_, key)| key);
        let key = quoted.or_else(|| self.path.rsplit('.').next())?;
        Some(key.replace("\\'", "'").replace("\\\\", "\\"))
    }

    /// Whether an object has at most one value there: not `[*]`, and no header field, which STIX 2.1 makes a list of.
    #[must_use]
    pub fn is_single(&self) -> bool {
        !self.is_any_element() && self.family != Some("email-message:additional_header_fields.*")
    }

    /// Whether it qualifies what the other properties of an object say, and names nobody by itself: a port, a protocol, the
    /// type of an object.
    #[must_use]
    pub fn is_detail(&self) -> bool {
        match self.kind {
            PropertyType::Integer(bounds) => bounds == Bounds::PORT,
            PropertyType::String(text) => matches!(text, Text::Protocol | Text::ObjectType),
            _ => false,
        }
    }

    /// Whether what the property names ignores letter case by its own nature: DNS names, hash text, Windows registry
    /// keys and values, mail and hardware addresses. A case-insensitive comparison of such a property loses nothing.
    #[must_use]
    pub fn ignores_case(&self) -> bool {
        match self.kind {
            // What a registry value holds is text like any other.
            PropertyType::String(Text::RegistryValueData) => false,
            PropertyType::Hash(_)
            | PropertyType::String(Text::Digest | Text::ImportHash | Text::SerialNumber | Text::RegistryValueName) => {
                true
            }
            _ => is_caseless(self.object_type()) || self.referent.as_deref().is_some_and(is_caseless),
        }
    }

    /// The ends of a connection at which the property is seen, if it is a host's: both for a host by itself.
    #[must_use]
    pub fn ends(&self) -> &'static [End] {
        match self.path.as_ref() {
            "ipv4-addr:value" | "ipv6-addr:value" | "domain-name:value" => &[End::Source, End::Destination],
            path if path.starts_with("network-traffic:src_ref.") => &[End::Source],
            path if path.starts_with("network-traffic:dst_ref.") => &[End::Destination],
            _ => &[],
        }
    }

    fn key(&self) -> (&str, Option<&str>) {
        (&self.path, self.referent.as_deref())
    }
}

/// An end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// Which opened it.
    Source,
    /// To which it was opened.
    Destination,
}

/// Whether what objects of a type are known by ignores letter case.
fn is_caseless(object_type: &str) -> bool {
    matches!(object_type, "domain-name" | "windows-registry-key" | "ipv4-addr" | "ipv6-addr" | "mac-addr")
}

impl PartialEq for Property {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Property {}

impl Hash for Property {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Ord for Property {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Property {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
