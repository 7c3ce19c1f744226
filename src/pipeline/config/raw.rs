//! The keys of `stixc.toml`, as they are written.

use std::{ops::Range, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub output: Option<PathBuf>,
    pub store: Option<PathBuf>,
    pub report: Option<PathBuf>,
    pub provenance: Option<bool>,
    pub templates: Option<PathBuf>,
    #[serde(default)]
    pub strict: bool,
    pub fail_on: Option<Spanned<String>>,
    #[serde(default)]
    pub feed: Vec<Spanned<RawFeed>>,
    #[serde(default)]
    pub filter: RawFilter,
    #[serde(default)]
    pub guard: RawGuard,
    #[serde(default)]
    pub target: Vec<Spanned<RawTarget>>,
}

/// The kinds of feeds that a key belongs to.
pub(super) type Kinds = &'static [&'static str];
const WEB: Kinds = &["taxii", "url"];
const TAXII: Kinds = &["taxii"];
const FILES: Kinds = &["files"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeed {
    pub name: Spanned<String>,
    pub kind: Spanned<String>,
    pub url: Option<Spanned<String>>,
    pub paths: Option<Spanned<Vec<PathBuf>>>,
    pub collection: Option<Spanned<String>>,
    pub added_after: Option<Spanned<String>>,
    pub types: Option<Spanned<Vec<String>>>,
    pub limit: Option<Spanned<u32>>,
    pub resync: Option<Spanned<String>>,
    pub lookback: Option<Spanned<String>>,
    pub overlap: Option<Spanned<String>>,
    pub taxii: Option<Spanned<String>>,
    pub user: Option<Spanned<String>>,
    pub password: Option<Spanned<String>>,
    pub token: Option<Spanned<String>>,
    pub header: Option<Spanned<String>>,
    pub cert: Option<Spanned<PathBuf>>,
    pub key: Option<Spanned<PathBuf>>,
    pub ca_file: Option<Spanned<PathBuf>>,
    pub proxy: Option<Spanned<String>>,
    pub connect_timeout: Option<Spanned<String>>,
    pub read_timeout: Option<Spanned<String>>,
    pub page_timeout: Option<Spanned<String>>,
    pub attempts: Option<Spanned<u32>>,
    pub max_wait: Option<Spanned<String>>,
    pub max_pages: Option<Spanned<u64>>,
    pub max_objects: Option<Spanned<u64>>,
    pub max_page_bytes: Option<Spanned<u64>>,
    pub max_bytes: Option<Spanned<u64>>,
    pub max_time: Option<Spanned<String>>,
}

impl RawFeed {
    /// The keys that only some kinds have: which, and where they are written, if they are.
    pub(super) fn particular(&self) -> Vec<(&'static str, Kinds, Option<Range<usize>>)> {
        fn at<T>(value: &Option<Spanned<T>>) -> Option<Range<usize>> {
            value.as_ref().map(Spanned::span)
        }
        vec![
            ("url", WEB, at(&self.url)),
            ("paths", FILES, at(&self.paths)),
            ("collection", TAXII, at(&self.collection)),
            ("added_after", TAXII, at(&self.added_after)),
            ("types", TAXII, at(&self.types)),
            ("limit", TAXII, at(&self.limit)),
            ("resync", TAXII, at(&self.resync)),
            ("lookback", TAXII, at(&self.lookback)),
            ("overlap", TAXII, at(&self.overlap)),
            ("taxii", TAXII, at(&self.taxii)),
            ("user", WEB, at(&self.user)),
            ("password", WEB, at(&self.password)),
            ("token", WEB, at(&self.token)),
            ("header", WEB, at(&self.header)),
            ("cert", WEB, at(&self.cert)),
            ("key", WEB, at(&self.key)),
            ("ca_file", WEB, at(&self.ca_file)),
            ("proxy", WEB, at(&self.proxy)),
            ("connect_timeout", WEB, at(&self.connect_timeout)),
            ("read_timeout", WEB, at(&self.read_timeout)),
            ("page_timeout", WEB, at(&self.page_timeout)),
            ("attempts", WEB, at(&self.attempts)),
            ("max_pages", TAXII, at(&self.max_pages)),
            ("max_objects", WEB, at(&self.max_objects)),
            ("max_page_bytes", TAXII, at(&self.max_page_bytes)),
            ("max_bytes", WEB, at(&self.max_bytes)),
            ("max_time", WEB, at(&self.max_time)),
            ("max_wait", WEB, at(&self.max_wait)),
        ]
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFilter {
    pub min_confidence: Option<Spanned<u8>>,
    pub max_tlp: Option<Spanned<String>>,
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(default)]
    pub without_types: Vec<String>,
    pub max_age: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGuard {
    pub max_shrink: Option<Spanned<String>>,
    pub empty: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    pub kind: Spanned<String>,
    #[serde(default)]
    pub formats: Vec<Spanned<String>>,
    pub accept: Option<Vec<Spanned<String>>>,
    pub mapping: Option<Spanned<PathBuf>>,
}
