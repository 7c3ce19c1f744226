//! Entries: the only texts that reach a list.

use std::{borrow::Cow, fmt};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;

use crate::plan::{DomainName, Hash, HashAlgorithm, UrlParts, ValueKind};

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum EntryKind {
    Ipv4,
    Ipv6,
    Domain,
    Url,
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl EntryKind {
    pub(super) const ALL: [Self; 8] =
        [Self::Ipv4, Self::Ipv6, Self::Domain, Self::Url, Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name in templates and in the ids of entries.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The kind of an address or prefix.
    pub(super) fn from_address(net: IpNet) -> Self {
        match net {
            IpNet::V4(_) => Self::Ipv4,
            IpNet::V6(_) => Self::Ipv6,
        }
    }

    /// The kind of a hash.
    pub(super) fn from_algorithm(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Md5 => Self::Md5,
            HashAlgorithm::Sha1 => Self::Sha1,
            HashAlgorithm::Sha256 => Self::Sha256,
            HashAlgorithm::Sha512 => Self::Sha512,
        }
    }

    /// The kind of entry that a value would be.
    pub(super) fn from_value(value: &ValueKind) -> Option<Self> {
        Some(match value {
            ValueKind::Address(net) => Self::from_address(*net),
            ValueKind::Domain(_) => Self::Domain,
            ValueKind::Url(_) => Self::Url,
            ValueKind::Hash(hash) => Self::from_algorithm(hash.algorithm()),
            _ => return None,
        })
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ipv4 => "IPv4 address",
            Self::Ipv6 => "IPv6 address",
            Self::Domain => "domain name",
            Self::Url => "URL",
            Self::Md5 => "MD5 hash",
            Self::Sha1 => "SHA-1 hash",
            Self::Sha256 => "SHA-256 hash",
            Self::Sha512 => "SHA-512 hash",
        })
    }
}

/// One entry. Each variant's type lets through only what can stand in a line by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    Ipv4(Ipv4Net),
    /// Boxed, as it is rare and larger than the others.
    Ipv6(Box<Ipv6Net>),
    Domain(DomainName),
    Url(UrlLine),
    Hash(Hash),
}

impl Entry {
    /// Its kind.
    pub(super) fn kind(&self) -> EntryKind {
        match self {
            Self::Ipv4(_) => EntryKind::Ipv4,
            Self::Ipv6(_) => EntryKind::Ipv6,
            Self::Domain(_) => EntryKind::Domain,
            Self::Url(_) => EntryKind::Url,
            Self::Hash(hash) => EntryKind::from_algorithm(hash.algorithm()),
        }
    }

    /// The entry for a value.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn new(value: &ValueKind) -> Result<Self, Cow<'static, str>> {
        Ok(match value {
            ValueKind::Address(IpNet::V4(net)) => Self::Ipv4(*net),
            ValueKind::Address(IpNet::V6(net)) => Self::Ipv6(Box::new(*net)),
            ValueKind::Domain(name) => Self::Domain(name.clone()),
            ValueKind::Url(url) => Self::Url(UrlLine::new(url)?),
            ValueKind::Hash(hash) => Self::Hash(hash.clone()),
            other => return Err(format!("{other} is no address, name, URL or hash").into()),
        })
    }
}

/// The entries of one pattern. Nearly all patterns have one, and there are millions of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entries {
    One(Entry),
    Many(Box<[Entry]>),
}

impl Entries {
    /// `None` where there is no entry.
    pub(super) fn new(mut entries: Vec<Entry>) -> Option<Self> {
        match entries.len() {
            0 => None,
            1 => entries.pop().map(Self::One),
            _ => Some(Self::Many(entries.into())),
        }
    }

    pub(super) fn as_slice(&self) -> &[Entry] {
        match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Many(entries) => entries,
        }
    }
}

/// A URL as a client sends it, in printable ASCII without a space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UrlLine(Box<str>);

impl UrlLine {
    /// # Errors
    /// Why no line says what the URL says. A fragment and a user name are not part of what a proxy sees: a line
    /// without them would also refuse URLs that the pattern does not name.
    pub(super) fn new(url: &UrlParts) -> Result<Self, &'static str> {
        if url.text.contains(|character: char| character.is_control()) {
            return Err("the URL holds a control character");
        }
        if url.has_fragment {
            return Err("the URL has a fragment, which is never sent: an entry without it would refuse more");
        }
        if url.has_userinfo {
            return Err("the URL has a user name or password: an entry without it would refuse more");
        }
        let mut line = String::with_capacity(url.text.len() + 1);
        if !url.scheme.is_empty() {
            line.push_str(&url.scheme);
            line.push_str("://");
        }
        line.push_str(&url.host.to_string());
        if let Some(port) = url.port {
            line.push(':');
            line.push_str(&port.to_string());
        }
        line.push_str(&url.target);
        if line.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(line.into()))
        } else {
            Err("the URL does not fit one line of printable ASCII")
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<String, &'static str> {
        UrlLine::new(&UrlParts::parse(text).unwrap()).map(|line| line.as_str().to_owned())
    }

    #[test]
    fn a_url_is_written_as_it_is_sent() {
        assert_eq!(line("HTTP://Evil.example/a b?c=d").unwrap(), "http://evil.example/a%20b?c=d");
        assert_eq!(line("https://evil.example:8443/é").unwrap(), "https://evil.example:8443/%C3%A9");
        assert_eq!(line("http://[2001:db8::1]:80/").unwrap(), "http://[2001:db8::1]/");
        assert_eq!(line("evil.example/x").unwrap(), "evil.example/x");
    }

    #[test]
    fn a_url_that_a_line_would_change_is_refused() {
        assert!(line("http://evil.example/#frag").unwrap_err().contains("fragment"));
        assert!(line("http://user@evil.example/").unwrap_err().contains("user name"));
        assert!(line("http://evil.example/a\nhttp://good.example/").unwrap_err().contains("control"));
        assert!(line("http://evil.example/a\u{85}b").unwrap_err().contains("control"));
    }

    #[test]
    fn entries_stay_small() {
        assert!(size_of::<Entry>() <= 24, "{}", size_of::<Entry>());
        assert!(size_of::<Entries>() <= 24, "{}", size_of::<Entries>());
    }
}
