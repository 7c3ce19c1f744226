//! The types that a property of a cyber-observable object can have.

use super::hash::HashAlgorithm;

/// The type of a property (STIX 2.1, section 2, and the tables of section 6).
///
/// The standard's `string` is split by what the text stands for, because a comparison with an address is checked
/// differently from one with a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyType {
    /// `string`.
    String(Text),
    /// `string` in STIX 2.0, `list of string` in STIX 2.1: the value of one HTTP or mail header field.
    StringOrList,
    /// `integer`, with the values the standard allows.
    Integer(Bounds),
    /// `float`.
    Float,
    /// `boolean`.
    Boolean,
    /// `timestamp`.
    Timestamp,
    /// `hex`: bytes as hexadecimal digits; the property's name ends in `_hex`.
    Hex,
    /// `hex`, of which the bytes are a number: a field of a program's headers.
    HexNumber,
    /// `binary`: bytes as base64; the property's name ends in `_bin`.
    Binary,
    /// A string out of a vocabulary, closed or open.
    Vocabulary(&'static Vocabulary),
    /// One value of a hashes dictionary.
    Hash(&'static HashAlgorithm),
    /// `identifier`: of an object, or (STIX 2.0) its key in the observed data. The object's allowed types.
    Reference(&'static [&'static str]),
    /// `list` of one type.
    List(&'static PropertyType),
    /// `hashes`: a dictionary from hash algorithms to digests.
    Hashes,
    /// `dictionary` with any keys and values of one type.
    Dictionary(&'static PropertyType),
    /// The predefined extensions of an object type, by name.
    Extensions(&'static [&'static Structure]),
    /// An object inside the object, of a type the standard names.
    Object(&'static Structure),
    /// Anything: the value of a custom property, or of a dictionary whose values differ in type.
    Any,
}

impl PropertyType {
    /// Whether a literal can be compared with it: not a list, a dictionary or an object.
    #[must_use]
    pub fn is_value(self) -> bool {
        !matches!(self, Self::List(_) | Self::Hashes | Self::Dictionary(_) | Self::Extensions(_) | Self::Object(_))
    }
}

/// What the text of a string property stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// Nothing that can be checked.
    Plain,
    /// An IPv4 address or prefix.
    Ipv4Address,
    /// An IPv6 address or prefix.
    Ipv6Address,
    /// A MAC address: six pairs of hexadecimal digits with colons.
    MacAddress,
    /// A domain name.
    DomainName,
    /// One end of a connection: any of an IPv4, IPv6 or MAC address or a domain name.
    Endpoint,
    /// A URL.
    Url,
    /// An e-mail address.
    EmailAddress,
    /// The name of a file, without its folder.
    FileName,
    /// The path of a folder.
    Path,
    /// The path of a registry key.
    RegistryKey,
    /// The name of a value of a registry key.
    RegistryValueName,
    /// What a value of a registry key holds.
    RegistryValueData,
    /// A digest of an algorithm that the standard does not list.
    Digest,
    /// The MD5 of what a program imports.
    ImportHash,
    /// The number of a certificate, which is compared as the number that it is.
    SerialNumber,
    /// The name of a network protocol.
    Protocol,
    /// The `value` of an object that may be an address, a name, a URL or an e-mail address.
    Identifier,
    /// The type of an object.
    ObjectType,
}

impl Text {
    /// Whether ISSUBSET and ISSUPERSET are defined for it (section 9.6.1).
    #[must_use]
    pub fn is_address(self) -> bool {
        matches!(self, Self::Ipv4Address | Self::Ipv6Address | Self::Endpoint)
    }

    /// What stands for both.
    pub(super) fn join(self, other: Self) -> Self {
        let endpoint = |text| {
            matches!(text, Self::Ipv4Address | Self::Ipv6Address | Self::MacAddress | Self::DomainName | Self::Endpoint)
        };
        let identifier = |text| endpoint(text) || matches!(text, Self::Url | Self::EmailAddress | Self::Identifier);
        match (self, other) {
            _ if self == other => self,
            _ if endpoint(self) && endpoint(other) => Self::Endpoint,
            _ if identifier(self) && identifier(other) => Self::Identifier,
            _ => Self::Plain,
        }
    }

    /// Whether any text may be a value, so that nothing about it can be checked.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(
            self,
            Self::Plain
                | Self::RegistryValueName
                | Self::RegistryValueData
                | Self::Digest
                | Self::ImportHash
                | Self::SerialNumber
                | Self::Protocol
                | Self::Identifier
        )
    }
}

/// The least and the greatest integer that a property may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub minimum: i64,
    /// The greatest.
    pub maximum: i64,
}

impl Bounds {
    /// The ports of a connection.
    pub const PORT: Self = Self { minimum: 0, maximum: 65_535 };
}

/// The values of a string property that the standard lists (section 10).
#[derive(Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// Its name in the standard.
    pub name: &'static str,
    /// Whether other values are allowed too (`-ov`), or not (`-enum`).
    pub open: bool,
    /// The values.
    pub values: &'static [&'static str],
}

/// An object inside an object: an extension, or a type such as `windows-pe-section-type`.
#[derive(Debug, PartialEq, Eq)]
pub struct Structure {
    /// Its name in the standard; of an extension, also its key.
    pub name: &'static str,
    /// Its properties.
    pub properties: &'static [Definition],
}

/// One row of the table: a property by its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// Whether STIX 2.1 has it.
    pub origin: Origin,
}

/// Which version of STIX has a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// STIX 2.1, and most often 2.0 under the same name.
    Current(PropertyType),
    /// STIX 2.0 under this name, 2.1 under another.
    Renamed {
        /// The name in 2.1, or a path.
        to: &'static str,
        /// Whether both mean the same.
        exact: bool,
    },
    /// STIX 2.0 only.
    Removed(PropertyType),
}

/// A cyber-observable object type.
#[derive(Debug, PartialEq, Eq)]
pub struct ObjectType {
    /// Its name.
    pub name: &'static str,
    /// Its properties, without those that all types have.
    pub properties: &'static [Definition],
    /// Its predefined extensions.
    pub extensions: &'static [&'static Structure],
}
