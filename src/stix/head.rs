//! What a store needs to know of an object to keep its newest version.

use super::{
    context::{Maker, entity, link},
    fault::ObjectError,
    id::Key,
    indicator::Indicator,
    object::{has_type, object_type},
    timestamp::Timestamp,
};

/// What an object is to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Rules are made of it.
    Indicator,
    /// It says something about indicators: a relationship, an identity, a malware, a marking and so on.
    Context,
}

/// Which object a text is, and which version of it.
///
/// ```
/// use stixc::stix::{Head, Key, Role};
/// let head = Head::read(br#"{"type": "indicator", "id": "indicator--1", "pattern": "[a:b = 1]"}"#);
/// let head = head.expect("a good indicator").expect("one that counts");
/// assert_eq!((head.role, head.key), (Role::Indicator, Key::new("indicator--1")));
/// assert_eq!(Head::read(br#"{"type": "note", "id": "note--1"}"#), Ok(None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What it is.
    pub role: Role,
    /// Of its identifier; of a relationship without one, of its two ends.
    pub key: Key,
    /// When this version was made.
    pub modified: Option<Timestamp>,
    /// Whether its maker took it back.
    pub revoked: bool,
    /// When it ends, where it does; of indicators only.
    pub valid_until: Option<Timestamp>,
}

impl Head {
    /// Reads the object `raw`; `None` where it says nothing that rules are made of.
    ///
    /// # Errors
    /// If it can't be read as what its type says. A converter would leave it out.
    pub fn read(raw: &[u8]) -> Result<Option<Self>, ObjectError> {
        match object_type(raw).as_deref() {
            Some("indicator") => Indicator::parse(raw).map(|indicator| Some(Self::from_indicator(&indicator))),
            Some("relationship") => Ok(link(raw)?.map(|link| Self::context(link.id, link.modified, link.revoked))),
            Some(name) => match Maker::from_type(name) {
                Some(maker) => {
                    Ok(entity(maker, raw)?.map(|(key, version)| Self::context(key, version.modified, false)))
                }
                None => Ok(None),
            },
            None => has_type(raw).map(|()| None),
        }
    }

    fn context(key: Key, modified: Option<Timestamp>, revoked: bool) -> Self {
        Self { role: Role::Context, key, modified, revoked, valid_until: None }
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
}
