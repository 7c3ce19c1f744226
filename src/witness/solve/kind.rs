//! What a property can hold: which values are usual, and which can be shown to an engine.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value as Json, json};

use super::path::Path;
use crate::plan::{
    DomainName, Hive, Test, UrlParts, ValueKind, is_mac,
    schema::{Bounds, PropertyType, Text},
};

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Text that stands for something.
    Text(Text),
    /// One of some words; where the list is open, perhaps another one.
    Word {
        /// The words.
        words: &'static [&'static str],
        /// Whether there may be others.
        open: bool,
    },
    /// A number without a fraction.
    Integer(Bounds),
    /// A number.
    Float,
    /// A truth value.
    Boolean,
    /// An instant.
    Timestamp,
    /// Bytes, in the way the property writes them.
    Bytes,
    /// So many hexadecimal digits.
    Digits(usize),
    /// The name of another object.
    Reference,
    /// A list, dictionary or object; only asked for by EXISTS.
    Container(Json),
}

impl Kind {
    /// What the path leads to, as the schema has it; where that leaves it open, as the tests show it.
    pub fn of(path: &Path, tests: &[&Test]) -> Self {
        match path.kind {
            PropertyType::String(Text::ObjectType) => Self::Word { words: path.referenced(), open: true },
            PropertyType::String(Text::Endpoint) => Self::Text(endpoint(tests)),
            PropertyType::String(Text::ImportHash) => Self::Digits(32),
            PropertyType::String(text) if text.is_plain() && is_on_the_wire(path) => {
                Self::Word { words: &[], open: true }
            }
            PropertyType::String(text) if text.is_plain() => Self::Text(Text::Plain),
            PropertyType::String(text) => Self::Text(text),
            PropertyType::StringOrList => Self::Word { words: &[], open: true },
            PropertyType::Integer(bounds) => Self::Integer(bounds),
            PropertyType::Float => Self::Float,
            PropertyType::Boolean => Self::Boolean,
            PropertyType::Timestamp => Self::Timestamp,
            PropertyType::Hex | PropertyType::HexNumber | PropertyType::Binary => Self::Bytes,
            PropertyType::Vocabulary(vocabulary) => Self::Word { words: vocabulary.values, open: vocabulary.open },
            PropertyType::Hash(algorithm) => algorithm.digits.map_or(Self::Text(Text::Plain), Self::Digits),
            PropertyType::Reference(_) => Self::Reference,
            PropertyType::List(PropertyType::Object(_)) => Self::Container(json!([{}])),
            PropertyType::List(_) => Self::Container(json!(["other"])),
            PropertyType::Hashes => Self::Container(json!({"MD5": "0123456789abcdef0123456789abcdef"})),
            PropertyType::Dictionary(_) => Self::Container(json!({"key": "other"})),
            PropertyType::Extensions(_) | PropertyType::Object(_) => Self::Container(json!({"name": "other"})),
            PropertyType::Any => as_tested(tests),
        }
    }

    /// Values that say nothing in particular, the most usual first.
    pub fn usual(&self) -> Vec<Json> {
        let texts = |texts: &[&str]| texts.iter().map(|text| Json::from(*text)).collect();
        match self {
            Self::Text(text) => texts(usual_texts(*text)),
            Self::Word { words: [], .. } => texts(&["other", "another"]),
            Self::Word { words, .. } => texts(words),
            Self::Integer(bounds) => {
                let numbers = [7, 1007, 0, 1, 50_007, 5_000_007, bounds.minimum, bounds.maximum];
                let fits = |number: &i64| (bounds.minimum..=bounds.maximum).contains(number);
                numbers.into_iter().filter(fits).map(Json::from).collect()
            }
            Self::Float => [7.25, 1007.25, 0.0, -7.25, 1e9].into_iter().map(Json::from).collect(),
            Self::Boolean => vec![true.into(), false.into()],
            Self::Timestamp => texts(&["2024-01-01T12:00:00Z", "2030-01-01T12:00:00Z", "2001-01-01T12:00:00Z"]),
            Self::Bytes => texts(&["00ff", "0f0f"]),
            Self::Digits(count) => {
                let digits = |first: usize| -> String {
                    (0..*count).map(|at| char::from(b"0123456789abcdef"[(first + 7 * at) % 16])).collect()
                };
                vec![digits(3).into(), digits(8).into()]
            }
            Self::Reference => texts(&["ref-1", "ref-2"]),
            Self::Container(value) => vec![value.clone()],
        }
    }

    /// Whether an engine can be shown the value: a name that can be asked for, an address that can be written to.
    pub fn suits(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Text(kind), Json::String(text)) => is_usual(*kind, text),
            (Self::Digits(count), Json::String(text)) => {
                text.len() == *count && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            (Self::Word { words, open }, Json::String(text)) => {
                words.contains(&text.as_str()) || (*open && is_printable(text))
            }
            (Self::Integer(bounds), Json::Number(number)) => {
                number.as_i64().is_some_and(|number| (bounds.minimum..=bounds.maximum).contains(&number))
            }
            _ => true,
        }
    }
}

/// Whether protocols carry the text, and take no notice of blanks around it.
fn is_on_the_wire(path: &Path) -> bool {
    matches!(path.object_type.as_str(), "network-traffic" | "email-message" | "x509-certificate")
}

