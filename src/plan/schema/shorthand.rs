//! Short names for what the table says often.

use super::kind::{Bounds, Definition, Origin, PropertyType, Text};

pub(super) const STRING: PropertyType = PropertyType::String(Text::Plain);
/// A digest of an algorithm that the standard does not list.
pub(super) const DIGEST: PropertyType = PropertyType::String(Text::Digest);
pub(super) const FILE_NAME: PropertyType = PropertyType::String(Text::FileName);
pub(super) const PATH: PropertyType = PropertyType::String(Text::Path);
pub(super) const INTEGER: PropertyType = PropertyType::Integer(Bounds { minimum: i64::MIN, maximum: i64::MAX });
pub(super) const NATURAL: PropertyType = PropertyType::Integer(Bounds { minimum: 0, maximum: i64::MAX });
pub(super) const BOOLEAN: PropertyType = PropertyType::Boolean;
pub(super) const TIMESTAMP: PropertyType = PropertyType::Timestamp;
pub(super) const HEX: PropertyType = PropertyType::Hex;
pub(super) const STRINGS: PropertyType = PropertyType::List(&STRING);
pub(super) const ANYTHING: PropertyType = PropertyType::Dictionary(&PropertyType::Any);
pub(super) const HEADERS: PropertyType = PropertyType::Dictionary(&PropertyType::StringOrList);

pub(super) const fn property(name: &'static str, kind: PropertyType) -> Definition {
    Definition { name, origin: Origin::Current(kind) }
}

/// A 2.0 name of a property that means the same in 2.1.
pub(super) const fn renamed(name: &'static str, to: &'static str) -> Definition {
    Definition { name, origin: Origin::Renamed { to, exact: true } }
}

/// A 2.0 property that 2.1 has no more.
pub(super) const fn removed(name: &'static str, kind: PropertyType) -> Definition {
    Definition { name, origin: Origin::Removed(kind) }
}

pub(super) const fn refers(targets: &'static [&'static str]) -> PropertyType {
    PropertyType::Reference(targets)
}

pub(super) const TO_ARTIFACT: PropertyType = refers(&["artifact"]);
pub(super) const TO_FILE: PropertyType = refers(&["file"]);
pub(super) const TO_CONTAINED: PropertyType = refers(&["file", "directory"]);
