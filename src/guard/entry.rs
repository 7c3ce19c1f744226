//! Entries of lists.

use ipnet::IpNet;

use crate::plan::{DomainName, Hash, HashAlgorithm, UrlParts, value::parse_address};

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// An address, as a prefix of full length, or a prefix.
    Network(IpNet),
    /// A name, and whether all names below it are meant as well.
    Name(DomainName, bool),
    /// A digest in lower-case hexadecimal.
    Digest(Box<str>),
    /// A URL, in the form of [`url_key`].
    Url(Box<str>),
    /// Any other text that is equal to a value but for letter case: a mail address.
    Text(Box<str>),
}

impl Entry {
    /// Reads an entry. `.example.com` and `*.example.com` are the name and all below it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(net) = parse_address(text) {
            return Some(Self::Network(net));
        }
        if let Some(hash) = digest(text) {
            return Some(Self::Digest(hash.hex().into()));
        }
        if text.contains("://") {
            return UrlParts::parse(text).map(|url| Self::Url(url_key(&url)));
        }
        if text.contains('@') {
            return Some(Self::Text(text.to_lowercase().into()));
        }
        let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        let below = name.is_some();
        DomainName::parse(name.unwrap_or(text)).map(|name| Self::Name(name, below))
    }
}

impl Entry {
    /// Makes a name stand for all below it as well.
    pub(super) fn take_all_below(&mut self) {
        if let Self::Name(_, below) = self {
            *below = true;
        }
    }
}

/// A digest of any length that has a name.
fn digest(text: &str) -> Option<Hash> {
    let algorithms = [HashAlgorithm::Md5, HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha512];
    let algorithm = algorithms.into_iter().find(|algorithm| algorithm.digits() == text.len())?;
    Hash::parse(algorithm, text)
}

/// A URL without its scheme: what `http` leads to, `https` mostly leads to as well.
pub(super) fn url_key(url: &UrlParts) -> Box<str> {
    match url.port {
        Some(port) => format!("{}:{port}{}", url.host, url.target).into(),
        None => format!("{}{}", url.host, url.target).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_what_it_looks_like() {
        let name = |text: &str, below| Entry::Name(DomainName::parse(text).unwrap(), below);
        assert_eq!(Entry::parse("192.0.2.0/24"), Some(Entry::Network("192.0.2.0/24".parse().unwrap())));
        assert_eq!(Entry::parse("2001:DB8::1"), Some(Entry::Network("2001:db8::1/128".parse().unwrap())));
        assert_eq!(Entry::parse("EVIL.example"), Some(name("evil.example", false)));
        assert_eq!(Entry::parse(".evil.example"), Some(name("evil.example", true)));
        assert_eq!(Entry::parse("*.evil.example"), Some(name("evil.example", true)));
        assert_eq!(
            Entry::parse("D41D8CD98F00B204E9800998ECF8427E"),
            Some(Entry::Digest("d41d8cd98f00b204e9800998ecf8427e".into()))
        );
        assert_eq!(Entry::parse("https://Evil.example/a"), Some(Entry::Url("evil.example/a".into())));
        assert_eq!(Entry::parse("A@evil.example"), Some(Entry::Text("a@evil.example".into())));
        for none in ["", "two words", "192.0.2.0/33", "evil..example", "http://"] {
            assert_eq!(Entry::parse(none), None, "{none}");
        }
    }
}