fn endpoint(tests: &[&Test]) -> Text {
    let referent = tests.iter().find_map(|test| test.property.referent.as_deref());
    let value = tests.iter().flat_map(|test| &test.values).find_map(|value| match &value.kind {
        ValueKind::Address(net) if net.addr().is_ipv4() => Some("ipv4-addr"),
        ValueKind::Address(_) => Some("ipv6-addr"),
        ValueKind::Domain(_) => Some("domain-name"),
        _ => None,
    });
    match referent.or(value) {
        Some("ipv4-addr") => Text::Ipv4Address,
        Some("ipv6-addr") => Text::Ipv6Address,
        Some("domain-name") => Text::DomainName,
        Some("mac-addr") => Text::MacAddress,
        _ => Text::Endpoint,
    }
}

fn as_tested(tests: &[&Test]) -> Kind {
    let value = tests.iter().find_map(|test| test.values.first());
    match value.map(|value| &value.kind) {
        Some(ValueKind::Integer(_)) => Kind::Integer(Bounds { minimum: i64::MIN, maximum: i64::MAX }),
        Some(ValueKind::Float(_)) => Kind::Float,
        Some(ValueKind::Boolean(_)) => Kind::Boolean,
        Some(ValueKind::Timestamp(_)) => Kind::Timestamp,
        Some(ValueKind::Bytes(_)) => Kind::Bytes,
        _ => Kind::Text(Text::Plain),
    }
}

fn usual_texts(kind: Text) -> &'static [&'static str] {
    match kind {
        Text::Ipv4Address => {
            &["192.0.2.200", "198.51.100.200", "203.0.113.200", "10.9.8.7", "172.30.9.8", "100.65.4.3", "9.9.9.9"]
        }
        Text::Ipv6Address => &["2001:db8:ffff::200", "3fff::200", "fd00::200", "2001:4860::200"],
        Text::MacAddress => &["00:00:5e:00:53:c8", "00:00:5e:00:53:c9"],
        Text::DomainName => &["host.example", "other.test", "third.invalid"],
        Text::Endpoint => &["192.0.2.200", "198.51.100.200", "203.0.113.200", "10.9.8.7", "host.example", "fd00::200"],
        Text::Url => &["http://host.example/page", "https://other.test/text?q=1", "ftp://third.invalid/file"],
        Text::EmailAddress => &["someone@host.example", "other@mail.test"],
        Text::FileName => &["other.bin", "document.txt", "third"],
        Text::Path => &["C:\\Data", "/data", "D:\\Other\\Folder"],
        Text::RegistryKey => &["HKEY_LOCAL_MACHINE\\Software\\Other", "HKEY_CURRENT_USER\\Software\\Third"],
        _ => &["text", "other text", "7"],
    }
}

fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
}

fn is_usual(kind: Text, text: &str) -> bool {
    match kind {
        Text::Ipv4Address => text.parse::<Ipv4Addr>().is_ok(),
        Text::Ipv6Address => text.parse::<Ipv6Addr>().is_ok(),
        Text::MacAddress => is_mac(text),
        Text::DomainName => is_host(text),
        Text::Endpoint => is_host(text) || text.parse::<std::net::IpAddr>().is_ok() || is_mac(text),
        Text::Url => {
            is_printable(text) && text.contains("://") && !text.contains(' ') && UrlParts::parse(text).is_some()
        }
        Text::EmailAddress => {
            is_printable(text) && text.split_once('@').is_some_and(|(local, host)| !local.is_empty() && is_host(host))
        }
        Text::FileName => is_printable(text) && !text.contains(['/', '\\']) && !matches!(text, "." | ".."),
        Text::Path => {
            let is_mixed = text.contains('/') && text.contains('\\');
            is_printable(text) && is_absolute(text) && !text[1..].contains("\\\\") && !is_mixed
        }
        Text::RegistryKey => is_printable(text) && !text.contains("\\\\") && has_hive(text),
        _ => is_printable(text),
    }
}

/// A path from the root of a drive, a share or a file system.
fn is_absolute(text: &str) -> bool {
    let drive = text.as_bytes();
    text.starts_with(['/', '\\']) || drive.len() > 2 && drive[0].is_ascii_alphabetic() && &drive[1..3] == b":\\"
}

/// Whether a registry key begins with a hive that there is, and names no other.
fn has_hive(key: &str) -> bool {
    let first = key.split('\\').next().unwrap_or_default();
    let is_full = Hive::parse(first).is_some_and(|hive| hive.name().eq_ignore_ascii_case(first));
    is_full && key.to_ascii_uppercase().matches("HKEY").count() == 1
}

fn is_host(text: &str) -> bool {
    DomainName::parse(text).is_some_and(|name| name.as_str().eq_ignore_ascii_case(text)) && text.contains('.')
}

/// The type of object that would hold such a `value`.
pub(super) fn holder(value: &str) -> &'static str {
    let address = value.split('/').next().unwrap_or_default();
    if address.parse::<Ipv4Addr>().is_ok() {
        "ipv4-addr"
    } else if address.parse::<Ipv6Addr>().is_ok() {
        "ipv6-addr"
    } else if is_mac(value) {
        "mac-addr"
    } else if value.contains("://") {
        "url"
    } else if value.contains('@') {
        "email-addr"
    } else {
        "domain-name"
    }
}
