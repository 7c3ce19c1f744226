//! The words of ready-made rules: data, of which this module is the reader.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

/// What a modifier makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Effect {
    /// All values have to be there, and not one of them.
    All,
    /// The value stays a text.
    Text,
    Contains,
    Startswith,
    Endswith,
    /// What is looked for is the text in another form.
    Encoded,
    Cidr,
    Expression,
    /// It says how an expression is read.
    Flag,
    /// It compares, and no value of it names anybody.
    Measure,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vocabulary {
    pub(super) modifiers: BTreeMap<String, Effect>,
    pub(super) keys: Keys,
    pub(super) events: Everyday,
    pub(super) words: Everyday,
    /// What a field shows, in lower case.
    pub(super) fields: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub(super) texts: BTreeSet<String>,
    pub(super) lists: BTreeSet<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Everyday {
    pub(super) everyday: BTreeSet<String>,
}

impl Vocabulary {
    /// The file as shipped. A test reads it, so a bad one can't be shipped.
    pub(super) fn shipped() -> &'static Self {
        static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| {
            toml::from_str(include_str!("../../../../templates/sigma/native.toml")).unwrap_or_default()
        });
        &WORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Comparison, Evidence};

    #[test]
    fn the_file_is_read_and_its_properties_are_some() {
        let words: Vocabulary = toml::from_str(include_str!("../../../../templates/sigma/native.toml")).unwrap();
        assert!(words.modifiers.len() > 20 && words.events.everyday.len() > 20);
        for (field, path) in &words.fields {
            assert_eq!(*field, field.to_lowercase());
            let is_known = matches!(Evidence::test(path, Comparison::Like, "%x%"), Evidence::Test(_));
            assert!(path.is_empty() || path == "event" || is_known, "{field}: {path}");
        }
    }
}
