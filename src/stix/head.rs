//! What a walk and a store need to know of an object to keep its newest version.

use std::cmp::Ordering;

use serde::Deserialize;

use super::{
    batch::Object,
    context::{Maker, Versioned, entity, link},
    fault::ObjectError,
    id::Key,
    indicator::Indicator,
    lenient::{Reading, Text},
    object,
    timestamp::Timestamp,
};

/// What an object is to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Rules are made of it.
    Indicator,
    /// It says something about indicators: a relationship, an identity, a malware, a marking and so on.
    Context,
    /// It says nothing that rules are made of.
    Other,
}

/// Which object a text is, and which version of it.
///
/// ```
/// use stixc::stix::{Head, Key, Role};
/// let head = Head::read(br#"{"type": "indicator", "id": "indicator--1", "pattern": "[a:b = 1]"}"#);
/// let head = head.expect("a good indicator");
/// assert_eq!((head.role, head.key), (Role::Indicator, Key::new("indicator--1")));
/// assert_eq!(Head::read(br#"{"type": "note", "id": "note--1"}"#).map(|head| head.role), Ok(Role::Other));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What it is.
    pub role: Role,
    /// Of its identifier; of a relationship without one, of its two ends; of any other object without one, of its text.
    pub key: Key,
    /// When this version was made.
    pub modified: Option<Timestamp>,
    /// Whether its maker took it back.
    pub revoked: bool,
    /// When it ends, where it does; of indicators only.
    pub valid_until: Option<Timestamp>,
}

/// Which of two texts counts that claim to be the same version of one object: the greater. Equal are those that say the same.
#[must_use]
pub fn precedence(one: &[u8], other: &[u8]) -> Ordering {
    Said::read(one).cmp(&Said::read(other))
}

/// What an object says to rules.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    indicator: Option<u64>,
    link: Option<(Key, Key)>,
    entity: Option<Versioned>,
}

impl Said {
    fn read(raw: &[u8]) -> Self {
        let mut said = Self::default();
        match object::object_type(raw).as_deref() {
            Some("indicator") => {
                said.indicator = Indicator::parse(raw).ok().map(|indicator| indicator.fingerprint());
            }
            Some("relationship") => {
                said.link = link(raw).ok().flatten().map(|link| (link.indicator, link.entity));
            }
            Some(name) => {
                let read = Maker::from_type(name).and_then(|maker| entity(maker, raw).ok().flatten());
                said.entity = read.map(|(_, version)| version);
            }
            None => {}
        }
        said
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SentHead<'a> {
    #[serde(borrow)]
    id: Reading<Text<'a>>,
    modified: Reading<Timestamp>,
}

impl Object<'_> {
    /// Its head, as [`Head::read`] reads it.
    ///
    /// # Errors
    /// As for [`Head::read`].
    pub fn head(&self) -> Result<Head, ObjectError> {
        Head::of_type(self.object_type().as_deref(), self.raw)
    }
}

impl Head {
    /// Reads the object `raw`.
    ///
    /// # Errors
    /// If it can't be read as what its type says. A converter would leave it out.
    pub fn read(raw: &[u8]) -> Result<Self, ObjectError> {
        Self::of_type(object::object_type(raw).as_deref(), raw)
    }

    /// The same where the object's type is known.
    fn of_type(object_type: Option<&str>, raw: &[u8]) -> Result<Self, ObjectError> {
        let context = match object_type {
            Some("indicator") => return Indicator::parse(raw).map(|indicator| Self::from_indicator(&indicator)),
            Some("relationship") => link(raw)?.map(|link| Self::context(link.id, link.modified, link.revoked)),
            Some(name) => match Maker::from_type(name) {
                Some(maker) => entity(maker, raw)?.map(|(key, version)| Self::context(key, version.modified, false)),
                None => None,
            },
            None => object::has_type(raw).map(|()| None)?,
        };
        Ok(context.unwrap_or_else(|| Self::other(raw)))
    }

    fn from_indicator(indicator: &Indicator<'_>) -> Self {
        Self {
            role: Role::Indicator,
            key: Key::new(&indicator.id),
            modified: indicator.modified,
            revoked: indicator.revoked,
            valid_until: indicator.valid_until,
        }
    }

    fn context(key: Key, modified: Option<Timestamp>, revoked: bool) -> Self {
        Self { role: Role::Context, key, modified, revoked, valid_until: None }
    }

    /// Nobody asks for what it says, so that nothing about it is wrong.
    fn other(raw: &[u8]) -> Self {
        let sent: SentHead = object::parse(raw).unwrap_or_default();
        let key = match sent.id.value() {
            Some(Text(id)) => Key::new(&id),
            None => Key::new(&String::from_utf8_lossy(raw)),
        };
        Self { role: Role::Other, ..Self::context(key, sent.modified.value(), false) }
    }
}
