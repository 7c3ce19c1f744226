//! Which keywords a ready-made rule may have: data, of which this module is the reader.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

/// The table of keywords; its head says what it is for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keywords {
    /// The variables of the configuration that Suricata ships.
    pub(super) variables: BTreeSet<String>,
    /// Keywords that say nothing about traffic.
    about: BTreeSet<String>,
    /// Keywords about the shape of traffic: everybody's has it.
    shape: BTreeSet<String>,
    /// Keywords about what traffic holds.
    content: BTreeSet<String>,
    /// Those of them whose value names something.
    naming: BTreeSet<String>,
    /// Those of them that change what stands in a buffer.
    transforms: BTreeSet<String>,
    /// The property that stands in a buffer, or nothing where no value there names anybody.
    properties: BTreeMap<String, String>,
    /// Contents that all traffic of a protocol has.
    everyday: Vec<String>,
    /// Keywords that do more than to look at traffic: what they do.
    refused: BTreeMap<String, String>,
}

impl Keywords {
    /// The table as shipped. A test reads it, so a bad one can't be shipped.
    pub(super) fn shipped() -> &'static Self {
        static KEYWORDS: LazyLock<Keywords> = LazyLock::new(|| {
            toml::from_str(include_str!("../../../../templates/suricata/native.toml")).unwrap_or_default()
        });
        &KEYWORDS
    }

    /// Why no rule from a feed may have a keyword, if it may not.
    pub(super) fn refusal(&self, keyword: &str) -> Option<&str> {
        match self.refused.get(keyword) {
            Some(what) => Some(what),
            None if [&self.about, &self.shape, &self.content].iter().any(|known| known.contains(keyword)) => None,
            None => Some("is not known to look at traffic and at nothing else"),
        }
    }

    /// Whether a keyword with this value is about what not all traffic holds.
    pub(super) fn names(&self, keyword: &str, value: &str) -> bool {
        !value.is_empty() && self.naming.contains(keyword)
    }

    /// The property of STIX that stands in a buffer.
    pub(super) fn property(&self, buffer: &str) -> Option<&str> {
        self.properties.get(buffer).map(String::as_str)
    }

    /// Whether a keyword chooses what the contents behind it are about. The older ones of HTTP stand behind their content.
    pub(super) fn is_buffer(&self, keyword: &str) -> bool {
        self.content.contains(keyword) && !self.transforms.contains(keyword) && !keyword.starts_with("http_")
    }

    /// Whether all traffic of a protocol has these bytes, in whatever case: a piece of what it has, or two bytes that are one.
    pub(super) fn is_everyday(&self, content: &[u8]) -> bool {
        let is_one = |everyday: &[u8]| everyday.eq_ignore_ascii_case(content);
        self.everyday.iter().any(|everyday| match content.len() {
            0..3 => is_one(everyday.as_bytes()),
            length => everyday.as_bytes().windows(length).any(is_one),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_no_keyword_stands_twice() {
        let table: Keywords = toml::from_str(include_str!("../../../../templates/suricata/native.toml")).unwrap();
        let lists = [&table.about, &table.shape, &table.content];
        assert!(table.naming.is_subset(&table.content) && !table.everyday.is_empty());
        assert!(table.transforms.is_subset(&table.content));
        for (buffer, path) in &table.properties {
            assert!(table.content.contains(buffer), "{buffer}");
            let test = crate::guard::Evidence::test(path, crate::guard::Comparison::Equal, "x");
            assert!(path.is_empty() || matches!(test, crate::guard::Evidence::Test(_)), "{path}");
        }
        let all: BTreeSet<&String> = lists.into_iter().flatten().chain(table.refused.keys()).collect();
        assert_eq!(all.len(), lists.iter().map(|list| list.len()).sum::<usize>() + table.refused.len());
        assert!(table.refusal("content").is_none() && table.refusal("lua").is_some());
        assert!(table.refusal("brand.new").is_some());
    }
}
