//! The keys of `stixc.toml`, as they are written.

use std::{collections::BTreeMap, ops::Range, path::PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::source::taxii::connection_options;

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
    pub native_actions: Option<Vec<String>>,
    pub check_native: Option<Spanned<String>>,
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

/// A feed has the keys that are given with the kinds of feeds that may have them, and the options of its connection.
macro_rules! feed {
    ([$($own:ident: $value:ty, $own_kinds:ident;)*] $($heading:literal {$(
        $(#[$help:meta])* $name:ident: $type:ty as $raw:ty, $read:ident, [$($clap:tt)*], $kinds:ident, $($place:ident).+;
    )*})*) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct RawFeed {
            pub name: Spanned<String>,
            pub kind: Spanned<String>,
            $(pub $own: Option<Spanned<$value>>,)*
            $($(pub $name: Option<Spanned<$raw>>,)*)*
        }

        impl RawFeed {
            /// The keys that only some kinds have: which, and where they are written, if they are.
            pub(super) fn particular(&self) -> Vec<(&'static str, Kinds, Option<Range<usize>>)> {
                vec![
                    $((stringify!($own), $own_kinds, self.$own.as_ref().map(Spanned::span)),)*
                    $($((stringify!($name), $kinds, self.$name.as_ref().map(Spanned::span)),)*)*
                ]
            }
        }
    };
}

macro_rules! with_connection {
    ($($options:tt)*) => {
        feed! {
            [
                url: String, WEB;
                paths: Vec<PathBuf>, FILES;
                collection: String, TAXII;
                added_after: String, TAXII;
                types: Vec<String>, TAXII;
                limit: u32, TAXII;
                resync: String, TAXII;
                lookback: String, TAXII;
                overlap: String, TAXII;
                user: String, WEB;
                password: String, WEB;
                token: String, WEB;
                header: String, WEB;
            ]
            $($options)*
        }
    };
}
connection_options!(with_connection);

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
    pub min_score: Option<Spanned<u8>>,
    #[serde(default)]
    pub detection_only: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGuard {
    pub max_shrink: Option<Spanned<String>>,
    pub max_grow: Option<Spanned<String>>,
    pub empty: Option<Spanned<String>>,
    #[serde(default)]
    pub allow: Vec<Spanned<String>>,
    #[serde(default)]
    pub own: Vec<Spanned<String>>,
    pub warninglists: Option<PathBuf>,
    pub popular: Option<RawPopular>,
    pub private: Option<Spanned<String>>,
    #[serde(default)]
    pub lists: BTreeMap<String, Spanned<toml::Value>>,
    pub widest: Option<RawWidest>,
    pub share: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPopular {
    pub list: PathBuf,
    pub top: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWidest {
    pub ipv4: Option<Spanned<u8>>,
    pub ipv6: Option<Spanned<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    pub kind: Spanned<String>,
    #[serde(default)]
    pub formats: Vec<Spanned<String>>,
    pub accept: Option<Vec<Spanned<String>>>,
    pub mapping: Option<Spanned<PathBuf>>,
    pub filter: Option<RawFilter>,
}
