//! Entries of lists.

use ipnet::IpNet;

use super::embedded::embedded;
use crate::plan::{
    DomainName, Hash, HashAlgorithm, UrlParts,
    value::{Host, parse_address},
};

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
        if let Some((local, domain)) = text.rsplit_once('@') {
            let is_mail = !local.is_empty() && DomainName::parse(domain).is_some();
            return is_mail.then(|| Self::Text(text.to_lowercase().into()));
        }
        let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'));
        let below = name.is_some();
        DomainName::parse(name.unwrap_or(text)).map(|name| Self::Name(name, below))
    }
}

impl Entry {
    /// Reads what a user writes; nothing where it is no entry. A port and brackets are no part of a host. The URL of a host's
    /// root stands for the host as well, and an address that carries an IPv4 address for that, too.
    pub(super) fn all_of(text: &str) -> Vec<Self> {
        let of_host = |host: Host| match host {
            Host::Address(address) => Self::Network(address.into()),
            Host::Domain(name) => Self::Name(name, false),
        };
        let mut all: Vec<Self> = Self::parse(text).into_iter().collect();
        if all.is_empty() {
            let is_host = !text.contains(['/', '?', '#', '@', '\\']);
            all.extend(UrlParts::parse(text).filter(|_| is_host).map(|url| of_host(url.host)));
        } else if let Some(url) = UrlParts::parse(text).filter(|url| text.contains("://") && is_root(url)) {
            all.push(of_host(url.host));
        }
        let carried = all.iter().filter_map(|entry| match entry {
            // A whole range of carriers is no wish about all IPv4 addresses.
            Self::Network(net) => embedded(*net).map(|(inner, _)| inner).filter(|inner| inner.prefix_len() > 0),
            _ => None,
        });
        let carried: Vec<Self> = carried.map(Self::Network).collect();
        all.extend(carried);
        all
    }

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

/// What servers send for the root of a host, and what every host has beside it.
const INDEX: [&str; 11] = [
    "favicon.ico",
    "home",
    "robots.txt",
    "index.html",
    "index.htm",
    "index.php",
    "index.jsp",
    "index.asp",
    "index.aspx",
    "default.asp",
    "default.aspx",
];
/// No spelling of a root is longer, that anybody would write.
const LONGEST_ROOT: usize = 64;

/// Whether a URL is that of a host's root, whatever is asked of it: `/`, `//`, `/?a=b`, `/index.html`.
pub(super) fn is_root(url: &UrlParts) -> bool {
    let path = url.target.split('?').next().unwrap_or_default();
    if path == "/" || path.len() > LONGEST_ROOT {
        return path == "/";
    }
    // Some servers read an encoded slash as one, and what stands behind a semicolon as no part of the path.
    let path = path.to_ascii_lowercase().replace("%2f", "/").replace("%20", " ");
    let parts = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default().trim());
    let mut segments = parts.filter(|segment| !segment.is_empty() && *segment != ".");
    segments.next().is_none_or(|first| segments.next().is_none() && INDEX.contains(&first))
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
        for none in ["", "two words", "192.0.2.0/33", "evil..example", "http://", "@evil.example", "a@"] {
            assert_eq!(Entry::parse(none), None, "{none}");
        }
    }

    #[test]
    fn what_a_user_writes_is_read_or_nothing() {
        let all = |text| Entry::all_of(text).iter().map(|entry| format!("{entry:?}")).collect::<Vec<_>>().join(" ");
        let v4 = all("192.0.2.7");
        for same in ["192.0.2.7:443", "192.0.2.7/32"] {
            assert_eq!(all(same), v4, "{same}");
        }
        for carrier in ["::ffff:192.0.2.7", "64:ff9b::192.0.2.7", "2002:c000:207::/48", "[::ffff:192.0.2.7]:80"] {
            assert!(all(carrier).ends_with(&v4), "{carrier}: {}", all(carrier));
        }
        assert_eq!(all("192.0.2.77/24"), all("192.0.2.0/24"));
        assert_eq!(all("[2001:DB8::1]"), all("2001:db8::1"));
        assert_eq!(all("Partner.Example.:8443"), all("partner.example"));
        assert!(all("https://Partner.example/").ends_with(&all("partner.example")));
        assert_eq!(Entry::all_of("https://partner.example/page").len(), 1);
        assert_eq!(Entry::all_of("::ffff:0:0/96").len(), 1);
        for none in
            ["", "two words", "192.0.2.0/33", "192.0.2.1-192.0.2.9", "010.0.0.1", "192.0.2.7:99999", "a,b", "@x"]
        {
            assert!(Entry::all_of(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn the_root_of_a_host_has_many_spellings() {
        let root = |text: &str| is_root(&UrlParts::parse(text).unwrap());
        for yes in [
            "",
            "/",
            "//",
            "/?",
            "/?a=b/c",
            "/#x",
            "/./",
            "/a/..",
            "///",
            "/index.html",
            "/Index.PHP?a",
            "?a",
            "/%2F",
            "/%20",
            "/;a=b",
            "/favicon.ico",
        ] {
            assert!(root(&format!("http://a.example{yes}")), "{yes}");
        }
        for no in ["/a", "//a", "/a/index.html", "/index.exe", "/%2Fa"] {
            assert!(!root(&format!("http://a.example{no}")), "{no}");
        }
    }
}
