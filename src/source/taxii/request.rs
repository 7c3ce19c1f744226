//! What is asked, in the words of each version of TAXII.

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, RANGE};
use url::Url;

/// A version of TAXII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// TAXII 2.0 (Committee Specification, 19 July 2017): objects come in bundles, and pages are ranges of items.
    V2_0,
    /// TAXII 2.1 (OASIS Standard, 10 June 2021).
    V2_1,
}

impl Version {
    /// The names of the versions that are known.
    pub const NAMES: [&'static str; 2] = ["2.0", "2.1"];

    /// The version of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "2.0" => Some(Self::V2_0),
            "2.1" => Some(Self::V2_1),
            _ => None,
        }
    }
}

/// What kind of thing is asked for: TAXII 2.0 tells them apart by media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceKind {
    /// A discovery resource, an API root, collections.
    Resource,
    /// STIX objects.
    Objects,
}

/// One GET request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

impl Request {
    /// A request for `url`. Servers compare the media type letter by letter (TAXII 2.1, section 1.6.8.1; TAXII 2.0,
    /// section 1.6.8).
    pub(super) fn new(url: Url, kind: ResourceKind, version: Version) -> Self {
        let accept = match (version, kind) {
            (Version::V2_1, _) => "application/taxii+json;version=2.1",
            (Version::V2_0, ResourceKind::Resource) => "application/vnd.oasis.taxii+json; version=2.0",
            (Version::V2_0, ResourceKind::Objects) => "application/vnd.oasis.stix+json; version=2.0",
        };
        Self { url, headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]) }
    }

    /// The same for `count` items from `first` on, counted from 0 (TAXII 2.0, section 3.4).
    pub(super) fn items(mut self, first: u64, count: u32) -> Self {
        let last = first.saturating_add(u64::from(count)).saturating_sub(1);
        if let Ok(range) = HeaderValue::try_from(format!("items {first}-{last}")) {
            self.headers.insert(RANGE, range);
        }
        self
    }
}

/// What the `Content-Range` of an answer says, `items FIRST-LAST/TOTAL` (TAXII 2.0, section 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Items {
    /// The item after the last one of the answer.
    pub(super) end: u64,
    /// How many there are, where the server knows.
    pub(super) total: Option<u64>,
}

impl Items {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("items")?.trim_start().split_once('/')?;
        let (_, last) = range.split_once('-')?;
        let end = last.trim().parse::<u64>().ok()?.checked_add(1)?;
        Some(Self { end, total: total.trim().parse().ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let url = Url::parse("https://feed.example/").unwrap();
        let range = |first, count| {
            let request = Request::new(url.clone(), ResourceKind::Objects, Version::V2_0).items(first, count);
            request.headers[RANGE].to_str().unwrap().to_owned()
        };
        assert_eq!(range(0, 100), "items 0-99");
        assert_eq!(range(100, 1), "items 100-100");
        for (text, expected) in [
            ("items 0-99/1000", Some((100, Some(1000)))),
            ("items 7-7/*", Some((8, None))),
            ("items=0-9/10", Some((10, Some(10)))),
            ("bytes 0-99/1000", None),
            ("items */10", None),
            ("items 0-18446744073709551615/10", None),
        ] {
            assert_eq!(Items::parse(text).map(|items| (items.end, items.total)), expected, "{text}");
        }
    }
}
