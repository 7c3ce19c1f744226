//! The Traffic Light Protocol, versions 1 and 2 (STIX 2.1, section 7.2.1.4, and the extension definition for TLP 2.0).

use std::{fmt, str::FromStr};

/// How far something may be shared, from the least to the most restricted.
///
/// ```
/// use stixc::stix::Tlp;
/// assert!(Tlp::Red > Tlp::AmberStrict);
/// assert_eq!("TLP:WHITE".parse(), Ok(Tlp::Clear));
/// assert_eq!(Tlp::AmberStrict.to_string(), "TLP:AMBER+STRICT");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// No limit; `WHITE` in version 1.
    Clear,
    /// Within the community.
    Green,
    /// Within the organisation and its clients.
    Amber,
    /// Within the organisation.
    AmberStrict,
    /// For the recipients only.
    Red,
}

/// The identifiers that the standard gives to its markings, which feeds use without sending the objects.
const WELL_KNOWN: [(&str, Tlp); 9] = [
    ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
    ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
    ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
    ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
    ("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::Clear),
    ("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::Green),
    ("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::Amber),
    ("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::AmberStrict),
    ("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::Red),
];

impl Tlp {
    /// The level that the standard's own marking with this identifier stands for.
    #[must_use]
    pub fn well_known(id: &str) -> Option<Self> {
        WELL_KNOWN.iter().find(|(known, _)| *known == id).map(|&(_, tlp)| tlp)
    }

    /// The level that a text says, where it says that it is one: `TLP:AMBER+STRICT`.
    pub(super) fn from_marking(text: &str) -> Option<Self> {
        let is_level = text.trim().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("TLP:"));
        text.parse().ok().filter(|_| is_level)
    }

    /// The level in small letters, as markings and tags write it: `amber+strict`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }
}

/// As the protocol itself writes it: `TLP:AMBER+STRICT`.
impl fmt::Display for Tlp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TLP:{}", self.name().to_ascii_uppercase())
    }
}

/// A text that is no level of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a level of the Traffic Light Protocol")]
pub struct TlpError;

/// Reads a level in any case, with or without `TLP:`, in the spellings of both versions.
impl FromStr for Tlp {
    type Err = TlpError;

    fn from_str(text: &str) -> Result<Self, TlpError> {
        let text = text.trim().to_ascii_lowercase();
        match text.strip_prefix("tlp:").unwrap_or(&text).trim() {
            "clear" | "white" => Ok(Self::Clear),
            "green" => Ok(Self::Green),
            "amber" => Ok(Self::Amber),
            "amber+strict" | "amber-strict" | "amber_strict" => Ok(Self::AmberStrict),
            "red" => Ok(Self::Red),
            _ => Err(TlpError),
        }
    }
}
