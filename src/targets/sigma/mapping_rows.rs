//! What the mapping file says of log sources and fields.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    plan::fidelity::Fidelity,
    targets::mapping::{Mapping, MappingError},
};

/// A log source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogSource {
    /// For the title of its rules, each word with a capital: `Windows DNS Query`.
    pub(super) title: String,
    /// Whether rules are written for it.
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    /// Sigma's `category`.
    #[serde(default)]
    pub(super) category: Option<Word>,
    /// Sigma's `product`.
    #[serde(default)]
    pub(super) product: Option<Word>,
    /// Sigma's `service`.
    #[serde(default)]
    pub(super) service: Option<Word>,
    /// Fields that every event of interest has: `EventID = 4697`.
    #[serde(default)]
    pub(super) given: BTreeMap<Word, Constant>,
    /// What ties its events to others; without it, nothing does.
    #[serde(default)]
    pub(super) tie: Option<Tie>,
}

/// The machine behind an event.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tie {
    /// How it is named: `host`. Log sources that name machines in the same way can be tied.
    pub(super) by: Word,
    /// The field that names it.
    pub(super) field: Word,
}

fn yes() -> bool {
    true
}

/// A value from the mapping file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Constant {
    /// A number.
    Number(i64),
    /// Text.
    Text(String),
}

/// One property in one log source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    /// The field's name.
    pub(super) field: Word,
    /// How a value of the property stands in the field.
    #[serde(default)]
    pub(super) form: FieldForm,
    /// Where one object may stand in several places of an event, which of them: `source`, `destination`. All tests of
    /// one object are about the same place.
    #[serde(default)]
    pub(super) role: String,
    /// Whether it says too little for a rule from which other tests were dropped.
    #[serde(default)]
    pub(super) weak: bool,
    /// Whether the log does not keep the letter case of what STIX holds.
    #[serde(default)]
    pub(super) ignores_case: bool,
    /// Other fields that have to hold where this row is used.
    #[serde(default)]
    pub(super) also: BTreeMap<Word, Constant>,
    /// Why the field matches more than the property, where it does.
    #[serde(default)]
    pub(super) broader: String,
    /// Leaves out values that all end in one of these, in lower case.
    #[serde(default)]
    pub(super) skip_ending: Vec<String>,
    /// Leaves out all values but those that end in one of these, in lower case.
    #[serde(default)]
    pub(super) only_ending: Vec<String>,
    /// Leaves out values that all contain one of these, in lower case.
    #[serde(default)]
    pub(super) skip_containing: Vec<String>,
}

/// How a value of a property stands in a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FieldForm {
    /// As it is.
    #[default]
    Text,
    /// A number.
    Number,
    /// An address; prefixes by `|cidr`.
    Address,
    /// A DNS name.
    Domain,
    /// A full URL, as a proxy logs it.
    Url,
    /// `SHA256=…` somewhere in the field.
    Hash,
    /// The last part of a Windows path.
    WindowsName,
    /// The last part of a Unix path.
    UnixName,
    /// The folders of a Windows path.
    WindowsFolder,
    /// The folders of a Unix path.
    UnixFolder,
    /// A whole Windows path.
    WindowsPath,
    /// A whole Unix path.
    UnixPath,
    /// A Windows folder, logged with a backslash at its end.
    Directory,
    /// A registry key: logged alone, or in front of the name of one of its values.
    RegistryKey,
    /// A registry key and the name of a value.
    RegistryPath,
    /// The name of a registry value, behind its key.
    RegistryName,
    /// What a registry value holds: numbers stand with their type.
    RegistryData,
    /// An alternate data stream, behind the file's path.
    StreamName,
    /// An account, behind its domain.
    Account,
    /// A certificate's serial number: upper-case hexadecimal without separators.
    Serial,
    /// A transport protocol.
    Transport,
    /// One word out of a few, in any letter case.
    Word,
}

impl Field {
    /// What the mapping file itself says that is lost.
    pub(super) fn own_loss(&self) -> Option<(Fidelity, &str)> {
        (!self.broader.is_empty()).then_some((Fidelity::BROADER, self.broader.as_str()))
    }
}

/// The mapping file, read and checked.
pub(super) type Table = Mapping<LogSource, Field>;

/// Reads the user's mapping file over the shipped one.
///
/// # Errors
/// Its form, unknown keys, and names that can't stand in a rule or in a file name.
pub(super) fn read(own: Option<&str>, shipped: &str) -> Result<Table, MappingError> {
    let table = Table::read_over(own, shipped)?;
    for source in table.data_sources() {
        let LogSource { category, product, service, title, .. } = &source.data;
        let wrong = |message: &str| {
            Err(MappingError::Keys { place: format!("data source {}", source.name), message: message.to_owned() })
        };
        if [category, product, service].iter().all(|key| key.is_none()) {
            return wrong("a log source needs a category, a product or a service");
        }
        let is_file_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !source.name.bytes().all(is_file_name) || !(3..=29).contains(&source.name.len()) {
            return wrong("its name becomes part of file names: 3 to 29 letters a-z, digits and _");
        }
        if title.is_empty() || title.chars().count() > 40 {
            return wrong("a title has 1 to 40 characters");
        }
    }
    Ok(table)
}

/// A name that stands in rules without quotes: letters, digits and a few signs, with a letter or `_` in front.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Word(String);

impl Word {
    /// The name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@');
        if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.bytes().all(inside) {
            Ok(Self(name))
        } else {
            Err(format!("'{name}' can't stand in a rule: use letters, digits, '_', '.', '-' and '@'"))
        }
    }
}
